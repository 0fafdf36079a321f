"""Checks of file systems, one a file."""
