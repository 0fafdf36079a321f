"""elasticache_cluster_extended_support: what the old version costs more, and versions that cost nothing more."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.elasticache.caches import CACHES, cache

from finops.domain.canonical import Json
from finops_operator.services.elasticache.checks.elasticache_cluster_extended_support import CHECK


@pytest.mark.parametrize("version", ["4.0.10", "5.0.6"])
def test_an_old_version_is_found_and_the_upgrade_saves_what_was_added(version: str) -> None:
    old = cache(engine_version=version)
    one = CACHES.found(CHECK, old)
    assert one.new_monthly_cost == Decimal("113.880")
    assert CACHES.cost(old).monthly == Decimal("204.98")
    assert "ended on 2026-01-31; since then AWS adds 80% to every node hour." in one.summary


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine_version": "6.2.6"}, "AWS bills no extended support for redis 6.2.6"),
        ({"engine_version": "3.2.10"}, "AWS bills no extended support for redis 3.2.10"),
        ({"engine": "valkey", "engine_version": "5.0"}, "AWS bills no extended support for valkey 5.0"),
        ({"engine_version": None}, "its engine version is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_other_versions_are_left_alone(changes: dict[str, Json], why: str) -> None:
    assert CACHES.reason(CHECK, cache(**changes)) == why
