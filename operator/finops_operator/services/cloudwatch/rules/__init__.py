"""What the kind reads beside the listing, and what it bills by."""
