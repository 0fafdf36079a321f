"""Checks of tables, one a file."""
