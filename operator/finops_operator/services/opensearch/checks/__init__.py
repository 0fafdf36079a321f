"""Checks of domains, one a file."""
