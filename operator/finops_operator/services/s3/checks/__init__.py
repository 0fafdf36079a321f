"""Checks of buckets, one a file."""
