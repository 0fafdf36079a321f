"""The Kubernetes client behind our own words: our kinds, Leases, ConfigMaps, Events and rights.

The only importer of the `kubernetes` package, shared by operator, bot and command line. Nothing here decides anything.
"""
