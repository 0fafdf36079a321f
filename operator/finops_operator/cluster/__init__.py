"""What is watched and written in Kubernetes."""
