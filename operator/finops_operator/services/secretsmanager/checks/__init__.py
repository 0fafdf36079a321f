"""Checks of secrets, one a file."""
