"""Rules that the kinds of this service share."""
