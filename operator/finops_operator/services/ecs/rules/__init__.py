"""What the kind and its checks share: owners, and what Fargate bills."""
