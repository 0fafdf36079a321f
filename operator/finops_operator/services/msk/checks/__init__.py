"""Checks of Kafka clusters, one a file."""
