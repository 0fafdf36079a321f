"""Actions on EKS, one a file."""
