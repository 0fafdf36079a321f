"""Whether CloudWatch proves that no running instance had a volume, and whether a snapshot would cost less. Pure.

A volume publishes metrics only while it is attached to a running instance. So the proof is that CloudWatch was asked
about all of the time and holds nothing (`NotPublished`). A query that failed, or reached less far back, proves nothing.
Shared by the checks of volumes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Facts
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.plugins.window import too_young
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.volume import VolumeFacts

_NOT_PUBLISHED: Final = "NotPublished"
_ALIGNMENT: Final = timedelta(hours=1)
"""Windows start on whole periods of an hour, so they may begin this much late."""


def used_by_an_instance(facts: Facts[VolumeFacts], names: Iterable[str], days: Decimal) -> str:
    """Return why it is not proved that no running instance had it for so many days, empty when it is."""
    young = too_young(facts, days)
    if young:
        return young
    since = facts.now - timedelta(days=float(days))
    for name in names:
        asked = facts.utilization.asked_from.get(name)
        reason = _published(facts, name, f"within the last {days} days")
        if reason:
            return reason
        if asked is None or asked > since + _ALIGNMENT:
            return f"its metrics were not read for all of {days} days"
    return ""


def used_lately(facts: Facts[VolumeFacts], names: Iterable[str]) -> str:
    """Return why it is not proved that no running instance had it in the hours that were read, empty when it is."""
    return next((reason for name in names if (reason := _published(facts, name, "lately"))), "")


def _published(facts: Facts[VolumeFacts], name: str, when: str) -> str:
    utilization = facts.utilization
    if name in utilization.metrics or name in utilization.fine:
        return f"a running instance used it {when}"
    if utilization.unknown.get(name) != _NOT_PUBLISHED:
        why = utilization.unknown.get(name, "not measured")
        return f"{metric_words(name)} is unknown ({why}), so its use is not known"
    return ""


def unused_since(facts: Facts[VolumeFacts], names: Iterable[str]) -> datetime:
    """Return from when on nothing was published, after `used_by_an_instance` said nothing."""
    return max(facts.utilization.asked_from[name] for name in names)


def dearer_than_snapshot(facts: Facts[VolumeFacts]) -> str:
    """Return why a snapshot would save nothing, empty when it would or nobody knows."""
    remaining, current = snapshot_cost(facts), facts.cost.monthly
    if remaining is not None and current is not None and remaining >= current:
        return "the snapshot taken first could cost as much as the volume"
    return ""
