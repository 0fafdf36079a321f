"""Actions on tables, one a file."""
