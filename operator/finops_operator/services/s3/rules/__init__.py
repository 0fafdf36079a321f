"""What the kind and its checks share: settings, storage classes and their prices, owners, what may be judged."""
