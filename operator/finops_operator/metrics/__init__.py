"""Utilization from CloudWatch: what to ask, in which batches, and what the points say."""
