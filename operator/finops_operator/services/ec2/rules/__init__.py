"""What kinds, checks and actions of EC2 share: observations, refusals, bills."""
