"""What CloudWatch is asked for a scan, and what its answers say."""
