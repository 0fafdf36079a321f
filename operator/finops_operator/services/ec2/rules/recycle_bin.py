"""How long the Recycle Bin keeps what is deleted: the rules of a region, matched with the tags of a resource.

Called by the preflights of deletions that AWS can take back from there. What is kept is billed as before.
Source: Amazon EBS user guide, "Recycle Bin"; Recycle Bin API reference, ListRules and GetRule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.ports.aws_steps import Reader

LIST_RULES: Final = "rbin:ListRules"
GET_RULE: Final = "rbin:GetRule"
SNAPSHOTS: Final = "EBS_SNAPSHOT"
_READY: Final = "available"


def kept_days(reader: Reader, resource_type: str, tags: Mapping[str, str]) -> int:
    """Return for how many days it can be restored after its deletion; 0: no rule keeps it."""
    days = [0]
    for summary in reader.read(LIST_RULES, {"ResourceType": resource_type}).get("Rules", ()):
        rule = reader.read(GET_RULE, {"Identifier": str(summary["Identifier"])})
        # A rule that is not ready yet keeps nothing.
        if rule.get("Status") == _READY and _covers(rule, tags):
            days.append(int((rule.get("RetentionPeriod") or {}).get("RetentionPeriodValue") or 0))
    return max(days)


def _covers(rule: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """A rule without tags is for the whole region, less what its exclusions name."""
    wanted, spared = rule.get("ResourceTags") or (), rule.get("ExcludeResourceTags") or ()
    if wanted:
        return any(_carries(one, tags) for one in wanted)
    return not any(_carries(one, tags) for one in spared)


def _carries(tag: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    key, value = str(tag.get("ResourceTagKey") or ""), tag.get("ResourceTagValue")
    return key in tags and value in (None, tags[key])
