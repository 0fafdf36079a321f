"""What the kind of functions is made of: runtimes, provisioned concurrency, owners."""
