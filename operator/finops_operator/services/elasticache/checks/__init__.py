"""Checks of caches, one a file."""
