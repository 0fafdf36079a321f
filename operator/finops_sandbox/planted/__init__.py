"""Waste as AWS's own APIs show it, and what resembles it: an estate to measure checks with, and to show in the demo."""
