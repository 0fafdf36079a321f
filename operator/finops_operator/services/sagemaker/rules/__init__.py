"""What the kinds and their checks share: owners."""
