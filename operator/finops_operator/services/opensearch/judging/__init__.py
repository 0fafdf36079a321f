"""What several checks of domains judge in the same way."""
