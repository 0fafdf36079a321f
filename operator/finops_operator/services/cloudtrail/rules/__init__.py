"""What the kind reads beside the listing, and which trails deliver the same."""
