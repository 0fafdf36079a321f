"""What several checks of keys judge in the same way."""
