"""Actions on buckets, one a file."""
