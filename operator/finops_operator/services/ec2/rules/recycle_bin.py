"""How long the Recycle Bin of a region keeps what is deleted, by its rules.

Called by the preflights of deletions that AWS can take back from there. A rule may be for some tags alone, which its
listing does not say; so what is known is the longest time, and only an empty list is certain. What is kept is billed as
before. Source: Amazon EBS user guide, "Recycle Bin"; Recycle Bin API reference, ListRules.
"""

from __future__ import annotations

from typing import Final

from finops.ports.aws_steps import Reader

LIST_RULES: Final = "rbin:ListRules"
SNAPSHOTS: Final = "EBS_SNAPSHOT"
IMAGES: Final = "EC2_IMAGE"


def longest_kept_days(reader: Reader, resource_type: str) -> int:
    """Return for how many days a rule of the region keeps resources of a type at most; 0: there is no rule."""
    rules = reader.read(LIST_RULES, {"ResourceType": resource_type}).get("Rules", ())
    periods = [int((one.get("RetentionPeriod") or {}).get("RetentionPeriodValue") or 0) for one in rules]
    return max(periods, default=0)
