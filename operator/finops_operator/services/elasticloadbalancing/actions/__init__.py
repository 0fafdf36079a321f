"""Actions on load balancers, one a file."""
