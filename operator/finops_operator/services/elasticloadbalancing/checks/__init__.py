"""Checks of load balancers, one a file."""
