"""Checks of desktops, one a file."""
