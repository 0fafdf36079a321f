"""EKS: Kubernetes clusters and their managed node groups."""
