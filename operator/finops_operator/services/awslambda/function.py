"""Functions: ListFunctions, invocations and their duration by the day, memory where Lambda Insights measures it.

Loaded by the registry; walked by the discover and measure stages. A function is billed by use: each invocation, and its
duration times the memory it is given. Provisioned concurrency is billed by the hour whether it is used or not. AWS does
not say when a function was made, only when it was last deployed. Where concurrency is provisioned, AWS bills part of
the duration at a lower price and does not say which part, so the cost of duration is what it is at most.
https://aws.amazon.com/lambda/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, FurtherStep, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.awslambda.rules.listed import LISTED
from finops_operator.services.awslambda.rules.offers import FURTHER_STEPS, OFFERS
from finops_operator.services.awslambda.rules.provisioned import OPERATION as PROVISIONED
from finops_operator.services.awslambda.rules.provisioned import Provisioned, ProvisionedReading
from finops_operator.services.awslambda.rules.report_queries import GROUP_PREFIX, REPORT_LINES, TEXT
from finops_operator.services.awslambda.rules.runtimes import ARM, X86
from finops_operator.services.awslambda.rules.signs import SIGNS
from finops_operator.services.awslambda.rules.versions import MEMORY, QUESTION

_OPERATION: Final = "lambda:ListFunctions"
_PAGE: Final = 50
EXISTS: Final = "active"
"""Listings leave the state out: a function can be invoked while it exists."""
INVOCATIONS: Final = "invocations"
DURATION: Final = "durationMilliseconds"
LONGEST: Final = "longestMilliseconds"
"""Of a single invocation, in a day."""
PROVISIONED_INVOCATIONS: Final = "provisionedInvocations"
_SERVED: Final = "provisionedInvocationsByDay"
_DURATION: Final = "gb_second"
_MB_PER_GB: Final = 1024
_FREE_STORAGE_MB: Final = 512
_MS_PER_SECOND: Final = 1000
_REPLICATOR: Final = "replicator.lambda.amazonaws.com"
"""Copies the functions of CloudFront's distributions into the regions, and takes the copies away again."""
_WORDS: Final = {X86: "x86", ARM: "arm"}


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """What is known of one function; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        architecture: `x86_64` or `arm64`.
        last_modified: ISO time of the last deployment or change.
        snap_start: whether published versions start from a snapshot.
        on_own_capacity: whether it runs on instances of a capacity provider, which bills them.
        provisioned_instances: of provisioned concurrency, 0 for none.
        provisioned_since: ISO time of the last change of any of it, empty for none.
        tags_known: False when its tags could not be read: it may be protected.
        function_log_group: where it writes its logs.
        function_log_format: of what Lambda itself writes there, `Text` or `JSON`.
        main_function: ARN of the function whose copy it is in this region, made for CloudFront; empty for none.
        not_in_cost: what AWS bills of it and its cost leaves out.
    """

    runtime: str | None = None
    architecture: str | None = None
    package_type: str | None = None
    memory_mb: int | None = None
    function_timeout_seconds: int | None = None
    ephemeral_storage_mb: int | None = None
    code_size_bytes: int | None = None
    last_modified: str | None = None
    snap_start: bool | None = None
    on_own_capacity: bool | None = None
    provisioned_instances: int | None = None
    provisioned_since: str | None = None
    tags_known: bool | None = None
    function_log_group: str | None = None
    function_log_format: str | None = None
    main_function: str | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield functions page by page; a page that cannot be read ends the listing with a Gap."""
    tags = yield from tags_by_arn(reader, "lambda:function")
    provisioned = ProvisionedReading(reader)
    try:
        for page in reader.pages(_OPERATION, {"MaxItems": _PAGE}):
            for function in page.get("Functions", ()):
                name = str(function["FunctionName"])
                yield _resource(function, provisioned.of(name), tags, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from provisioned.gaps()


def _resource(
    function: Mapping[str, Any], provisioned: Provisioned, tags: Tags | None, reader: PageReader, partition: str
) -> Resource:
    name = str(function["FunctionName"])
    arn = f"arn:{partition}:lambda:{reader.region}:{reader.account}:function:{name}"
    return Resource(
        kind="lambda-function",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=EXISTS,
        tags={} if tags is None else tags.get(arn, {}),
        attributes=attributes_of(_facts(function, provisioned, tags_known=tags is not None)),
    )


def _facts(function: Mapping[str, Any], provisioned: Provisioned, *, tags_known: bool) -> FunctionFacts:
    logging = function.get("LoggingConfig") or {}
    snap_start = (function.get("SnapStart") or {}).get("ApplyOn", "None") != "None"
    return FunctionFacts(
        runtime=function.get("Runtime"),
        # AWS runs what names no processor on x86.
        architecture=next(iter(function.get("Architectures") or ()), X86),
        package_type=function.get("PackageType"),
        memory_mb=function.get("MemorySize"),
        function_timeout_seconds=function.get("Timeout"),
        ephemeral_storage_mb=(function.get("EphemeralStorage") or {}).get("Size"),
        code_size_bytes=function.get("CodeSize"),
        last_modified=function.get("LastModified"),
        snap_start=snap_start,
        on_own_capacity=bool(function.get("CapacityProviderConfig")),
        provisioned_instances=provisioned.instances,
        provisioned_since=provisioned.since,
        tags_known=tags_known,
        # Both are what AWS takes where nobody chose.
        function_log_group=logging.get("LogGroup") or f"{GROUP_PREFIX}{function['FunctionName']}",
        function_log_format=logging.get("LogFormat") or TEXT,
        main_function=function.get("MasterArn") or "",
        not_in_cost=("snap_start_gb_second", "streamed_gb") if snap_start else ("streamed_gb",),
    )


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(function: Resource) -> tuple[BilledPart, ...]:
    """Return invocations, their duration and what waits for them.

    AWS's lower prices for further billions of GB-seconds apply to the sum of an account's functions in a region on the
    same processor: each has the average price of all. https://aws.amazon.com/lambda/pricing/
    """
    facts, region = facts_of(FunctionFacts, function), function.region
    if facts.on_own_capacity:
        return (_unknown("instance_hour", "what the instances of its capacity provider cost"),)
    requests = BilledPart("request", Decimal(1), PriceQuery("lambda", region, "request"), metric=INVOCATIONS)
    return (*_waiting(region, facts), requests, *_duration(region, facts))


def _unknown(dimension: str, what: str) -> BilledPart:
    return BilledPart(dimension, Decimal(0), None, f"{what} is not known")


def _duration(region: str, facts: FunctionFacts) -> Iterator[BilledPart]:
    word = _WORDS.get(facts.architecture or "")
    if facts.memory_mb is None or word is None:
        yield _unknown("gb_second", "its memory or its processor")
        return
    size = Decimal(facts.memory_mb) / _MB_PER_GB / _MS_PER_SECOND
    query = PriceQuery("lambda", region, f"{word}_gb_second_tier1")
    yield BilledPart(_DURATION, size, query, metric=DURATION, further=_further_steps(word, region))
    if facts.provisioned_instances:
        # Duration there has a price of its own, and no metric of a function says which was which.
        reason = "how much of its duration ran on provisioned instances is not known"
        # Until it is known, the duration billed above is no part of what the function costs at least.
        yield BilledPart("provisioned_duration_gb_second", Decimal(1), None, reason, metric=_SERVED, voids=_DURATION)
    above = (facts.ephemeral_storage_mb or 0) - _FREE_STORAGE_MB
    if above > 0:
        yield BilledPart(
            "ephemeral_gb_second",
            Decimal(above) / _MB_PER_GB / _MS_PER_SECOND,
            PriceQuery("lambda", region, "ephemeral_storage"),
            metric=DURATION,
        )


def _further_steps(word: str, region: str) -> tuple[FurtherStep, ...]:
    return tuple(
        FurtherStep(above, PriceQuery("lambda", region, f"{word}_gb_second_tier{number}"))
        for number, above in enumerate(FURTHER_STEPS[word], start=2)
    )


def _waiting(region: str, facts: FunctionFacts) -> Iterator[BilledPart]:
    """Yield provisioned concurrency; AWS prices it by the second, all month long."""
    if facts.provisioned_instances is None:
        yield _unknown("provisioned_gb_second", "whether concurrency is provisioned")
    elif facts.provisioned_instances and facts.memory_mb is not None:
        word = _WORDS.get(facts.architecture or "")
        if word is None:
            yield _unknown("provisioned_gb_second", "its processor")
            return
        size = Decimal(facts.provisioned_instances) * facts.memory_mb / _MB_PER_GB
        query = PriceQuery("lambda", region, f"{word}_provisioned_concurrency")
        yield BilledPart("provisioned_gb_second", size, query)


# -- what else is declared ---------------------------------------------------------------------------------------------


def _is_provisioned(resource: Resource) -> bool:
    return bool(resource.number("provisioned_instances"))


def _by_day(name: str, metric: str, unit: str) -> MetricSpec:
    """Return a counter; AWS publishes it only when the function is invoked."""
    return MetricSpec(
        name, "AWS/Lambda", metric, "FunctionName", ("Sum",), unit, missing_means_zero=True, hourly=False, daily=True
    )


def _service(function: Resource) -> str | None:
    return _REPLICATOR if function.text("main_function") else None


KIND: Final = ResourceKind(
    id="lambda-function",
    title="Lambda function",
    service="lambda",
    id_pattern=r"[A-Za-z0-9_-]{1,140}",
    arn_pattern="arn:*:lambda:*:*:function:*",
    limits={
        "memory_mb": Limit(10_240, "MB", "AWS Lambda developer guide, “Lambda quotas”"),
        "ephemeral_storage_mb": Limit(10_240, "MB", "AWS Lambda developer guide, “Lambda quotas”"),
    },
    facts=FunctionFacts,
    listing=Listing(
        permissions=(_OPERATION, PROVISIONED, PERMISSION, "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"),
        collect=_collect,
        probes={PROVISIONED: lambda known: {"FunctionName": known}},
        calls=CALLS,
        questions=(QUESTION,),
    ),
    billed_as=BilledAs("AWS Lambda", "Compute", "Serverless Compute"),
    states=States(running=frozenset({EXISTS})),
    metrics=(
        _by_day(INVOCATIONS, "Invocations", "count"),
        _by_day(DURATION, "Duration", "milliseconds"),
        MetricSpec(
            LONGEST,
            "AWS/Lambda",
            "Duration",
            "FunctionName",
            ("Maximum",),
            "milliseconds at most",
            missing_means_zero=True,
            hourly=False,
            daily=True,
            only_days=14,
        ),
        _by_day("errors", "Errors", "count"),
        MetricSpec(
            PROVISIONED_INVOCATIONS,
            "AWS/Lambda",
            "ProvisionedConcurrencyInvocations",
            "FunctionName",
            ("Sum",),
            "count",
            missing_means_zero=True,
            applies=_is_provisioned,
        ),
        replace(
            _by_day(_SERVED, "ProvisionedConcurrencyInvocations", "count"),
            applies=_is_provisioned,
        ),
        MetricSpec(
            MEMORY,
            "LambdaInsights",
            "memory_utilization",
            "function_name",
            ("Average", "Maximum"),
            "percent",
            hourly=False,
            daily=True,
            only_days=14,
            discovered=True,
        ),
    ),
    billed_parts=billed_parts,
    console_url=console_page("lambda/home?region={region}#/functions/{id}"),
    sample=Sample("my-function", "arn:aws:lambda:us-east-1:111111111111:function:my-function"),
    owner=owned_by(SIGNS, service=_service),
    type_of=lambda resource: resource.text("runtime"),
    offers=OFFERS,
    steps_from=1,
    logged=REPORT_LINES,
    listed=LISTED,
)
