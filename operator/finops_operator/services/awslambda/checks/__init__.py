"""Checks of functions, one a file."""
