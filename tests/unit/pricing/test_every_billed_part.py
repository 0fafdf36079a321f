"""Every part that a kind can bill has a figure in a table or an offer in AWS's price list, or says here why not."""

from __future__ import annotations

import ast
import random
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, get_type_hints

import pytest

from finops.domain.canonical import Json
from finops.domain.price import PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart, ResourceKind
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import SOURCE, known_regions
from finops_operator.pricing.offers import all_offers, offer_of

KINDS: Final = load_kinds()
OFFERS: Final = all_offers(KINDS.values())
_ASKED_BY_CHECKS: Final = {("elasticache", "backup_gb_month")}
"""What an act will make: the final snapshot of a cache is no part of the cache's bill."""
_BY_USE: Final = "how much of it is used is published nowhere, so that a price would say nothing"
_NOT_LISTED: Final = "the listing does not say what AWS prices it by"
_NO_WORDS: Final = "no source that we found spells its usage type and unit"
UNPRICED: Final[Mapping[tuple[str, str], str]] = {
    ("cloudfront-distribution", "dedicated_address_month"): _NO_WORDS,
    ("cloudfront-distribution", "delivered_gb"): "the price depends on where the viewers are, which no metric says",
    ("cloudfront-distribution", "request"): "the price depends on where the viewers are, which no metric says",
    ("cloudtrail-trail", "data_event"): _BY_USE,
    ("cloudtrail-trail", "management_event_copy"): _BY_USE,
    ("cloudwatch-alarm", "alarm_metric"): "stands for an alarm whose metrics or period AWS did not say",
    ("cloudwatch-namespace", "metric_month"): _BY_USE,
    ("dynamodb-table", "request_unit"): _BY_USE,
    ("dynamodb-table", "throughput"): "stands for a table whose state or billing mode is not known",
    ("efs-file-system", "archive_gb_month"): "billed together with reads, which no metric says by class",
    ("efs-file-system", "elastic_gb"): _NO_WORDS,
    ("efs-file-system", "infrequent_gb_month"): "billed together with reads, which no metric says by class",
    ("efs-file-system", "throughput_mibps_month"): _NO_WORDS,
    ("fsx-file-system", "storage_gb_month"): _NO_WORDS,
    ("fsx-file-system", "throughput_mbps_month"): _NO_WORDS,
    ("kinesis-stream", "consumer_hour"): "how many shards each consumer reads is not listed",
    ("kinesis-stream", "shard_metrics"): "billed as metrics of CloudWatch, by how many are published",
    ("lambda-function", "instance_hour"): "the instances are the capacity provider's, which the function does not name",
    ("lambda-function", "provisioned_duration_gb_second"): _BY_USE,
    ("msk-cluster", "cluster_hour"): "a serverless cluster is billed by partitions and data too, which are not listed",
    ("opensearch-domain", "managed_storage_gb_month"): "how much data is warm or cold is not listed",
    ("rds-cluster", "capacity_unit_hour"): "of the first Serverless, whose capacity no metric adds up to hours",
    ("rds-instance", "additional_gb_month"): _NOT_LISTED,
    ("rds-instance", "io_request"): _BY_USE,
    ("rds-instance", "log_volume_month"): _NOT_LISTED,
    ("rds-snapshot", "backup_gb_month"): "AWS bills what changed over all backups, less what is free",
    ("redshift-cluster", "storage_gb_month"): "how much data managed storage holds is not listed",
    (
        "route53-health-check",
        "health_check_month",
    ): "50 on AWS's own endpoints are free for an account, and which are such is not listed",
    ("sagemaker-endpoint", "request_second"): _BY_USE,
    ("vpc-endpoint", "data_processed"): _BY_USE,
    ("workspaces-workspace", "workspace_hour"): _NO_WORDS,
    ("workspaces-workspace", "workspace_month"): _NO_WORDS,
}
"""Kind and part → why no source answers it. Such a part makes the cost unknown, never lower."""
UNANSWERED: Final[Mapping[tuple[str, str], str]] = {
    ("cloudwatch", "metric_next_750k"): "of so many metrics no offer is needed: 35,715 monitored instances have them",
    ("cloudwatch", "metric_over_1m"): "of so many metrics no offer is needed: 142,858 monitored instances have them",
    ("dynamodb", "ia_replicated_write_request"): _NO_WORDS,
}
"""Figure → why kinds ask for it where no source answers."""
_TRIES: Final = 1200
_TYPES: Final[Mapping[str, tuple[Json, ...]]] = {
    "architecture": ("x86_64", "arm64", "X86_64", "ARM64"),
    "attached_type": ("vpc", "vpn", "peering"),
    "attachments": (None,),
    "availability_zone": ("us-east-1a",),
    "billing_mode": ("PROVISIONED", "PAY_PER_REQUEST"),
    "broker_type": ("kafka.m5.large", "express.m7g.large"),
    "cache_node_type": ("cache.m6g.large",),
    "coordinator_type": ("m5.large.search",),
    "db_cluster_instance_class": ("db.m5d.large",),
    "db_instance_class": ("db.m5.large", "db.serverless"),
    "control_plane_tier": ("standard",),
    "elastic": ([True], [False]),
    "engine_mode": ("provisioned", "serverless"),
    "engine": ("mysql", "postgres", "redis", "valkey", "aurora-mysql", "docdb", "neptune"),
    "instance_types": (["ml.m5.large"],),
    "instances_of_types": ([2],),
    "instance_type": ("m5.large", "m5.large.search", "ml.m5.large"),
    "load_balancer_type": ("application", "network", "gateway", "classic"),
    "master_type": ("m5.large.search",),
    "member_classes": (["db.r6g.large"],),
    "node_type": ("ra3.4xlarge",),
    "lifecycle": ("on-demand", ""),
    "platform_details": ("Linux/UNIX",),
    "runs_on": ("FARGATE",),
    "storage_type": ("gp2", "gp3", "io1", "io2", "standard", "aurora", "aurora-iopt1", "SSD", "HDD"),
    "support": ("extended", "standard"),
    "system": ("LINUX", "WINDOWS"),
    "table_class": ("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
    "tenancy": ("default",),
    "usage_operation": ("RunInstances",),
    "volume_iops": (3000, 20_000),
    "volume_throughput": (125, 2000),
    "volume_type": ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"),
    "warm_type": ("ultrawarm1.medium.search",),
}
"""Values of AWS that no text of the code holds."""


@cache
def _spoken(kind: str) -> tuple[str, ...]:
    """Return the short texts in the code of a kind: its words for modes, classes and types are among them."""
    file = sys.modules[KINDS[kind].billed_parts.__module__].__file__
    assert file is not None
    files = (Path(file), *Path(file).parent.glob("rules/*.py"))
    nodes = (node for one in files for node in ast.walk(ast.parse(one.read_text(encoding="utf-8"))))
    found = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return tuple(sorted(text for text in found if 0 < len(text) < 26 and not set(text) & {" ", "\n"}))


def _value(name: str, shape: str, kind: str, chance: random.Random) -> Json:
    if name in _TYPES:
        return chance.choice(_TYPES[name])
    if "bool" in shape:
        return chance.random() < 0.5
    if "int" in shape:
        return chance.choice((0, 1, 2, 125, 3000))
    if "Decimal" in shape:
        return chance.choice(("0.5", "8"))
    return chance.choice(([], ["one"])) if "tuple" in shape else chance.choice(_spoken(kind))


def resources(kind: ResourceKind[Any]) -> Iterator[Resource]:
    """Yield resources with all sorts of facts, the same ones in every run."""
    chance, shapes = random.Random(kind.id), {name: str(one) for name, one in get_type_hints(kind.facts).items()}
    states = sorted(kind.states.billed | kind.states.running | kind.states.stopped) or ["completed"]
    for _ in range(_TRIES):
        known = (name for name in shapes if chance.random() > 0.1)
        attributes = {name: _value(name, shapes[name], kind.id, chance) for name in known}
        yield Resource(
            kind=kind.id,
            id=kind.sample.id,
            arn=kind.sample.arn,
            name="",
            account="111111111111",
            region="us-east-1",
            state=chance.choice(states),
            created=datetime(2024, 1, 1, tzinfo=UTC),
            attributes={name: value for name, value in attributes.items() if value is not None},
        )


def _answered(queries: Iterable[PriceQuery]) -> bool:
    """Return whether an offer or a table answers one of the questions; other regions' tables are read if need be."""
    asked = set(queries)
    return any(offer_of(query, OFFERS) is not None for query in asked) or any(
        SOURCE.lookup(replace(query, region=region)) is not None
        for region in ("us-east-1", "eu-west-1", *sorted(known_regions()))
        for query in asked
    )


@cache
def _billed(kind: str) -> frozenset[BilledPart]:
    """Return what a kind bills of all these resources."""
    return frozenset(part for resource in resources(KINDS[kind]) for part in KINDS[kind].billed_parts(resource))


def _sourced(parts: Iterable[BilledPart]) -> bool:
    known = tuple(parts)
    own = any(part.price is not None for part in known)
    return own or _answered(part.query for part in known if part.query is not None)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_part_has_a_source_or_a_reason_here(kind: str) -> None:
    parts: dict[str, list[BilledPart]] = {}
    for part in _billed(kind):
        parts.setdefault(part.dimension, []).append(part)
    assert {name for name, found in parts.items() if not _sourced(found)} == {
        part for owner, part in UNPRICED if owner == kind
    }


def _asked(part: BilledPart) -> Iterator[PriceQuery]:
    """Yield what a source is asked about a part: its price, and those of further units."""
    if part.query is not None:
        yield part.query
    yield from (step.query for step in part.further)


@cache
def _figures() -> Mapping[tuple[str, str], frozenset[PriceQuery]]:
    """Return each figure that some kind asks for, with its questions."""
    found: dict[tuple[str, str], frozenset[PriceQuery]] = {}
    for query in (query for kind in KINDS for part in _billed(kind) for query in _asked(part)):
        figure = (query.service, query.dimension)
        found[figure] = found.get(figure, frozenset()) | {query}
    return found


def test_every_figure_that_is_asked_for_has_a_source_or_a_reason_here() -> None:
    assert {figure for figure, queries in _figures().items() if not _answered(queries)} == set(UNANSWERED)


def test_every_offer_is_of_a_figure_that_some_kind_asks_for() -> None:
    """An offer that nobody asks for would be a promise."""
    assert set(OFFERS) - _ASKED_BY_CHECKS <= _figures().keys()
