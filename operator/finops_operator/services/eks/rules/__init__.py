"""What the kinds and their checks share: owners and the lifecycle of versions."""
