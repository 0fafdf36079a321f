"""Checks of streams, one a file."""
