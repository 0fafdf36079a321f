"""Checks of Auto Scaling groups, one a file."""
