"""Every check is held to the laws by its own examples; and a check that breaks one is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from tests.support.facts import facts_of, flat, instance
from tests.support.laws import MORE_TAKES_NOTHING_AWAY, broken_laws, calls_idle

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Facts
from finops_operator.plugins.loaded import load_checks, load_kinds
from finops_operator.plugins.sufficiency import day_lost, insufficient

CPU = "cpuPercent"
_SERVICES = Path(__file__).parents[1] / "services"
_NO = NotRecommended("made_up", "i", "no")
Judge = Callable[[Facts[Any]], Finding | NotRecommended]


@pytest.mark.parametrize("check", sorted(load_checks()))
def test_every_check_has_tests_of_its_own_which_submit_what_they_find(check: str) -> None:
    (module,) = _SERVICES.glob(f"*/checks/test_{check}.py")
    assert f"checks.{check} import CHECK" in module.read_text()


@pytest.mark.parametrize(("check", "metric"), MORE_TAKES_NOTHING_AWAY)
def test_an_exception_names_a_check_that_there_is_and_a_metric_of_its_kinds(check: str, metric: str) -> None:
    checks, kinds = load_checks(), load_kinds()
    of_kinds = [kinds[kind] for one in checks if fnmatch(one, check) for kind in checks[one].kinds]
    assert any(fnmatch(spec.name, metric) for kind in of_kinds for spec in kind.metrics)


def test_every_check_of_idle_days_or_that_stops_or_deletes_is_held_to_the_law_of_the_lost_day() -> None:
    held = {name for name, check in load_checks().items() if calls_idle(check)}
    named = {name for name in load_checks() if name.endswith(("_idle", "_unused", "_down", "_unread"))}
    assert named <= held
    assert "ec2_instance_overprovisioned" not in held


def found(facts: Facts[Any], cost: Decimal | None = None) -> Finding:
    left = cost if cost is not None else (facts.cost.unrounded_monthly or Decimal(0)) / 2
    return Finding("made_up", "", {}, left, {"windowStart": ""}, "It is idle.")


def lawful(facts: Facts[Any]) -> Finding | NotRecommended:
    cpu = facts.utilization.metrics.get(CPU)
    if cpu is None or insufficient(facts.utilization, CPU, facts.settings) or day_lost(facts.utilization, CPU):
        return _NO
    return found(facts) if cpu.maximum < 5 else _NO


def lets_a_day_be_lost(facts: Facts[Any]) -> Finding | NotRecommended:
    cpu = facts.utilization.metrics.get(CPU)
    if cpu is None or insufficient(facts.utilization, CPU, facts.settings):
        return _NO
    return found(facts) if cpu.maximum < 5 else _NO


def takes_a_gap_for_zero(facts: Facts[Any]) -> Finding | NotRecommended:
    cpu = facts.utilization.metrics.get(CPU)
    return _NO if cpu is not None and cpu.maximum > 5 else found(facts)


def overlooks_lost_hours(facts: Facts[Any]) -> Finding | NotRecommended:
    cpu = facts.utilization.metrics.get(CPU)
    return found(facts) if cpu is not None and cpu.maximum < 5 else _NO


def looks_at_no_figure(facts: Facts[Any]) -> Finding | NotRecommended:
    return _NO if insufficient(facts.utilization, CPU, facts.settings) else found(facts)


def needs_the_network_and_never_looks_at_it(facts: Facts[Any]) -> Finding | NotRecommended:
    return _NO if "networkInBytes" not in facts.utilization.metrics else lawful(facts)


def forgets_the_top(facts: Facts[Any]) -> Finding | NotRecommended:
    verdict, cpu = lawful(facts), facts.utilization.metrics.get(CPU)
    return found(facts) if cpu is not None and cpu.maximum > 1000 else verdict


def has_a_price_of_its_own(facts: Facts[Any]) -> Finding | NotRecommended:
    verdict = lawful(facts)
    return found(facts, Decimal(7)) if isinstance(verdict, Finding) else verdict


def broken(judge: Judge) -> list[str]:
    facts = facts_of(instance(), Utilization("i", metrics={CPU: flat(2), "networkInBytes": flat(9)}))
    assert isinstance(judge(facts), Finding)
    return list(broken_laws("made_up", facts, judge))


def test_what_keeps_the_laws_breaks_none() -> None:
    assert broken(lawful) == []


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        (takes_a_gap_for_zero, "it is found without cpuPercent, and not with very much of it"),
        (takes_a_gap_for_zero, "with nothing measured it states a window"),
        (overlooks_lost_hours, "half of cpuPercent missing says more than if it had never been published"),
        (lets_a_day_be_lost, "one day of much cpuPercent takes the finding away, and where that day is not known"),
        (looks_at_no_figure, "it is not found without cpuPercent, and no amount of that matters"),
        (
            needs_the_network_and_never_looks_at_it,
            "it is not found without networkInBytes, and stays found however much there is of it",
        ),
        (forgets_the_top, "with cpuPercent doubled 2 times it is not found (no), 10 times it is found again"),
        (has_a_price_of_its_own, "it leaves 7 a month, at three times the prices 7"),
    ],
)
def test_what_breaks_a_law_is_named(judge: Judge, said: str) -> None:
    assert any(one.startswith(said) for one in broken(judge)), broken(judge)


def test_prices_that_are_not_known_break_no_law() -> None:
    facts = facts_of(instance(), Utilization("i", metrics={CPU: flat(2)}))
    unpriced = replace(facts, lookup=lambda _query: None)

    def judge(one: Facts[Any]) -> Finding | NotRecommended:
        verdict = lawful(one)
        return replace(verdict, new_monthly_cost=None) if isinstance(verdict, Finding) else verdict

    assert list(broken_laws("made_up", unpriced, judge)) == []
