"""The pure stages of a scan and of a request: each takes frozen values and returns frozen values."""
