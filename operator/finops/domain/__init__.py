"""Frozen values and pure functions: what the product talks about. No I/O, no SDK, no clock of its own."""
