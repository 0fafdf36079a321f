"""Checks of endpoints and notebooks, one a file."""
