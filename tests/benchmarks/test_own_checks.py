"""A check of a policy's own costs no more than 20 µs a resource where it finds nothing, 120 µs where it does."""

from __future__ import annotations

import time

import pytest
from tests.support.facts import facts_of, flat, instance
from tests.support.own_checks import own_check

from finops.domain.recommendation import Finding
from finops.domain.utilization import Utilization

ROUNDS = 5
RESOURCES = 2_000
USUAL = (
    "resource.state == 'running' && 'env' in tags && tags.env == 'dev' && "
    "utilization.cpuPercent.p95 < 10 && cost.monthly > {limit}"
)


@pytest.mark.parametrize(("limit", "finds", "most_seconds"), [(500, False, 20e-6), (100, True, 120e-6)])
def test_a_usual_check_takes_microseconds_a_resource(limit: int, finds: bool, most_seconds: float) -> None:
    check = own_check(USUAL.format(limit=limit))
    measured = Utilization("i-0123456789abcdef0", metrics={"cpuPercent": flat(3.0)})
    facts = facts_of(instance(tags={"env": "dev", "team": "web", "owner": "alice"}), measured)
    assert isinstance(check.evaluate(facts, {}), Finding) is finds
    # The quickest of some rounds: what else the machine does is not measured.
    took = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(RESOURCES):
            check.evaluate(facts, {})
        took.append(time.thread_time() - begun)
    assert min(took) / RESOURCES < most_seconds
