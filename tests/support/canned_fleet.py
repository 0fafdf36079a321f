"""A fleet of the canned endpoint: pages of instances and volumes rendered at the start, and the series of metrics.

The shapes of the sandbox's synthetic fleet, of which only 240 profiles differ in load, so that a series is computed and
written as JSON once for all instances of a profile. Values are a pure function of profile, metric and time: whatever
period and operation asks for them, they agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

import orjson

from finops_sandbox.aws.fleet import Fleet
from finops_sandbox.aws.metrics import Series, make_series, points
from finops_sandbox.aws.shapes import SLOT_SECONDS
from finops_sandbox.aws.wire import operation_model, write_ec2

PROFILES: Final = 240
PAGE: Final = 1000
REPLACED: Final = PROFILES * 100_000
"""Added to the number of an instance that took the place of another: its id is new, its profile the same."""
_REPLACED_AGE: Final = timedelta(hours=12)
_NETWORK: Final = {"NetworkIn": 1.0, "NetworkOut": 0.8, "NetworkPacketsIn": 1 / 800, "NetworkPacketsOut": 1 / 1000}
_OPERATION_BYTES: Final = 16_384
"""Of an operation on a volume: with fewer, the heavy ones would do ten times what any type carries."""
_EBS: Final = {
    "EBSReadOps": 1 / _OPERATION_BYTES,
    "EBSWriteOps": 1 / _OPERATION_BYTES,
    "EBSReadBytes": 1.0,
    "EBSWriteBytes": 1.0,
}
_VOLUME: Final = {
    "VolumeReadOps": 1.0,
    "VolumeWriteOps": 0.7,
    "VolumeReadBytes": 16_384.0,
    "VolumeWriteBytes": 16_384.0,
}
_IDS: Final = {"AWS/EC2": ("InstanceId", "i-0f1ee7"), "AWS/EBS": ("VolumeId", "vol-0f1ee7")}
_RETENTION: Final = ((455, 0), (63, 3600), (15, 300), (0, 60))
"""Older than so many days → the smallest period, in seconds, of which points are kept; 0: none."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The points of one series: seconds since the epoch, values, and both as members of a JSON object."""

    times: tuple[int, ...]
    values: tuple[float, ...]
    json: bytes


_NOTHING: Final = Rendered((), (), b'"Timestamps":[],"Values":[]')


