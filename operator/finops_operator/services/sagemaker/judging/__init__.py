"""What several checks of notebooks judge in the same way."""
