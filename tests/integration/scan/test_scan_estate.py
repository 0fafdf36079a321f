"""The planted estate: all waste in it is found and nothing else, and what is found rests on what was measured.

The estate is written from AWS's documentation (`finops_sandbox/planted`) and shares nothing with the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support import estate_scan
from tests.support.estate_scan import Found, found_by
from tests.support.scanning import account, dependencies, policy, report_of

from finops.domain.price import Price, PriceQuery
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops.store.keys import Keys
from finops_operator.plugins.loaded import load_checks, load_kinds, plugins
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.policy_rules import policy_rules
from finops_operator.scan.scan import scan
from finops_operator.scan.trial import stored_resources, try_policy
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.planted.everything import document, planted_sites
from finops_sandbox.planted.site import Site

# Four scans of three hundred resources of all kinds: 25 seconds on two free cores.
pytestmark = pytest.mark.timeout(300)
Run = Callable[..., Mapping[str, Any]]
FACTOR = Decimal(3)
GROUPS = {"auto-scaling-group", "eks-nodegroup"}
NO_MATTER_OF_USE = {
    "dynamodb_table_to_provisioned": "work that is steady all of the time is what it looks for",
    "ebs_volume_overprovisioned": "a busy volume of the double needs 130 operations a second, not what was ordered",
    "ebs_volume_unattached": "without an instance nothing can work",
    "ec2_instance_surplus_credits": "it measures what is billed of hard work, not whether there is any",
    "ec2_instance_underprovisioned": "work that is too much for its type is what it looks for",
    "log_group_no_retention": "what comes in stays for ever all the same",
    "rds_instance_storage_gp2": "gp3 gives as much for the same price",
    "route53_health_check_unused": "its status is measured, its use is who refers to it",
}
"""Checks that measure and still find something where everything works hard, and why they may."""


@dataclass(frozen=True, slots=True)
class Dearer:
    """The bundled prices, three times as high."""

    id: str = "dearer"

    def lookup(self, query: PriceQuery) -> Price | None:
        price = SOURCE.lookup(query)
        return None if price is None else replace(price, amount=price.amount * FACTOR)


@contextmanager
def scanning(sites: list[Site], store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[AwsDouble, Run]]:
    """Serve the estate; give the double and a function that scans it all with nothing measured before."""
    estate = document(sites)
    accounts = {name: account(name, number) for name, number in estate_scan.accounts_of(estate).items()}
    with AwsDouble(estate) as double, ThreadPoolExecutor(4) as pool:
        for name, value in double.environment().items():
            monkeypatch.setenv(name, value)

        def run(apart: str, spec: Mapping[str, Any] | None = None, **changed: Any) -> Mapping[str, Any]:
            mine = Store(store.client, Keys(f"{store.keys.prefix}{apart}:"))
            needed = replace(dependencies(mine, pool), **changed)
            return report_of(scan(policy(*accounts, **(spec or {})), accounts, needed, SystemClock()))

        yield double, run


def test_all_that_is_planted_is_found_and_nothing_else_and_it_rests_on_metrics_and_prices(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = planted_sites()
    with scanning(sites, store, monkeypatch) as (double, run):
        report = run("all")
        dearer = run("dearer", price_sources=(Dearer(),))
        double.control.inject({"kind": "error", "service": "cloudwatch", "action": "GetMetricData"})
        double.control.inject({"kind": "deny", "service": "rds", "action": "DescribeDBInstances"})
        double.control.inject({"kind": "throttle", "service": "sagemaker", "action": "ListNotebookInstances"})
        blind = run("blind")
    tallies = estate_scan.compared(sites, report)
    print(estate_scan.table(tallies))
    assert {check: one.false for check, one in tallies.items() if one.false} == {}
    assert {check: one.missed for check, one in tallies.items() if one.missed} == {}
    assert {check for check, one in tallies.items() if one.planted} == set(load_checks())
    assert {one["kind"] for one in report["resources"]} == set(load_kinds())
    assert list(estate_scan.savings_that_differ(sites, report)) == []
    assert list(estate_scan.owners_that_differ(sites, report)) == []
    summed = {status: Decimal(saving) for status, saving in report["summary"]["savings"].items()}
    assert summed == estate_scan.counted_savings(report)
    counted = {found_by(one)[2:]: one["counted"] for one in report["recommendations"]}
    assert not counted["auto_scaling_group_fixed_size", "asg-shared"]
    assert counted["auto_scaling_group_fixed_size", "asg-fixed"]
    assert {one["monthlyCost"] for one in report["resources"] if one["kind"] in GROUPS} == {None}
    costs = {one["id"]: (one["attributedMonthlyCost"], one["attributedUnknown"]) for one in report["resources"]}
    assert (costs["asg-fixed"], costs["eks-groups/ng-floor/1"]) == (("224.84", 0), ("337.26", 0))
    counts = {(one["id"], one["counted"]) for one in report["recommendations"]}
    assert tried_on_what_was_stored(sites, store, "all") == counts
    assert savings_not_scaled(report, dearer) == []
    assert resting_on_metrics(blind) == []
    unseen = {"rds-instance", "sagemaker-notebook"}
    assert not unseen & {one["resource"]["kind"] for one in blind["recommendations"]}
    operations = {one["operation"] for one in blind["gaps"]}
    assert operations >= {"GetMetricData", "DescribeDBInstances", "ListNotebookInstances"}


def tried_on_what_was_stored(sites: list[Site], store: Store, apart: str) -> set[tuple[str, bool]]:
    """Return (id, whether it counts) of what `finops policy test` says of the data of a scan."""
    names = {name: account(name, number) for name, number in estate_scan.accounts_of(document(sites)).items()}
    rules = policy_rules(policy(*names), names, plugins(), SystemClock().now())
    mine = Store(store.client, Keys(f"{store.keys.prefix}{apart}:"))
    trial = try_policy(rules, rules.enabled, stored_resources(rules, rules.policy, mine))
    return {(one.id, one.counted) for one in trial.recommendations}


def savings_not_scaled(report: Mapping[str, Any], dearer: Mapping[str, Any]) -> list[str]:
    """Return what does not save three times as much where everything costs three times as much."""
    savings = {found_by(one): one["monthlySavings"] for one in report["recommendations"]}
    scaled = {found_by(one): one["monthlySavings"] for one in dearer["recommendations"]}
    assert savings.keys() == scaled.keys()
    wrong = []
    for key, saving in savings.items():
        after = scaled[key]
        if saving is None or after is None:
            exact = saving == after
        else:
            # Both are rounded to cents.
            exact = abs(Decimal(after) - Decimal(saving) * FACTOR) <= Decimal("0.02")
        if not exact:
            wrong.append(f"{key[2]} {key[3]}: {saving}, then {after}")
    return wrong


def resting_on_metrics(report: Mapping[str, Any]) -> list[Found]:
    """Return the findings whose evidence is a window of metrics."""
    return [found_by(one) for one in report["recommendations"] if "windowStart" in one["evidence"]]


def test_with_the_price_list_of_aws_the_same_is_found_and_more_of_it_has_a_price(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A figure that no table has makes some advice possible or impossible; neither may be a false alarm."""
    sites = planted_sites()
    with scanning(sites, store, monkeypatch) as (_, run):
        tables = run("tables")
        report = run("listed", {"pricing": {"priceList": True}})
    assert report["summary"]["apiCalls"]["pricing:GetProducts"] > 0
    assert report["gaps"] == []
    tallies = estate_scan.compared(sites, report)
    print(estate_scan.table(tallies))
    assert {check: one.false for check, one in tallies.items() if one.false} == {}
    assert {check: one.missed for check, one in tallies.items() if one.missed} == {}
    assert list(estate_scan.savings_that_differ(sites, report)) == []
    assert priced(tables) < priced(report)
    costs = {one["id"]: one["monthlyCost"] for one in report["resources"]}
    # Two capacity units for all hours, at the double's price of one: 2 × 0.12 × 730.
    assert costs["aurora-sleepy-0"] == "175.20"


