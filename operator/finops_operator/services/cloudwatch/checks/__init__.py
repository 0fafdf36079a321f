"""Checks of alarms, one a file."""
