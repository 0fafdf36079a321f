"""The dashboard and the HTTP API: shows what the scans have stored and takes votes.

It has no rights of its own in the cluster and cannot reach AWS. Whoever opens it brings a token of the cluster; all
that is read from or written to Kubernetes is read or written with that token.
"""
