"""ECR: private repositories of container images."""
