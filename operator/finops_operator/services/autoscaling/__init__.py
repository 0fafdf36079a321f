"""EC2 Auto Scaling: groups of instances."""
