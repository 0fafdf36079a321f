"""Actions on EC2 and EBS, one a file."""
