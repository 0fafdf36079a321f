"""What several checks of repositories judge in the same way."""
