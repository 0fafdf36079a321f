"""Checks of clusters and node groups, one a file."""
