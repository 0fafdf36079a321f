"""Trails of CloudTrail: DescribeTrails, what each delivers, and whether another one delivers the same.

Loaded by the registry; walked by the discover stage. A trail is listed in its home region; its shadows in the others,
and an organization's trail in the member accounts, are read only to find which events are delivered twice. The first
copy of management events is free in each region, a further one costs 2.00 USD for 100,000 events, data events 0.10 USD
(https://aws.amazon.com/cloudtrail/pricing/ ). CloudTrail publishes no metric of how many a trail delivers, so that what
AWS bills of it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
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
from finops_operator.services.cloudtrail.rules.copies import Trail, copy_of
from finops_operator.services.cloudtrail.rules.selected import ALL, Delivered, delivered

_LIST: Final = "cloudtrail:DescribeTrails"
_STATUS: Final = "cloudtrail:GetTrailStatus"
_SELECTORS: Final = "cloudtrail:GetEventSelectors"
_GONE: Final = frozenset({"TrailNotFoundException"})
"""Of a trail that was deleted meanwhile, or of a shadow, whose home region alone says what it selects."""
LOGGING: Final = "logging"
STOPPED: Final = "stopped"
_UNKNOWN: Final = ""
_FEEDS: Final = ("CloudWatchLogsLogGroupArn", "SnsTopicARN")
"""Where a trail delivers besides its bucket: metric filters, alarms and subscribers hang on these."""
_FAILURES: Final = ("LatestDeliveryError", "LatestCloudWatchLogsDeliveryError", "LatestNotificationError")
_STATES: Final[Mapping[bool | None, str]] = {True: LOGGING, False: STOPPED, None: _UNKNOWN}


@dataclass(frozen=True, slots=True)
class TrailFacts:
    """What is known of one trail; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        all_regions: whether it delivers the events of every region.
        organization: whether it delivers those of all accounts of the organization.
        management_events: `all`, `read`, `write`, `some` (some services are left out, or fields pick them) or `none`.
        other_events: whether it delivers data events, network events or insights too.
        logging_since: ISO time.
        same_events_in: name of another trail of the account that delivers all of its management events in its home
            region, to the log group and topic that it feeds as well; empty where none does.
        same_events_since: ISO time since which both log.
        second_copy: whether another one delivers all of its management events, whatever each of the two feeds.
        tags_known: False when its tags could not be read: it may be protected.
    """

    all_regions: bool | None = None
    organization: bool | None = None
    management_events: str | None = None
    other_events: bool | None = None
    logging_since: str | None = None
    same_events_in: str | None = None
    same_events_since: str | None = None
    second_copy: bool | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the trails that are at home in the region; a listing that cannot be read is a Gap."""
    del partition
    try:
        listed: list[Mapping[str, Any]] = list(reader.once(_LIST, {"includeShadowTrails": True}).get("trailList", ()))
    except AwsError as error:
        yield gap_of(error, reader)
        return
    at_home = [one for one in listed if _is_at_home(one, reader)]
    if not at_home:
        return
    tags = yield from tags_by_arn(reader, "cloudtrail:trail")
    asking = OneByOne(reader, gone=_GONE)
    trails = {str(one["TrailARN"]): _trail(one, asking, reader) for one in listed}
    for one in at_home:
        yield _resource(one, trails[str(one["TrailARN"])], tuple(trails.values()), tags, reader)
    yield from asking.gaps


def _is_at_home(described: Mapping[str, Any], reader: PageReader) -> bool:
    return described.get("HomeRegion") == reader.region and not _is_foreign(described, reader)


def _is_foreign(described: Mapping[str, Any], reader: PageReader) -> bool:
    return str(described["TrailARN"]).split(":")[4] != reader.account


def _trail(described: Mapping[str, Any], asking: OneByOne, reader: PageReader) -> Trail:
    """Return one trail as this region shows it; what another account keeps is not asked about."""
    arn, foreign = str(described["TrailARN"]), _is_foreign(described, reader)
    status = {} if foreign else asking.answer(_STATUS, {"Name": arn}) or {}
    return Trail(
        arn=arn,
        name=str(described["Name"]),
        foreign=foreign,
        organization=bool(described.get("IsOrganizationTrail")),
        all_regions=bool(described.get("IsMultiRegionTrail")),
        global_events=bool(described.get("IncludeGlobalServiceEvents")),
        logging=status.get("IsLogging"),
        since=moment_of(status.get("StartLoggingTime")),
        events=None if foreign else _events(described, arn, asking),
        failing=any(status.get(one) for one in _FAILURES),
    )


