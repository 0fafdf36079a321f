"""What several checks of caches judge in the same way."""
