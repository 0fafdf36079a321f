"""A check of a policy's own costs no more than 20 µs a resource."""

from __future__ import annotations

import time

from tests.support.facts import facts_of, flat, instance
from tests.support.own_checks import own_check

from finops.domain.recommendation import Finding
from finops.domain.utilization import Utilization

ROUNDS = 5
RESOURCES = 2_000
MOST_SECONDS = 20e-6


def test_a_usual_check_takes_at_most_20_microseconds_a_resource() -> None:
    check = own_check(
        "resource.state == 'running' && 'env' in tags && tags.env == 'dev' && "
        "utilization.cpuPercent.p95 < 10 && cost.monthly > 500"
    )
    measured = Utilization("i-0123456789abcdef0", metrics={"cpuPercent": flat(3.0)})
    facts = facts_of(instance(tags={"env": "dev", "team": "web", "owner": "alice"}), measured)
    assert not isinstance(check.evaluate(facts, {}), Finding)
    # The quickest of some rounds: what else the machine does is not measured.
    took = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(RESOURCES):
            check.evaluate(facts, {})
        took.append(time.thread_time() - begun)
    assert min(took) / RESOURCES < MOST_SECONDS