def priced(report: Mapping[str, Any]) -> int:
    """Return how many resources have a cost."""
    return sum(one["monthlyCost"] is not None for one in report["resources"])


def test_what_works_hard_is_found_by_no_check_that_measures(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sites = planted_sites()
    estate_scan.busy(sites)
    with scanning(sites, store, monkeypatch) as (_, run):
        report = run("busy")
    found = {check for _, _, check, _ in resting_on_metrics(report)}
    assert found <= NO_MATTER_OF_USE.keys(), found - NO_MATTER_OF_USE.keys()


def test_while_aws_throttles_every_operation_of_every_service_once_and_a_third_of_all_the_same_is_found(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites = planted_sites()
    with scanning(sites, store, monkeypatch) as (double, run):
        run("calm")
        for service, action in (one.split(":") for one in sorted(double.counts)):
            double.control.inject({"kind": "throttle", "service": service, "action": action, "count": 1})
        once = len(double.control.faults.listing())
        double.control.inject({"kind": "throttle", "rate": 0.3})
        report = run("throttled")
        untouched = [one for one in double.control.faults.listing() if not one["hits"]]
    assert (once > 60, untouched) == (True, [])
    assert report["gaps"] == []
    tallies = estate_scan.compared(sites, report)
    assert {check: one.false for check, one in tallies.items() if one.false} == {}
    assert {check: one.missed for check, one in tallies.items() if one.missed} == {}
