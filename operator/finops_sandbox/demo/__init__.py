"""The demo: the product's own programs against the doubles, with a story that runs through the whole loop."""
