"""Checks of health checks, one a file."""
