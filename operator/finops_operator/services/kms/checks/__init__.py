"""Checks of keys, one a file."""
