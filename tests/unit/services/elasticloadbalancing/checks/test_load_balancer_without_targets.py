"""load_balancer_without_targets: nothing registered, nothing answered, nothing carried."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.elasticloadbalancing.balancers import HOURS, balancer, carried, found, reason, specs, without

from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.services.elasticloadbalancing.checks.load_balancer_without_targets import CHECK

TYPES = ("application", "network", "gateway", "classic")


def empty(kind: str = "application") -> Resource:
    if kind == "classic":
        return balancer(kind, registered_targets=0)
    return balancer(kind, registered_targets=0, answers_itself=False, target_groups=2)


@pytest.mark.parametrize("kind", TYPES)
def test_a_load_balancer_with_nothing_behind_it_is_found(kind: str) -> None:
    one = found(CHECK, empty(kind), carried(empty(kind)))
    assert (one.new_monthly_cost, one.evidence["registeredTargets"]) == (Decimal(0), 0)


@pytest.mark.parametrize("kind", TYPES)
def test_one_registered_target_is_enough(kind: str) -> None:
    one = balancer(kind, registered_targets=1)
    assert reason(CHECK, one, carried(one)) == "1 targets are registered"


def test_one_that_redirects_or_answers_itself_needs_no_targets() -> None:
    one = balancer(registered_targets=0, answers_itself=True)
    assert reason(CHECK, one, carried(one)) == "a listener or rule answers without targets"


def test_targets_or_listeners_that_could_not_be_read_are_not_taken_for_none() -> None:
    unread = balancer(registered_targets=None)
    assert reason(CHECK, unread, carried(unread)) == "its targets are not known"
    assert reason(CHECK, balancer(registered_targets=0), carried(balancer())) == "its listeners are not known"


@pytest.mark.parametrize("kind", TYPES)
def test_one_request_in_the_window_shows_that_targets_come_and_go(kind: str) -> None:
    one = empty(kind)
    once = carried(one, {specs(one)[0].name: [0.0] * (HOURS - 1) + [1.0]})
    assert reason(CHECK, one, once) == "it carried traffic in the window, 1 on its busiest day"


def test_a_network_load_balancer_that_publishes_nothing_is_found_but_one_that_was_not_read_is_not() -> None:
    one = empty("network")
    names = dict.fromkeys((spec.name for spec in specs(one)), "NotPublished")
    found(CHECK, one, Utilization(one.id, unknown=names))
    assert "could not be read (Throttled)" in reason(CHECK, one, without(carried(one), "networkNewFlows"))
    assert reason(CHECK, one, Utilization(one.id)) == "network new flows is unknown (not measured)"


def test_a_new_load_balancer_may_still_get_its_targets() -> None:
    young = replace(empty(), created=NOW - timedelta(days=6, hours=23))
    assert reason(CHECK, young, carried(young)) == "it is younger than 7 days"
    found(CHECK, replace(young, created=NOW - timedelta(days=7)), carried(young))


def test_one_whose_tags_could_not_be_read_is_left_alone() -> None:
    one = replace(empty(), attributes={**empty().attributes, "tags_known": False})
    assert "may be protected" in reason(CHECK, one, carried(one))
