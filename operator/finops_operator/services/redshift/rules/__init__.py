"""What the kind and its checks share: owners."""
