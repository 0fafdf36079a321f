"""What the kind and its checks share: runtimes, provisioned concurrency, owners, what may be judged."""
