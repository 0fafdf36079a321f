"""Checks of repositories, one a file."""
