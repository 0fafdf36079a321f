"""Since when an instance counts as what it is, and the hours of it that are billed. Pure; part of the kind.

LaunchTime is the last start, not the creation: an instance that is stopped every night was launched this morning. Its
root volume is attached once, so that the earlier of both is when it came to be (EC2 API reference, Instance and
EbsInstanceBlockDevice). A type can be changed only while it is stopped, and AWS keeps no trace of that: a type is
known since the start before the first scan that saw it, and what was measured before a change that scans saw does not
count any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.kind import Memory, Pauses

_LAUNCHED: Final = "launched"
_SINCE: Final = "type_since"
_CHANGED: Final = "type_changed"
_SHARE: Final = "billed_share"
_RUNNING: Final = "running"
_FOUR_DIGITS: Final = Decimal("0.0001")


def creation(instance: Mapping[str, Any]) -> datetime | None:
    """Return the earlier of the last start and the attachment of the root volume, from a DescribeInstances item."""
    root = instance.get("RootDeviceName")
    times = [parse_time(instance.get("LaunchTime"))]
    for block in instance.get("BlockDeviceMappings") or ():
        if root and block.get("DeviceName") == root:
            times.append(parse_time((block.get("Ebs") or {}).get("AttachTime")))
    return min((one for one in times if one is not None), default=None)


def type_known_since(instance: Resource) -> datetime | None:
    """Return since when it is known to have the type that it has; None where no start is known after its creation."""
    return parse_time(instance.text(_SINCE))


def _may_have_changed(instance: Resource) -> bool:
    started = _started(instance)
    again = started is not None and instance.created is not None and started > instance.created
    return again or instance.state != _RUNNING


def _carried(now: Resource, before: Resource | None, at: datetime) -> Resource:
    launched = now.text(_LAUNCHED)
    if before is None:
        return _with(now, {_SINCE: launched})
    if before.text("instance_type") != now.text("instance_type"):
        since = launched if now.state == _RUNNING else at.isoformat()
        return _with(now, {_SINCE: since, _CHANGED: since})
    # A record of a version that knew no launches has the launch as its creation.
    known = before.text(_SINCE) or before.text(_LAUNCHED) or ("" if before.created is None else str(before.created))
    changed = before.text(_CHANGED)
    return _with(now, {_SINCE: known, **({_CHANGED: changed} if changed else {})})


def _with(instance: Resource, facts: Mapping[str, Json]) -> Resource:
    return replace(instance, attributes={**instance.attributes, **facts})


def _since(instance: Resource) -> datetime | None:
    return parse_time(instance.text(_CHANGED)) or instance.created


def _started(instance: Resource) -> datetime | None:
    return parse_time(instance.text(_LAUNCHED))


def _billed(instance: Resource, share: float) -> Resource:
    return _with(instance, {_SHARE: str(Decimal(str(share)).quantize(_FOUR_DIGITS))})


def running_share(text: str | None) -> Decimal:
    """Return the share of its hours that an instance ran, 1 for whatever is no share: then a month is whole."""
    try:
        share = Decimal(text or 1)
    except InvalidOperation:
        return Decimal(1)
    # A comparison with NaN raises where it is signalling.
    return share if share.is_finite() and 0 < share <= 1 else Decimal(1)


def share_of_hours(instance: Resource) -> Decimal:
    """Return the share of its hours that an instance is billed; 1 where no stops are known to recur."""
    return running_share(instance.text(_SHARE))


TYPE_SINCE: Final = Memory(applies=_may_have_changed, carry_over=_carried, mark=lambda _: "")
PAUSES: Final = Pauses(metric="cpuPercent", since=_since, started=_started, billed=_billed)
