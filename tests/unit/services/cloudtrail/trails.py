"""Trails, for the tests of the kind and its check."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.cloudtrail.trail import KIND

TRAILS: Final = Bench(KIND)
ARN: Final = "arn:aws:cloudtrail:us-east-1:111122223333:trail/team"


def trail(state: str = "logging", days_with_both: float = 40, /, **attributes: Json) -> Resource:
    """Return a trail whose events another one has delivered for so many days as well, changed as asked."""
    facts: dict[str, Json] = {
        "all_regions": False,
        "organization": False,
        "management_events": "all",
        "other_events": False,
        "logging_since": (NOW - timedelta(days=400)).isoformat(),
        "same_events_in": "audit",
        "same_events_since": (NOW - timedelta(days=days_with_both)).isoformat(),
        "second_copy": True,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="cloudtrail-trail",
        id="team",
        arn=ARN,
        name="team",
        account="111122223333",
        region="us-east-1",
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )
