"""Reads a ScanReport (`finops scan -o json`) back: resources with utilization and cost, and advice.

For `finops policy test --report`. A report holds fewer figures than the store: statistics that it lacks are unknown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from finops.domain.price import Attributed, Cost, GroupOf, cost_of_group
from finops.domain.recommendation import ActionType, Effort, Recommendation, ResourceRef, Status
from finops.domain.resource import Resource, Shard
from finops.domain.utilization import MetricSummary, Utilization
from finops.errors import InvalidInput
from finops_operator.plugins.kind import Members
from finops_operator.plugins.loaded import load_kinds
from finops_operator.scan.trial import Observed

_HOUR_SECONDS: Final = 3600
_NOT_THERE: Final = Cost(None, None, missing=("it is not in the report",))
_LARGEST: Final = 512 * 1024 * 1024
"""Bytes; a report of 100,000 resources has about half of it."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """What a report says.

    Attributes:
        policy: NAMESPACE/NAME of the policy that was scanned.
        completed: when the scan ended.
    """

    policy: str
    completed: datetime
    resources: tuple[Observed, ...]
    recommendations: tuple[Recommendation, ...]


def read_report(path: str) -> ReportFile:
    """Read a report.

    Raises:
        InvalidInput: the file cannot be read or is no ScanReport.
    """
    try:
        if Path(path).stat().st_size > _LARGEST:
            raise _refused(path, f"is larger than {_LARGEST // 1024 // 1024} MiB")
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _refused(path, f"is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("kind") != "ScanReport":
        raise _refused(path, "is no ScanReport")
    try:
        return ReportFile(
            str(document["policy"]),
            datetime.fromisoformat(document["completionTime"]),
            _attributed([_observed(one) for one in document["resources"]]),
            tuple(_recommendation(one, document["policy"]) for one in document["recommendations"]),
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise _refused(path, f"is no ScanReport of this release: {type(error).__name__}: {error}") from error


def _refused(path: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, field="--report", source=path, hint="write one with `finops scan -o json > FILE`")


def _observed(record: Mapping[str, Any]) -> Observed:
    resource = Resource(
        **{name: str(record[name]) for name in ("kind", "id", "arn", "name", "account", "region", "state")},
        tags={str(key): str(value) for key, value in record["tags"].items()},
        created=_time(record["created"]),
        attributes=dict(record["attributes"]),
    )
    measured = {name: _summary(one) for name, one in record["utilization"].items()}
    unknown = {str(name): str(why) for name, why in record["unknownUtilization"].items()}
    cost = Cost(_money(record["monthlyCost"]), _money(record["hourlyCost"]), (), tuple(record["priceMissing"]))
    return Observed(resource, Utilization(resource.id, measured, unknown), cost)


def _attributed(observed: Iterable[Observed]) -> tuple[Observed, ...]:
    """Return resources, each group with the costs that the same report gives its members."""
    known = {(one.resource.shard, one.resource.id): one for one in observed}
    return tuple(replace(one, cost=_cost_in(one, known)) for one in known.values())


def _cost_in(one: Observed, known: Mapping[tuple[Shard, str], Observed]) -> Cost:
    members = _members_of(one.resource)
    if members is None:
        return one.cost
    group = GroupOf(members.kind, members.of(one.resource), members.through)
    named = group.ids
    if group.through and named is not None:
        behind = [known.get((replace(one.resource.shard, kind=group.through), name)) for name in named]
        theirs = [None if each is None else _ids_of(each.resource) for each in behind]
        named = None if None in theirs else tuple(dict.fromkeys(name for ids in theirs for name in ids or ()))
    if named is None:
        return _with_members(one, members, group, Attributed())
    costs = [known.get((replace(one.resource.shard, kind=group.kind), name)) for name in named]
    priced = (_NOT_THERE if each is None else each.cost for each in costs)
    return _with_members(one, members, group, Attributed(tuple(zip(named, priced, strict=True))))


def _with_members(one: Observed, members: Members, group: GroupOf, found: Attributed) -> Cost:
    if members.billed_itself:
        return replace(one.cost, group=group, attributed=found)
    return cost_of_group(group, found)


def _members_of(resource: Resource) -> Members | None:
    kind = load_kinds().get(resource.kind)
    return None if kind is None else kind.members


def _ids_of(group: Resource) -> tuple[str, ...] | None:
    members = _members_of(group)
    return None if members is None else members.of(group)


def _summary(record: Mapping[str, Any]) -> MetricSummary:
    """Return a summary whose figures that no report holds are NaN, which conditions read as unknown."""
    start, end = datetime.fromisoformat(record["start"]), datetime.fromisoformat(record["end"])
    period, total = int(record["periodSeconds"]), record["total"]
    expected = round((end - start).total_seconds() / period)
    return MetricSummary(
        maximum=float(record["maximum"]),
        # A scan asks conditions about hourly maxima, of which this statistic alone differs.
        p99_5=math.nan if period < _HOUR_SECONDS else float(record["p99_5"]),
        p99=math.nan,
        p95=math.nan,
        p90=math.nan,
        average=float(record["average"]),
        total=None if total is None else float(total),
        points=round(expected * float(record["coverage"]) / 100),
        expected=expected,
        period_seconds=period,
        start=start,
        end=end,
        lowest=math.nan,
    )


def _recommendation(record: Mapping[str, Any], policy: str) -> Recommendation:
    ref = record["resource"]
    return Recommendation(
        id=str(record["id"]),
        policy=policy,
        check=str(record["check"]),
        action=str(record["action"] or ""),
        action_type=ActionType.REVIEW,  # a report does not say it
        destructive=bool(record["destructive"]),
        resource=ResourceRef(*(str(ref[name]) for name in ("kind", "id", "arn", "account", "region"))),
        parameters=record["parameters"],
        current_monthly_cost=_money(record["currentMonthlyCost"]),
        new_monthly_cost=_money(record["newMonthlyCost"]),
        monthly_savings=_money(record["monthlySavings"]),
        price_source="",
        price_as_of="",
        effort=Effort(record["effort"]),
        restart_needed=bool(record["restartNeeded"]),
        rollback_possible=bool(record["rollbackPossible"]),
        evidence=record["evidence"],
        summary=str(record["summary"]),
        group=str(record["group"]),
        counted=bool(record["counted"]),
        status=Status(record["status"]),
        lasts_days=int(record.get("lastsDays") or 0),
        # A report of an older release has none of the three.
        list_monthly_savings=_money(record.get("listMonthlySavings")),
        net_monthly_savings=_money(record.get("netMonthlySavings")),
        net_note=str(record.get("netNote") or ""),
        saving_unknown=str(record.get("savingUnknown") or ""),
    )


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
