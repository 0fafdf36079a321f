"""CloudTrail: trails, and which of them deliver the same management events."""
