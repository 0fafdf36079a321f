"""Which trail of a region delivers again what another one delivers. Pure; called by the kind.

AWS delivers the first copy of an account's management events in each region free and bills every further one, whichever
of the trails it comes from (CloudTrail user guide, "Managing CloudTrail trail costs"). Of two trails that deliver the
same, the one of the organization stays before one of the account, and one of all regions before one of a single region.
A trail that feeds a log group or a topic is replaced only by one that feeds the same: else nobody would get an alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from finops_operator.services.cloudtrail.rules.selected import Delivered


@dataclass(frozen=True, slots=True)
class Trail:
    """One trail as a region shows it.

    Attributes:
        foreign: whether another account of the organization keeps it.
        global_events: whether it delivers those of services without a region, such as IAM.
        logging: None where that is not known.
        since: when it began to log the last time.
        events: None where that is not known.
        failing: whether its bucket, log group or topic refused what was delivered last, which no trail that goes can be
            replaced by.
    """

    arn: str
    name: str
    foreign: bool
    organization: bool
    all_regions: bool
    global_events: bool
    logging: bool | None
    since: datetime | None
    events: Delivered | None
    failing: bool = False

    @property
    def rank(self) -> tuple[bool, bool, str]:
        """Return what orders trails that deliver the same; the first one stays."""
        return not self.organization, not self.all_regions, self.arn

    def without_feeds(self) -> Trail:
        """Return it as AWS bills it: by what it delivers, whatever that feeds."""
        return self if self.events is None else replace(self, events=replace(self.events, feeds=frozenset()))

    def replaces(self, other: Trail) -> bool:
        """Return whether `other` can go because this one delivers all of its management events."""
        return self._holds(other) and not (other._holds(self) and other.rank < self.rank)

    def _holds(self, other: Trail) -> bool:
        return (
            self.events is not None
            and other.events is not None
            and self.organization >= other.organization
            and self.all_regions >= other.all_regions
            and self.global_events >= other.global_events
            and self.events.holds(other.events)
        )


@dataclass(frozen=True, slots=True)
class Copy:
    """What of a trail is delivered by another; `name` is empty where none does.

    Attributes:
        name: the trail that stays.
        since: since when both log, None where that is not known.
    """

    name: str
    since: datetime | None = None


def copy_of(trail: Trail, region: Sequence[Trail]) -> Copy | None:
    """Return which other trail of the region delivers the same as one that logs, None where that is not known.

    What the organization's management account keeps is not this account's to count on: whether it logs, and what, is
    not shown to a member. Nor is a trail that logs and whose bucket, log group or topic refuses what it delivers.
    """
    if trail.events is not None and trail.events.management == "none":
        return Copy("")
    others = [one for one in region if one.arn != trail.arn and one.logging is not False]
    known = [one for one in others if _counts(one)]
    if trail.events is not None:
        for one in sorted(known, key=lambda other: other.rank):
            if one.replaces(trail):
                return Copy(one.name, _later(one.since, trail.since))
    return None if trail.events is None or len(known) < len(others) else Copy("")


def _counts(trail: Trail) -> bool:
    """Return whether what the trail delivers, and that it arrives, is known."""
    return not trail.foreign and trail.logging is True and trail.events is not None and not trail.failing


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return None if one is None or other is None else max(one, other)
