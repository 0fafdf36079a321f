"""Actions on domains, one a file."""
