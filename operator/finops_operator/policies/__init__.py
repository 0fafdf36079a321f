"""When policies are scanned, and what their status says."""
