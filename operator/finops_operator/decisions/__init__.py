"""Votes become decisions."""
