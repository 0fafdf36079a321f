"""ECS: services that keep containers running, on Fargate or on instances of one's own."""
