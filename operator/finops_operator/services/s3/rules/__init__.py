"""What the kind of buckets is made of: settings, storage classes and their prices, requests, owners."""
