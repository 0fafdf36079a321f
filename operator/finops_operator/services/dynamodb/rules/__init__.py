"""What the kind and its checks share: metrics, reading, capacity, owners, what may be judged."""
