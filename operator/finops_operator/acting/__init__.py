"""Parts that actions and the act stage share: what an instance or a volume looks like, and what forbids an act."""
