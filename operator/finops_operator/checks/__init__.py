"""Checks, one file each: pure functions from facts about one resource to a finding, or to the reason why not."""
