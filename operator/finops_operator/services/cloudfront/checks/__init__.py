"""Checks of distributions, one a file."""
