"""Checks of database instances, one a file."""
