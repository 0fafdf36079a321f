"""Actions on databases, one a file."""
