"""Load balancers of all four types: application, network and gateway (API `elbv2`) and classic (API `elb`).

Loaded by the registry; walked by the discover and measure stages. An id is what CloudWatch knows the load balancer by:
the end of the ARN (`app/shop/50dc6c495c0c9188`), of a classic one its name. Tags take a call per twenty load balancers;
where they cannot be read, the facts say so, and no check judges what may be protected.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, Product, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.elasticloadbalancing.rules.addresses import (
    INTERNAL,
    addresses_of,
    classic_addresses_of,
    further_addresses,
)
from finops_operator.services.elasticloadbalancing.rules.listed import LISTED
from finops_operator.services.elasticloadbalancing.rules.offers import OFFERS
from finops_operator.services.elasticloadbalancing.rules.signs import SIGNS
from finops_operator.services.elasticloadbalancing.rules.targets import PAGE, TargetCounts, TargetReading
from finops_operator.services.elasticloadbalancing.rules.traffic import CAPACITY, CLASSIC, CLASSIC_BYTES, METRICS

_CURRENT: Final = "elbv2:DescribeLoadBalancers"
_CLASSIC: Final = "elb:DescribeLoadBalancers"
_TAGS_PER_CALL: Final = 20
ACTIVE: Final = "active"
IMPAIRED: Final = "active_impaired"
_BEFORE: Final = "provisioning"
_FAILED: Final = "failed"
_SAMPLE_ID: Final = "app/my-load-balancer/50dc6c495c0c9188"
_SAMPLE_ARN: Final = f"arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/{_SAMPLE_ID}"

Tags = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class LoadBalancerFacts:
    """What is known of one load balancer; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        registered_targets: of all its target groups; of a classic one its instances.
        answers_itself: whether a listener or rule redirects or answers without a target; asked where none
            is registered.
        listener_protocols: of a classic one.
        public_addresses: its own public IPv4 addresses, at least; those that are Elastic IPs of the account are counted
            there.
        tags_known: False when its tags could not be read: it may be protected.
        billed_by_use: what AWS bills of it and its cost does not include.
    """

    load_balancer_name: str | None = None
    load_balancer_arn: str | None = None
    load_balancer_type: str | None = None
    scheme: str | None = None
    vpc_id: str | None = None
    dns_name: str | None = None
    balanced_zones: tuple[str, ...] | None = None
    target_groups: int | None = None
    registered_targets: int | None = None
    healthy_targets: int | None = None
    answers_itself: bool | None = None
    listener_protocols: tuple[str, ...] | None = None
    public_addresses: int | None = None
    tags_known: bool | None = None
    billed_by_use: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the load balancers of both APIs page by page; a page that cannot be read ends the listing with a Gap."""
    targets = TargetReading(reader)
    seen = False
    try:
        for page in reader.pages(_CURRENT, {"PageSize": PAGE}):
            seen = True
            yield from _current(page.get("LoadBalancers", ()), targets, reader)
    except AwsError as error:
        yield gap_of(error, reader)
        if not seen:
            # A list of classic ones alone would take the others for gone; nothing at all keeps what was known.
            return
    yield from targets.gaps()
    try:
        for page in reader.pages(_CLASSIC, {"PageSize": PAGE}):
            yield from _classic(page.get("LoadBalancerDescriptions", ()), reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _current(
    described: Sequence[Mapping[str, Any]], targets: TargetReading, reader: PageReader
) -> Iterator[Resource | Gap]:
    arns = [str(one["LoadBalancerArn"]) for one in described]
    tags = yield from _tags("elbv2:DescribeTags", "ResourceArns", "ResourceArn", arns, reader)
    for arn, one in zip(arns, described, strict=True):
        kind = str(one.get("Type") or "")
        facts = LoadBalancerFacts(
            load_balancer_name=one.get("LoadBalancerName"),
            load_balancer_arn=arn,
            load_balancer_type=kind,
            scheme=one.get("Scheme"),
            vpc_id=one.get("VpcId"),
            dns_name=one.get("DNSName"),
            balanced_zones=tuple(str(zone.get("ZoneName") or "") for zone in one.get("AvailabilityZones") or ()),
            tags_known=arn in tags,
            public_addresses=addresses_of(one),
            billed_by_use=further_addresses(kind, addresses_of(one)),
            **asdict(targets.behind(arn)),
        )
        state = str((one.get("State") or {}).get("Code") or "")
        yield _resource(arn.partition(":loadbalancer/")[2], state, one, facts, tags.get(arn, {}), reader)


def _classic(described: Sequence[Mapping[str, Any]], reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    names = [str(one["LoadBalancerName"]) for one in described]
    tags = yield from _tags("elb:DescribeTags", "LoadBalancerNames", "LoadBalancerName", names, reader)
    for name, one in zip(names, described, strict=True):
        listeners = [listener.get("Listener") or {} for listener in one.get("ListenerDescriptions") or ()]
        facts = LoadBalancerFacts(
            load_balancer_name=name,
            load_balancer_arn=f"arn:{partition}:elasticloadbalancing:{reader.region}:{reader.account}:loadbalancer/{name}",
            load_balancer_type=CLASSIC,
            scheme=one.get("Scheme"),
            vpc_id=one.get("VPCId"),
            dns_name=one.get("DNSName"),
            balanced_zones=tuple(one.get("AvailabilityZones") or ()),
            listener_protocols=tuple(sorted({str(listener.get("Protocol") or "").upper() for listener in listeners})),
            tags_known=name in tags,
            public_addresses=classic_addresses_of(one),
            billed_by_use=further_addresses(CLASSIC, classic_addresses_of(one)),
            **asdict(TargetCounts(registered_targets=len(one.get("Instances") or ()))),
        )
        # A classic load balancer has no state: it works while it exists.
        yield _resource(name, ACTIVE, one, facts, tags.get(name, {}), reader)


def _resource(
    identity: str,
    state: str,
    described: Mapping[str, Any],
    facts: LoadBalancerFacts,
    tags: Mapping[str, str],
    reader: PageReader,
) -> Resource:
    return Resource(
        kind="load-balancer",
        id=identity,
        arn=facts.load_balancer_arn or "",
        name=facts.load_balancer_name or "",
        account=reader.account,
        region=reader.region,
        state=state,
        tags=tags,
        created=parse_time(described.get("CreatedTime")),
        attributes=attributes_of(facts),
    )


def _tags(
    operation: str, asked: str, answered: str, names: Sequence[str], reader: PageReader
) -> Generator[Gap, None, Tags]:
    """Yield a Gap when tags cannot be read; return those that were, by name, empty where there are none."""
    found: Tags = {}
    for start in range(0, len(names), _TAGS_PER_CALL):
        try:
            answer = reader.once(operation, {asked: list(names[start : start + _TAGS_PER_CALL])})
        except AwsError as error:
            yield gap_of(error, reader)
            break
        found |= {str(one.get(answered) or ""): tags_of(one) for one in answer.get("TagDescriptions", ())}
    return found


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(balancer: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its type, which AWS bills from the first minute until it is deleted, addresses and use.

    Capacity units, of a classic one gigabytes, are those of the last 30 days. Public addresses are those that AWS's
    listing proves; the fact `billed_by_use` says where there may be more. One that failed to start never ran.
    https://aws.amazon.com/elasticloadbalancing/pricing/, of addresses https://aws.amazon.com/vpc/pricing/
    """
    if balancer.state == _FAILED:
        return ()
    if balancer.state not in _BILLED:
        return billed_as_unknown("hour", balancer.state)
    kind = balancer.text("load_balancer_type")
    if not kind:
        return (BilledPart("hour", Decimal(1), None, "its type is not known"),)
    standing = (BilledPart("hour", Decimal(1), _hour(balancer.region, kind)), *_addresses(balancer))
    if balancer.state == _BEFORE:
        return standing  # It takes no traffic yet.
    return (*standing, _use(balancer.region, kind))


def _addresses(balancer: Resource) -> Iterator[BilledPart]:
    addresses = balancer.number("public_addresses")
    if addresses is None and balancer.text("scheme") == INTERNAL:
        # One that a scanner pushed need not say how many none is.
        return
    if addresses is None:
        yield BilledPart("public_ipv4_hour", Decimal(0), None, "how many public addresses it has is not known")
    elif addresses:
        yield BilledPart("public_ipv4_hour", Decimal(addresses), PriceQuery("vpc", balancer.region, "public_ipv4_hour"))


def _use(region: str, kind: str) -> BilledPart:
    if kind == CLASSIC:
        return BilledPart("gb", 1 / GIB, PriceQuery("elb", region, "gb", (("type", kind),)), metric=CLASSIC_BYTES)
    if kind not in CAPACITY:
        return BilledPart("lcu_hour", Decimal(0), None, f"what the type {kind} is billed by use is not known")
    query = PriceQuery("elb", region, "lcu_hour", (("type", kind),))
    return BilledPart("lcu_hour", Decimal(1), query, metric=CAPACITY[kind])


def _hour(region: str, kind: str) -> PriceQuery:
    return PriceQuery("elb", region, "hour", (("type", kind),))


def _price_queries(region: str, kind: str, _options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (_hour(region, kind),)


_BILLED: Final = frozenset({_BEFORE, ACTIVE, IMPAIRED})
_PAGE_OF_CURRENT: Final = console_page("ec2/home?region={region}#LoadBalancer:loadBalancerArn={arn}")
_PAGE_OF_CLASSIC: Final = console_page("ec2/home?region={region}#LoadBalancer:loadBalancerArn={id}")


def _console_url(resource: Resource) -> str:
    """Return the link; the console finds a classic load balancer by its name."""
    return _PAGE_OF_CLASSIC(resource) if "/" not in resource.id else _PAGE_OF_CURRENT(resource)


_ARN: Final = "arn:aws:elasticloadbalancing:us-east-1:111111111111"
_NO_GROUP: Final = f"{_ARN}:targetgroup/my-targets/73e2d6bc24d8a067"
_NO_LISTENER: Final = f"{_ARN}:listener/{_SAMPLE_ID}/f2f7dc8efc522ab2"
"""Things that do not exist, to ask whether a call is allowed: AWS judges that before it searches for them."""
_CALLS: Final = {
    f"elasticloadbalancing:{name}": f"elbv2:{name}"
    for name in (
        "DescribeLoadBalancers",
        "DescribeTags",
        "DescribeTargetGroups",
        "DescribeTargetHealth",
        "DescribeListeners",
        "DescribeRules",
    )
}
"""IAM has one name for the service, the SDK has a client for each generation; both need the same permissions."""


def _arn_like(known: str) -> str:
    return f"{_ARN}:loadbalancer/{known if '/' in known else _SAMPLE_ID}"


KIND: Final = ResourceKind(
    id="load-balancer",
    title="Load balancer",
    service="elasticloadbalancing",
    id_pattern=r"(?:(?:app|net|gwy)/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}|[A-Za-z0-9-]{1,32})",
    arn_pattern="arn:*:elasticloadbalancing:*:*:loadbalancer/*",
    facts=LoadBalancerFacts,
    listing=Listing(
        permissions=(*_CALLS, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={
            "elasticloadbalancing:DescribeTags": lambda known: {"ResourceArns": [_arn_like(known)]},
            "elasticloadbalancing:DescribeListeners": lambda known: {"LoadBalancerArn": _arn_like(known)},
            "elasticloadbalancing:DescribeTargetHealth": lambda _: {"TargetGroupArn": _NO_GROUP},
            "elasticloadbalancing:DescribeRules": lambda _: {"ListenerArn": _NO_LISTENER},
        },
        calls=_CALLS,
    ),
    billed_as=BilledAs("Elastic Load Balancing", "Networking", "Application Networking"),
    states=States(running=frozenset({ACTIVE, IMPAIRED}), billed=_BILLED, free=frozenset({_FAILED})),
    metrics=METRICS,
    billed_parts=billed_parts,
    console_url=_console_url,
    sample=Sample(_SAMPLE_ID, _SAMPLE_ARN),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("load_balancer_type"),
    products=(
        Product(
            option="--load-balancer-type",
            metavar="TYPE",
            description="application, network, gateway or classic.",
            queries=_price_queries,
            sample="application",
        ),
    ),
    commitments=NONE_SOLD,
    offers=OFFERS,
    listed=LISTED,
)
