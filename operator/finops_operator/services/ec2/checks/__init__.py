"""Checks of EC2 and EBS, one a file."""
