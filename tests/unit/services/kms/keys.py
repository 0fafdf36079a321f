"""Keys, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.kms.key import KIND

KEYS: Final = Bench(KIND)
ID: Final = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN: Final = f"arn:aws:kms:us-east-1:111122223333:key/{ID}"


def key(state: str = "enabled", used_days: float | None = 120, days: float = 900, /, **attributes: Json) -> Resource:
    """Return a key that was used so many days ago, or not in the year that AWS knows of, changed as asked."""
    used = "" if used_days is None else (NOW - timedelta(days=used_days)).isoformat()
    facts: dict[str, Json] = {
        "key_spec": "SYMMETRIC_DEFAULT",
        "multi_region": "",
        "last_used": used,
        "use_tracked_since": (NOW - timedelta(days=365)).isoformat(),
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="kms-key",
        id=ID,
        arn=ARN,
        name="",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )
