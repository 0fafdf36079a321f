"""Trying a policy on what was read before: what is not kept any more takes no advice away."""

from __future__ import annotations

from typing import Any

from tests.support.facts import FIVE_MINUTES, NOW, busy, cost, flat, instance
from tests.support.scan_samples import policy

from finops.domain.report import Change
from finops_operator.plugins.loaded import plugins
from finops_operator.scan.policy_rules import policy_rules
from finops_operator.scan.trial import Observed, Trial, compare, try_policy
from finops_operator.services.ec2.instance import OFFERED_TYPES

OFFERED = frozenset({"m5.xlarge", "r5.xlarge"})


def tried(*lacking: str, **spec: Any) -> Trial:
    """Return what a policy says of an instance that uses a tenth of its CPU."""
    rules = policy_rules(policy(**spec), {}, plugins(), NOW)
    machine = instance("running")
    seen = Observed(
        machine,
        busy(flat(10, period=FIVE_MINUTES)),
        cost(machine),
        {} if lacking else {OFFERED_TYPES: OFFERED},
        lacking=frozenset(lacking),
    )
    enabled = [one for one in rules.enabled if one.check.id == "ec2_instance_overprovisioned"]
    return try_policy(rules, enabled, [seen])


def changes(now: Trial, before: Trial) -> list[Change]:
    return [one.change for one in compare(now.recommendations, before.recommendations, unsure=now.unsure)]


def test_advice_that_a_stricter_policy_does_not_give_is_gone_where_all_is_known() -> None:
    stands, stricter = tried(), tried(sizing={"minimumVcpus": 448})
    assert [one.target for one in stands.recommendations] == ["r5.xlarge"]
    assert changes(stricter, stands) == [Change.GONE]
    assert (stricter.lacking, stricter.unsure) == ({}, set())


def test_advice_is_undecided_where_something_that_a_scan_would_ask_is_not_kept() -> None:
    stands, unsure = tried(), tried(OFFERED_TYPES, sizing={"minimumVcpus": 448})
    assert changes(unsure, stands) == [Change.UNDECIDED]
    assert unsure.lacking == {OFFERED_TYPES: 1}


def test_what_is_still_advised_without_it_is_compared_as_ever() -> None:
    assert changes(tried(OFFERED_TYPES), tried()) == [Change.SAME]


def test_a_check_that_is_switched_off_takes_its_advice_away_whatever_is_kept() -> None:
    off = {"checks": [{"id": "ec2_instance_overprovisioned", "enabled": False}]}
    assert changes(tried(OFFERED_TYPES, **off), tried()) == [Change.GONE]
