"""Builders of facts for tests of prices, checks and sizing: real bundled prices and types, made-up measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.price import Cost
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of as own_facts
from finops_operator.plugins.kind import PriceLookup, ResourceKind
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.metrics.summarize import busiest_day
from finops_operator.scan.price import cost_of
from finops_operator.services.ec2 import instance as instance_kind
from finops_operator.services.ec2 import volume as volume_kind

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIVE_MINUTES: Final = 300
HOUR: Final = 3600
MEGABYTE: Final = 1_000_000


def summarize(points: Sequence[float], *, period: int = HOUR, expected: int | None = None) -> MetricSummary:
    """Return the summary of a series by nearest rank, as the metrics stage makes it."""
    ordered = sorted(points)

    def rank(percent: float) -> float:
        return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]

    count = expected if expected is not None else len(points)
    return MetricSummary(
        maximum=ordered[-1],
        p99_5=rank(99.5),
        p99=rank(99),
        p95=rank(95),
        p90=rank(90),
        average=sum(points) / len(points),
        total=sum(points),
        points=len(points),
        expected=count,
        period_seconds=period,
        start=NOW - timedelta(seconds=count * period),
        end=NOW,
        lowest=ordered[0],
        busiest_day=busiest_day(points, period),
        near_maximum=sum(1 for point in ordered if point >= 0.9 * ordered[-1]),
    )


def flat(level: float, *, days: float = 14, period: int = HOUR) -> MetricSummary:
    """Return the summary of a series that never moves."""
    return summarize([level] * int(days * 86400 / period), period=period)


def day_lost(level: float = 0, *, days: int = 30, period: int = HOUR) -> MetricSummary:
    """Return a level that never moves, of which one day is not known: of a month, less than the default coverage."""
    points = days * 86400 // period
    return summarize([level] * (points - 86400 // period), period=period, expected=points)


def instance(state: str = "running", *, tags: Mapping[str, str] | None = None, **attributes: Json) -> Resource:
    """Return an m5.2xlarge on Linux in us-east-1, changed as given."""
    facts: dict[str, Json] = {
        "instance_type": "m5.2xlarge",
        "usage_operation": "RunInstances",
        "platform_details": "Linux/UNIX",
        "platform": "",
        "tenancy": "default",
        "lifecycle": "",
        "availability_zone": "us-east-1a",
        "architecture": "x86_64",
        "virtualization_type": "hvm",
        "root_device_type": "ebs",
        "boot_mode": "",
        "ena_support": True,
        "network_interface_count": 1,
        "volume_ids": ["vol-0aaaaaaaaaaaaaaaa"],
        "public_ipv4": [],
        "elastic": [],
    }
    return Resource(
        kind="ec2-instance",
        id="i-0123456789abcdef0",
        arn="arn:aws:ec2:us-east-1:111122223333:instance/i-0123456789abcdef0",
        name="app",
        account="111122223333",
        region="us-east-1",
        state=state,
        tags=tags or {},
        created=NOW - timedelta(days=400),
        attributes={**facts, **attributes},
    )


def volume(state: str = "in-use", *, tags: Mapping[str, str] | None = None, **attributes: Json) -> Resource:
    """Return a 100 GiB gp2 volume in us-east-1, changed as given."""
    facts: dict[str, Json] = {"volume_type": "gp2", "size_gb": 100, "iops": 300, "attachments": []}
    return Resource(
        kind="ebs-volume",
        id="vol-0123456789abcdef0",
        arn="arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0",
        name="data",
        account="111122223333",
        region="us-east-1",
        state=state,
        tags=tags or {},
        created=NOW - timedelta(days=400),
        attributes={**facts, **attributes},
    )


def cost(resource: Resource, *, lookup: PriceLookup = SOURCE.lookup, hours: Decimal = Decimal(730)) -> Cost:
    """Return the cost of an instance or a volume at bundled prices."""
    return cost_of(resource, kind_of(resource).billed_parts, lookup, hours)


def kind_of(resource: Resource) -> ResourceKind[Any]:
    """Return the declaration of the resource's kind."""
    kinds: tuple[ResourceKind[Any], ...] = (instance_kind.KIND, volume_kind.KIND)
    return next(kind for kind in kinds if kind.id == resource.kind)


def facts_of(
    resource: Resource,
    utilization: Utilization | None = None,
    *,
    lookup: PriceLookup = SOURCE.lookup,
    sizing: SizingPolicy | None = None,
    offered_types: frozenset[str] | None = None,
    previous_target: str = "",
) -> Facts[Any]:
    """Return everything a check may know, at bundled prices."""
    return Facts(
        resource=resource,
        own=own_facts(kind_of(resource).facts, resource),
        utilization=utilization or Utilization(resource.id),
        cost=cost(resource, lookup=lookup),
        cost_of=lambda changed: cost(changed, lookup=lookup),
        lookup=lookup,
        settings=JudgeSettings(sizing=sizing or SizingPolicy()),
        now=NOW,
        answers={} if offered_types is None else {instance_kind.OFFERED_TYPES: offered_types},
        previous_target=previous_target,
    )


def busy(cpu: MetricSummary, **fine: MetricSummary) -> Utilization:
    """Return a 5-minute picture: the CPU given, little network and disk unless stated otherwise."""
    quiet = flat(1_000_000, days=cpu.days, period=FIVE_MINUTES)
    few = flat(300, days=cpu.days, period=FIVE_MINUTES)
    picture = {
        "cpuPercent": cpu,
        "networkInBytes": quiet,
        "networkOutBytes": quiet,
        "ebsReadOps": few,
        "ebsWriteOps": few,
        "ebsReadBytes": quiet,
        "ebsWriteBytes": quiet,
    }
    return Utilization("i-0123456789abcdef0", metrics={"cpuPercent": cpu}, fine={**picture, **fine})


def in_region(resource: Resource, region: str) -> Resource:
    """Return a copy of the resource in another region."""
    return replace(resource, region=region)