@dataclass
class CannedFleet:
    """`size` running instances of one account and region with a volume each.

    Attributes:
        launched: since when they are there.
        now: when the last points are.
        replaced_percent: so many in a hundred were replaced by new ones half a day before `now`.
    """

    account: str
    region: str
    size: int
    launched: datetime
    now: datetime
    replaced_percent: int = 0
    _series: dict[tuple[str, str, str, int, int, int, int, bool], Rendered] = field(default_factory=dict)

    def changed(self, size: int, now: datetime, replaced_percent: int) -> CannedFleet:
        """Return another fleet of the same age; at the same moment its series are those that were made for this one."""
        other = replace(self, size=size, now=now, replaced_percent=replaced_percent)
        if (now, replaced_percent) != (self.now, self.replaced_percent):
            other._series = {}
        return other

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The number of each instance, in the order of the listing."""
        return tuple(
            number + REPLACED if number % 100 < self.replaced_percent else number for number in range(self.size)
        )

    @cached_property
    def _long_there(self) -> Fleet:
        return Fleet(self.account, self.region, self.size, self.size, self.launched)

    @cached_property
    def _new(self) -> Fleet:
        count = REPLACED + self.size
        return Fleet(self.account, self.region, count, count, (self.now - _REPLACED_AGE).replace(microsecond=0))

    def _of(self, number: int) -> Fleet:
        return self._new if number >= REPLACED else self._long_there

    # -- pages -------------------------------------------------------------------------------------------------------

    def instances(self, numbers: tuple[int, ...]) -> list[dict[str, Any]]:
        """Return reservations of one instance each."""
        found = [self._of(number).instances(number, 1, ())[0] for number in numbers]
        return [
            {
                "ReservationId": f"r-{one['InstanceId'].removeprefix('i-')}",
                "OwnerId": self.account,
                "Groups": [],
                "Instances": [one],
            }
            for one in found
        ]

    @cached_property
    def instance_pages(self) -> tuple[bytes, ...]:
        """The inner part of each page of DescribeInstances."""
        pages = (self.numbers[start : start + PAGE] for start in range(0, self.size, PAGE))
        return tuple(inner("DescribeInstances", "Reservations", self.instances(page)) for page in pages)

    @cached_property
    def volume_pages(self) -> tuple[bytes, ...]:
        """The inner part of each page of DescribeVolumes."""
        found = [self._of(number).volumes(number, 1, ())[0] for number in self.numbers]
        return tuple(
            inner("DescribeVolumes", "Volumes", found[start : start + PAGE]) for start in range(0, self.size, PAGE)
        )

    def pages(self, action: str) -> tuple[bytes, ...]:
        """Return the pages of one of the two operations that list the fleet."""
        return self.instance_pages if action == "DescribeInstances" else self.volume_pages

    def number(self, namespace: str, resource_id: str) -> int | None:
        """Return which instance or volume an id belongs to, None where it belongs to no one."""
        prefix = _IDS[namespace][1]
        try:
            number = int(resource_id.removeprefix(prefix), 16) if resource_id.startswith(prefix) else -1
        except ValueError:
            return None
        place = number - REPLACED if number >= REPLACED else number
        replaced = 0 <= place < self.size and place % 100 < self.replaced_percent
        return number if 0 <= place < self.size and replaced == (number >= REPLACED) else None

    # -- series ------------------------------------------------------------------------------------------------------

    def rendered(
        self, namespace: str, metric: str, dimensions: tuple[tuple[str, str], ...], question: tuple[str, int, int, int]
    ) -> Rendered:
        """Return the points of exactly these dimensions; an unknown metric has none.

        `question` is statistic, period, start and end, all but the first in seconds.
        """
        if len(dimensions) != 1 or namespace not in _IDS or dimensions[0][0] != _IDS[namespace][0]:
            return _NOTHING
        number = self.number(namespace, dimensions[0][1])
        if number is None:
            return _NOTHING
        statistic, period, start, end = question
        key = (namespace, metric, statistic, period, start, end, number % PROFILES, number >= REPLACED)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = self._computed(namespace, metric, question, number)
        return found

    def _computed(self, namespace: str, metric: str, question: tuple[str, int, int, int], number: int) -> Rendered:
        statistic, period, start, end = question
        series = self._made(namespace, metric, number)
        now = int(self.now.timestamp())
        age = (now - start) / 86_400
        kept = next(smallest for days, smallest in _RETENTION if age > days or not days)
        if series is None or not kept or period < kept or period % kept:
            return _NOTHING
        times, values = _points(series, statistic, period, start, min(end, now))
        stamps, numbers = orjson.dumps(list(times)), orjson.dumps(list(values))
        return Rendered(tuple(times), tuple(values), b'"Timestamps":%s,"Values":%s' % (stamps, numbers))

    def _made(self, namespace: str, metric: str, number: int) -> Series | None:
        fleet = self._of(number)
        member = fleet.member(f"i-0f1ee7{number:011x}")
        if member is None:
            return None
        shape, factor = _shape(namespace, metric, member.cpu, member.network, member.instance_type)
        if not shape:
            return None
        active = (
            int(fleet.launched.timestamp()) // SLOT_SECONDS + 1,
            int(self.now.timestamp()) // SLOT_SECONDS,
        )
        return make_series(f"{number % PROFILES}/{metric}", shape, (active,), factor=factor)


def _shape(namespace: str, metric: str, cpu: str, network: str, instance_type: str) -> tuple[str, float]:
    """Return the shape of a metric's load and a factor, no shape where there is no such metric."""
    if namespace == "AWS/EBS":
        return ("idle_time_busy", 1.0) if metric == "VolumeIdleTime" else ("ops_busy", _VOLUME.get(metric, 0.0))
    if metric in _NETWORK:
        return network, _NETWORK[metric]
    if metric in _EBS:
        return network, _EBS[metric]
    credits_ = "credits_full" if cpu in {"idle", "low"} else "credits_draining"
    bursting = {"CPUCreditBalance": credits_, "CPUSurplusCreditsCharged": "zero"}
    known = {"CPUUtilization": cpu, "StatusCheckFailed": "zero"} | (bursting if instance_type[0] == "t" else {})
    return known.get(metric, ""), 1.0


def _points(series: Series, statistic: str, period: int, start: int, end: int) -> tuple[tuple[int, ...], list[float]]:
    """Return points; of a period that divides no day one each from `start` on, as GetMetricStatistics has them."""
    if 86_400 % period == 0:
        return points(series, statistic, period, start, end)
    first = start // SLOT_SECONDS * SLOT_SECONDS
    times, values = [], []
    for moment in range(first, end, period):
        _, parts = points(series, statistic, SLOT_SECONDS, moment, min(moment + period, end))
        if parts:
            joined = {"Maximum": max, "Minimum": min}.get(statistic, sum)(parts)
            times.append(moment)
            values.append(joined / len(parts) if statistic == "Average" else joined)
    return tuple(times), values


def inner(action: str, member: str, items: list[dict[str, Any]]) -> bytes:
    """Return the elements of a list of EC2 as they stand between its tags."""
    operation = operation_model("ec2", action)
    tag = operation.output_shape.members[member].serialization["name"]
    body = write_ec2(operation, {member: items}).body
    return body.partition(f"<{tag}>".encode())[2].rpartition(f"</{tag}>".encode())[0]
