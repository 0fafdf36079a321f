"""Endpoints: ListEndpoints, the instances behind each variant, and the requests that reach it.

Loaded by the registry; walked by the discover and measure stages. SageMaker has prices in AWS's price list alone:
without it the cost is unknown. Which machines stand behind a variant is said by the endpoint's configuration, a call of
its own; an endpoint without machines of its own is billed by use alone. Requests are published by
variant, and only while there are any, so that a missing point is none; one with several variants is not measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.sagemaker.rules.offers import HOSTED, hour_query
from finops_operator.services.sagemaker.rules.signs import SIGNS

_LIST: Final = "sagemaker:ListEndpoints"
_DESCRIBE: Final = "sagemaker:DescribeEndpoint"
_CONFIGURATION: Final = "sagemaker:DescribeEndpointConfig"
_PAGE: Final = 100
_GONE: Final = "Deleting"
IN_SERVICE: Final = "inservice"
_WORKING: Final = frozenset({IN_SERVICE, "updating", "systemupdating", "rollingback", "updaterollbackfailed"})
_UNBILLED: Final = frozenset({"creating", "deleting", "failed"})
REQUESTS: Final = "invocations"
_VARIANTS: Final = ("ProductionVariants", "ShadowProductionVariants")


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """What is known of one endpoint; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        variants: names of the models' variants that share its requests.
        instances: machines of all variants together; 0 for one that is serverless.
        instance_types, instances_of_types: of each variant, shadows among them; empty type: not known.
        asynchronous: whether it takes requests from a queue.
        tags_known: False when its tags could not be read: it may be protected.
    """

    variants: tuple[str, ...] | None = None
    instances: int | None = None
    instance_types: tuple[str, ...] | None = None
    instances_of_types: tuple[int, ...] | None = None
    serverless: bool | None = None
    asynchronous: bool | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield endpoints page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = yield from tags_by_arn(reader, "sagemaker:endpoint")
    asking = OneByOne(reader)
    try:
        for page in reader.pages(_LIST, {"MaxResults": _PAGE}):
            for endpoint in page.get("Endpoints", ()):
                if endpoint.get("EndpointStatus") != _GONE:
                    described = asking.answer(_DESCRIBE, {"EndpointName": str(endpoint["EndpointName"])})
                    yield _resource(endpoint, described or {}, _types(asking, described or {}), tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _types(asking: OneByOne, description: Mapping[str, Any]) -> dict[str, str]:
    """Return variant → type of its machines, empty where the configuration could not be read."""
    name = description.get("EndpointConfigName")
    found = asking.answer(_CONFIGURATION, {"EndpointConfigName": str(name)}) if name else None
    described = (one for key in _VARIANTS for one in (found or {}).get(key) or ())
    return {str(one.get("VariantName")): str(one.get("InstanceType") or "") for one in described}


def _resource(
    endpoint: Mapping[str, Any],
    description: Mapping[str, Any],
    types: Mapping[str, str],
    tags: Tags | None,
    reader: PageReader,
) -> Resource:
    name, arn, created = str(endpoint["EndpointName"]), str(endpoint["EndpointArn"]), endpoint.get("CreationTime")
    return Resource(
        kind="sagemaker-endpoint",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(endpoint.get("EndpointStatus") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(description, types, tags_known=tags is not None)),
    )


def _facts(description: Mapping[str, Any], types: Mapping[str, str], *, tags_known: bool) -> EndpointFacts:
    variants = description.get("ProductionVariants")
    if variants is None:
        return EndpointFacts(tags_known=tags_known)
    hosted = [one for key in _VARIANTS for one in description.get(key) or ()]
    counts = [one.get("CurrentInstanceCount") for one in hosted]
    return EndpointFacts(
        variants=tuple(str(one.get("VariantName") or "") for one in variants),
        instances=sum(one.get("CurrentInstanceCount") or 0 for one in variants),
        instance_types=tuple(types.get(str(one.get("VariantName")), "") for one in hosted),
        instances_of_types=None if None in counts else tuple(one for one in counts if one is not None),
        serverless=any(one.get("CurrentServerlessConfig") for one in variants),
        asynchronous=bool(description.get("AsyncInferenceConfig")),
        tags_known=tags_known,
    )


def endpoint_facts(resource: Resource) -> EndpointFacts:
    """Return the facts of a `sagemaker-endpoint`."""
    return facts_of(EndpointFacts, resource)


def billed_parts(endpoint: Resource) -> tuple[BilledPart, ...]:
    """Return the machines of each variant: https://aws.amazon.com/sagemaker/ai/pricing/ .

    Those of an asynchronous endpoint have a usage type and a price of their own; scaled to none they cost nothing.
    """
    if endpoint.state in _UNBILLED:
        return ()
    if endpoint.state not in _WORKING:
        return billed_as_unknown("instance_hour", endpoint.state)
    facts = endpoint_facts(endpoint)
    if facts.serverless:
        # By the second of its requests, and its metrics hold the time of the model alone, not what is billed.
        return (BilledPart("request_second", Decimal(0), None, "no price for serverless endpoints"),)
    types, counts = facts.instance_types, facts.instances_of_types
    if types is None or counts is None or facts.asynchronous is None:
        return (BilledPart("instance_hour", Decimal(facts.instances or 0), None, "its machines are not known"),)
    pairs = zip(types, counts, strict=True)
    dimension = "async_endpoint_hour" if facts.asynchronous else "endpoint_hour"
    return tuple(_hours(endpoint.region, dimension, one, count) for one, count in pairs if count)


def _hours(region: str, dimension: str, instance_type: str, count: int) -> BilledPart:
    if not instance_type:
        return BilledPart("instance_hour", Decimal(count), None, "the type of its machines is not known")
    query = hour_query(region, dimension, instance_type)
    return BilledPart("instance_hour", Decimal(count), query, "no price for SageMaker instances")


def _named(endpoint: Resource) -> tuple[tuple[str, str], ...]:
    (variant,) = endpoint_facts(endpoint).variants or ("",)
    return ("EndpointName", endpoint.id), ("VariantName", variant)


def _measured(endpoint: Resource) -> bool:
    variants = endpoint_facts(endpoint).variants
    return endpoint.state in _WORKING and variants is not None and len(variants) == 1


KIND: Final = ResourceKind(
    id="sagemaker-endpoint",
    title="SageMaker endpoint",
    service="sagemaker",
    id_pattern=r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}",
    arn_pattern="arn:*:sagemaker:*:*:endpoint/*",
    facts=EndpointFacts,
    listing=Listing(
        permissions=(_LIST, _DESCRIBE, _CONFIGURATION, PERMISSION, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={
            _DESCRIBE: lambda known: {"EndpointName": known},
            _CONFIGURATION: lambda known: {"EndpointConfigName": known},
        },
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon SageMaker", "AI and Machine Learning", "Machine Learning"),
    states=States(running=_WORKING, billed=_WORKING, free=_UNBILLED),
    metrics=(
        MetricSpec(
            REQUESTS,
            "AWS/SageMaker",
            "Invocations",
            "EndpointName",
            ("Sum",),
            "count",
            missing_means_zero=True,
            dimensions=_named,
            applies=_measured,
        ),
    ),
    billed_parts=billed_parts,
    left_out=("volume_gb_month", "processed_gb"),
    offers=HOSTED,
    console_url=console_page("sagemaker/home?region={region}#/endpoints/{id}"),
    sample=Sample("my-endpoint", "arn:aws:sagemaker:us-east-1:111111111111:endpoint/my-endpoint"),
    owner=owned_by(SIGNS),
)
