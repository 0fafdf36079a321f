"""Protocols between decisions and edges: one small Protocol a file, implemented in store, k8s, aws and the doubles."""
