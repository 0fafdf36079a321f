"""Actions on Auto Scaling groups, one a file."""
