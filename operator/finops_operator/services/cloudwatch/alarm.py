"""Alarms: DescribeAlarms, their state and what they watch.

Loaded by the registry; walked by the discover stage. A metric alarm is billed by the metrics that it evaluates, an
alarm over alarms as one. The ten alarms that AWS gives to an account free are not taken off, because they are no
single alarm's. The state and the time of its last change are the evidence; an alarm publishes no metric of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.cloudwatch.rules.billing import COMPOSITE, dimension_of, metrics_of, period_of
from finops_operator.services.cloudwatch.rules.watched import PERMISSIONS, existing, watched

_LIST: Final = "cloudwatch:DescribeAlarms"
_PAGE: Final = 100
NO_DATA: Final = "INSUFFICIENT_DATA"
_STATES: Final = frozenset({"OK", "ALARM", NO_DATA})
_MADE_BY_SCALING: Final = "TargetTracking-"
_PARTS: Final = {"MetricAlarms": "metric", "CompositeAlarms": "composite", "LogAlarms": "log"}
_CONSOLE: Final = console_page("cloudwatch/home?region={region}#alarmsV2:alarm/{id}")


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """What is known of one alarm; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        alarm_type: `metric`, `composite` or `log`.
        metrics: how many it evaluates; None where a query or a search finds them.
        alarm_period_seconds: its shortest one.
        state_since: ISO time of the last change of its state.
        watched: id of the machine, disk or NAT gateway that it watches, empty where it watches something else.
        watched_exists: asked only while there is no data.
        made_by_scaling: whether a policy of Auto Scaling made it, and would again.
        tags_known: False when its tags could not be read: it may be protected.
    """

    alarm_type: str | None = None
    metrics: int | None = None
    alarm_period_seconds: int | None = None
    namespace: str | None = None
    state_since: str | None = None
    missing_data: str | None = None
    actions: int | None = None
    watched: str | None = None
    watched_exists: bool | None = None
    made_by_scaling: bool | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield alarms page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = yield from tags_by_arn(reader, "cloudwatch:alarm")
    asking = OneByOne(reader)
    # Without types AWS lists metric alarms alone.
    wanted = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"], "MaxRecords": _PAGE}
    try:
        for page in reader.pages(_LIST, wanted):
            without = [one for one in page.get("MetricAlarms", ()) if _state(one) == NO_DATA]
            exists = existing(asking, without)
            for member, alarm_type in _PARTS.items():
                for alarm in page.get(member, ()):
                    yield _resource(alarm, alarm_type, exists, tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _state(alarm: Mapping[str, Any]) -> str:
    return str(alarm.get("StateValue") or "")


def _resource(
    alarm: Mapping[str, Any], alarm_type: str, exists: Mapping[str, bool], tags: Tags | None, reader: PageReader
) -> Resource:
    name, arn = str(alarm["AlarmName"]), str(alarm["AlarmArn"])
    since = moment_of(alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp"))
    one = watched(alarm)
    identity = "" if one is None else one[1]
    actions = [*(alarm.get("AlarmActions") or ()), *(alarm.get("OKActions") or ())]
    facts = AlarmFacts(
        alarm_type=alarm_type,
        metrics=metrics_of(alarm) if alarm_type == "metric" else None,
        alarm_period_seconds=period_of(alarm),
        namespace=alarm.get("Namespace"),
        state_since=None if since is None else since.isoformat(),
        missing_data=alarm.get("TreatMissingData"),
        actions=len(actions) if alarm.get("ActionsEnabled", True) else 0,
        watched=identity,
        watched_exists=exists.get(identity),
        made_by_scaling=name.startswith(_MADE_BY_SCALING),
        tags_known=tags is not None,
    )
    return Resource(
        kind="cloudwatch-alarm",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=_state(alarm),
        tags={} if tags is None else tags.get(arn) or {},
        attributes=attributes_of(facts),
    )


def billed_parts(alarm: Resource) -> tuple[BilledPart, ...]:
    """Return the metrics that it evaluates. https://aws.amazon.com/cloudwatch/pricing/ ."""
    if alarm.state not in _STATES:
        return billed_as_unknown("alarm_metric", alarm.state)
    facts = facts_of(AlarmFacts, alarm)
    if facts.alarm_type == "composite":
        return (BilledPart(COMPOSITE, Decimal(1), PriceQuery("cloudwatch", alarm.region, COMPOSITE)),)
    dimension = dimension_of(facts.alarm_period_seconds)
    if facts.alarm_type == "log":
        reason = "no price for alarms on logs"
    elif facts.metrics is None:
        reason = "how many metrics it evaluates is not known"
    elif not dimension:
        reason = "its period is not known"
    else:
        return (BilledPart(dimension, Decimal(facts.metrics), PriceQuery("cloudwatch", alarm.region, dimension)),)
    return (BilledPart("alarm_metric", Decimal(0), None, reason),)


def _service(alarm: Resource) -> str | None:
    return "application-autoscaling" if facts_of(AlarmFacts, alarm).made_by_scaling else None


def _console_url(alarm: Resource) -> str:
    """Return the link; a name may hold any character."""
    return _CONSOLE(replace(alarm, id=quote(alarm.id, safe="")))


KIND: Final = ResourceKind(
    id="cloudwatch-alarm",
    title="CloudWatch alarm",
    service="cloudwatch",
    id_pattern=r"[^\x00-\x1f\x7f]{1,255}",
    arn_pattern="arn:*:cloudwatch:*:*:alarm:*",
    facts=AlarmFacts,
    listing=Listing(permissions=(_LIST, *PERMISSIONS, PERMISSION), collect=_collect, calls=CALLS),
    billed_as=BilledAs("Amazon CloudWatch", "Management and Governance", "Observability"),
    states=States(running=_STATES, billed=_STATES),
    billed_parts=billed_parts,
    left_out=(),
    console_url=_console_url,
    sample=Sample("shop-errors", "arn:aws:cloudwatch:us-east-1:111111111111:alarm:shop-errors"),
    owner=owned_by(service=_service),
    type_of=lambda resource: resource.text("alarm_type"),
    commitments=NONE_SOLD,
)
