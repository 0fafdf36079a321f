"""What the kind and its checks share: owners and instance types."""
