"""Acts: the executor, and what the actions share: how an instance or a volume looks, what forbids an act."""
