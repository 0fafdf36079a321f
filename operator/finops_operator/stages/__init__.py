"""The stages of a scan and of an act. Each takes frozen values and returns frozen values."""
