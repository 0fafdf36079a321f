"""Actions on functions, one a file."""
