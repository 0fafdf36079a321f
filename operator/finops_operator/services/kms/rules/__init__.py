"""What the kind reads beside the listing."""
