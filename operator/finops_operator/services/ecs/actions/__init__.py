"""Actions on services, one a file."""
