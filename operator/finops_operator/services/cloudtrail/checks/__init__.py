"""Checks of trails, one a file."""
