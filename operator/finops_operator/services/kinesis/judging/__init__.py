"""What several checks of streams judge in the same way."""
