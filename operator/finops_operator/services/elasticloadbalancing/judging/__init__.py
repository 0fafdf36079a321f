"""What the checks of load balancers judge by in common."""
