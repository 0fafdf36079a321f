"""What several checks of file systems judge in the same way."""
