"""Checks of warehouses, one a file."""
