"""What AWS bills for a resource, one file per kind: pure functions from a resource to the parts of its price."""
