"""Actions on log groups, one a file."""
