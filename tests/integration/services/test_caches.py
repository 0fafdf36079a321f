"""Caches on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_caches_are_listed_priced_and_judged(aws: AwsDouble, scanned: Scan) -> None:
    caches = aws.client("elasticache", role=MAKER)
    for name, engine, version, size, nodes in (
        ("sessions", "redis", "5.0.6", "cache.m5.large", 1),
        ("pages", "memcached", "1.6.22", "cache.m6g.large", 3),
    ):
        caches.create_cache_cluster(
            CacheClusterId=name, Engine=engine, EngineVersion=version, CacheNodeType=size, NumCacheNodes=nodes
        )
    outcome = scanned("elasticache-cluster")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: (one["state"], one["monthlyCost"]) for name, one in found.items()} == {
        "sessions": ("available", "204.98"),
        "pages": ("available", "326.31"),
    }
    advice = {(one["check"], one["resource"]["id"]) for one in report_of(outcome)["recommendations"]}
    assert advice == {
        ("elasticache_cluster_extended_support", "sessions"),
        ("elasticache_cluster_graviton", "sessions"),
        ("elasticache_cluster_valkey", "sessions"),
    }
