"""What several checks of distributions judge in the same way."""
