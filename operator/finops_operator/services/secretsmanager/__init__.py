"""Secrets Manager: secrets, and how long nobody has read them."""
