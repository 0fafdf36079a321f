"""Lifecycle configurations as a plan's fingerprint holds them, and the one that a rule of ours is added to; pure.

S3 replaces a configuration as a whole, so a call carries every rule that stays. Rules are kept as canonical JSON, in
the order in which S3 gave them; times become ISO texts, which the SDK takes as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, canonical_json

RULE_ID: Final = "finops-abort-incomplete-uploads"
ENABLED: Final = "Enabled"
MOST_RULES: Final = 1000
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html"""


def rules_text(rules: Sequence[Mapping[str, Any]]) -> str:
    """Return rules as AWS described them in one text, `[]` for none."""
    return canonical_json([_plain(rule) for rule in rules]).decode()


def rules_of(text: str) -> list[dict[str, Json]]:
    """Return the rules that a text holds."""
    found: list[dict[str, Json]] = json.loads(text)
    return found


def with_rule(rules: Sequence[Mapping[str, Json]], days: int) -> list[Mapping[str, Json]]:
    """Return the rules and one more that ends uploads in parts `days` after they began.

    S3 takes no configuration that has rules of both forms: with a filter, and with a prefix of the older form.
    """
    older = any("Filter" not in rule for rule in rules)
    whole: dict[str, Json] = {"Prefix": ""} if older else {"Filter": {"Prefix": ""}}
    action: Json = {"DaysAfterInitiation": days}
    return [*rules, {"ID": RULE_ID, **whole, "Status": ENABLED, "AbortIncompleteMultipartUpload": action}]


def same_rules(one: Sequence[Mapping[str, Json]], other: Sequence[Mapping[str, Json]]) -> bool:
    """Return whether two configurations do the same: S3 may give them in another order."""
    return sorted(map(_form, one)) == sorted(map(_form, other))


def is_whole(rule: Mapping[str, Any]) -> bool:
    """Return whether a rule is for every object: its filter, or the prefix of its older form, is empty."""
    chosen = rule.get("Filter")
    if chosen is None:
        return not rule.get("Prefix")
    return not any(value for value in chosen.values())


def _form(rule: Mapping[str, Json]) -> bytes:
    """An empty filter and one with an empty prefix are the same."""
    chosen = rule.get("Filter")
    empty = isinstance(chosen, Mapping) and not any(chosen.values())
    return canonical_json({**rule, "Filter": {}} if empty else dict(rule))


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