def _events(described: Mapping[str, Any], arn: str, asking: OneByOne) -> Delivered | None:
    """Return what a trail delivers; one without selectors of its own is not asked for them."""
    feeds = frozenset(str(described[one]) for one in _FEEDS if described.get(one))
    if described.get("HasCustomEventSelectors") is False:
        return replace(ALL, feeds=feeds)
    answer = asking.answer(_SELECTORS, {"TrailName": arn})
    return None if answer is None else replace(delivered(answer), feeds=feeds)


def _resource(
    described: Mapping[str, Any], trail: Trail, region: tuple[Trail, ...], tags: Tags | None, reader: PageReader
) -> Resource:
    copy, events = copy_of(trail, region), trail.events
    billed_again = copy_of(trail.without_feeds(), [one.without_feeds() for one in region])
    facts = TrailFacts(
        all_regions=trail.all_regions,
        organization=trail.organization,
        management_events=None if events is None else events.management,
        other_events=bool(described.get("HasInsightSelectors")) or (None if events is None else events.other_events),
        logging_since=None if trail.since is None else trail.since.isoformat(),
        same_events_in=None if copy is None else copy.name,
        same_events_since=None if copy is None or copy.since is None else copy.since.isoformat(),
        second_copy=None if billed_again is None else billed_again.name != "",
        tags_known=tags is not None,
    )
    return Resource(
        kind="cloudtrail-trail",
        id=trail.name,
        arn=trail.arn,
        name=trail.name,
        account=reader.account,
        region=reader.region,
        state=_STATES[trail.logging],
        tags={} if tags is None else tags.get(trail.arn) or {},
        attributes=attributes_of(facts),
    )


def billed_parts(trail: Resource) -> tuple[BilledPart, ...]:
    """Return what of its events AWS bills, each without a number; only a first copy of management events is free."""
    if trail.state == STOPPED:
        return ()
    facts, parts = facts_of(TrailFacts, trail), []
    # Of two that feed different targets neither can go, and yet AWS bills the events of one of them.
    if facts.same_events_in != "" or facts.second_copy is not False:
        reason = "whether another trail delivers the same is not known"
        if facts.same_events_in or facts.second_copy:
            reason = "AWS does not publish how many events a trail delivers"
        parts.append(BilledPart("management_event_copy", Decimal(0), None, reason))
    if facts.other_events is not False:
        reason = "AWS does not publish how many data events, network events and insights a trail delivers"
        parts.append(BilledPart("data_event", Decimal(0), None, reason))
    return tuple(parts)


KIND: Final = ResourceKind(
    id="cloudtrail-trail",
    title="CloudTrail trail",
    service="cloudtrail",
    id_pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]",
    arn_pattern="arn:*:cloudtrail:*:*:trail/*",
    # The trail of an organization is its management account's.
    shared_arns=True,
    facts=TrailFacts,
    listing=Listing(
        permissions=(_LIST, _STATUS, _SELECTORS, PERMISSION),
        collect=_collect,
        probes={_STATUS: lambda known: {"Name": known}, _SELECTORS: lambda known: {"TrailName": known}},
        calls=CALLS,
    ),
    billed_as=BilledAs("AWS CloudTrail", "Management and Governance", "Compliance"),
    states=States(
        running=frozenset({LOGGING}),
        stopped=frozenset({STOPPED}),
        billed=frozenset({LOGGING, _UNKNOWN}),
        free=frozenset({STOPPED}),
    ),
    billed_parts=billed_parts,
    left_out=(),
    console_url=console_page("cloudtrailv2/home?region={region}#/trails/{arn}"),
    sample=Sample("audit", "arn:aws:cloudtrail:us-east-1:111111111111:trail/audit"),
    owner=owned_by(),
    commitments=NONE_SOLD,
)
