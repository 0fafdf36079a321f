"""Checks of log groups, one a file."""
