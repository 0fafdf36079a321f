"""Checks of services, one a file."""
