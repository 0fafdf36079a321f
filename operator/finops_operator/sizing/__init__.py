"""Right-sizing: what a workload needs, which instance types can hold it, which of them to advise. Pure."""
