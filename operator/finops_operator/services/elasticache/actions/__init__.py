"""Actions on caches, one a file."""
