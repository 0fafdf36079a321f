"""On what terms decisions approve: how many people, until when, one of them outside Slack (`stepUp`).

The terms of a request never change. Those of a policy may, so that the same act of the same resource is honestly
proposed again, under another name, on easier ones: nothing in the ledger says who changed them, and a person checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from finops.audit_verify.shelf import REQUESTS_NEAR, Kept, Shelf


@dataclass(slots=True)
class _Last(Kept):
    """The last approval of an act."""

    sequence: int
    detail: dict[str, Any]


@dataclass(slots=True)
class Terms:
    """Follows the approvals of each act, `ACTION of ARN`, whatever the names of its requests."""

    last: Shelf[_Last] = field(default_factory=lambda: Shelf(REQUESTS_NEAR))

    def doubt(self, record: dict[str, Any], act: str) -> str:
        """Take in an approval whose terms can be read; return what a person should check, empty for nothing."""
        before = self.last.get(act)
        detail = {name: record["detail"].get(name) for name in ("required", "stepUp")}
        self.last.put(act, _Last(record["sequence"], detail))
        if before is None or not is_easier(before.detail, detail):
            return ""
        which = f"record {record['sequence']} approves {act} on easier terms than record {before.sequence} did"
        return f"{which} under another name: check who made the terms easier"


def is_easier(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether a decision asks for less than an earlier one; `required` is a number in both."""
    old, new = instant(before.get("expiresAt")), instant(after.get("expiresAt"))
    later = old is not None and new is not None and new > old
    fewer: bool = after["required"] < before["required"]
    return fewer or later or (bool(before.get("stepUp")) and not after.get("stepUp"))


def instant(text: object) -> datetime | None:
    """Return a time that names its zone, None for anything else."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if found is None or found.tzinfo is None else found
