"""RDS: managed databases, and the members of Aurora, DocumentDB and Neptune clusters, which share its API."""
