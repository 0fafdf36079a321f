"""What the kinds and their checks share: owners, node types, what shows that a cache is used."""
