"""A shard is judged and its costs are kept by the hours that its instances ran, and new types are asked about once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.support.facts import instance
from tests.support.fake_clock import FakeClock
from tests.support.scanning import account, dependencies, policy
from tests.unit.scan.aggregating import Aggregating
from tests.unit.scan.measuring import NOW

from finops.domain.recommendation import Recommendation
from finops.domain.resource import Resource
from finops.errors import AwsDenied
from finops.store.connection import Store
from finops.store.inventory import ShardHead
from finops_operator.scan.judging import Brief, ShardJudge, ShardTotals
from finops_operator.scan.scan import brief_of

THIS_MORNING = NOW.replace(hour=8, minute=0)
QUIET = {"CPUUtilization": (1.0, 0.0, 0.0), "NetworkIn": (10.0, 0.0, 0.0), "NetworkOut": (10.0, 0.0, 0.0)}
NEW: dict[str, Any] = {
    "InstanceType": "m99.large",
    "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    "VCpuInfo": {"DefaultVCpus": 2},
    "MemoryInfo": {"SizeInMiB": 8192},
}


@dataclass
class Region(Aggregating):
    """A region whose machines run ten hours a day, with what it answers about types."""

    asked: list[str] = field(default_factory=list)
    refuses: bool = False
    bought: Mapping[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append(operation)
        if operation == "cloudwatch:ListMetrics":
            yield {"Metrics": []}
        elif self.refuses and operation == "ec2:DescribeInstanceTypes":
            raise AwsDenied("no", operation=operation, code="UnauthorizedOperation")
        elif operation == "ec2:DescribeInstanceTypes":
            yield {"InstanceTypes": [NEW]}
        elif operation == "service-quotas:ListServiceQuotas":
            yield {"Quotas": [{"QuotaCode": "L-1216C47A", "Value": 10_000.0}]}
        else:
            yield from self.bought.get(operation, [{}])

    __hash__ = Aggregating.__hash__


def machine(number: int, **facts: Any) -> Resource:
    known = (NOW - timedelta(days=60)).isoformat()
    made = instance(launched=THIS_MORNING.isoformat(), type_since=known, **facts)
    arn = f"arn:aws:ec2:us-east-1:111111111111:instance/i-{number}"
    return replace(made, id=f"i-{number}", arn=arn, account="111111111111", created=NOW - timedelta(days=100))


def judged(store: Store, region: Region, *machines: Resource) -> tuple[ShardTotals, list[Recommendation], Brief]:
    accounts = {"production": account("production", "111111111111")}
    wanted = policy("production", resources=["ec2-instance"], checks=[{"id": "ec2_instance_idle", "enabled": True}])
    with ThreadPoolExecutor(2) as pool:
        brief = brief_of(wanted, accounts, dependencies(store, pool), NOW, "2026")
        shard, inventory = machines[0].shard, brief.stores.inventory
        inventory.add(shard, "2026", 0, machines)
        inventory.swap(ShardHead(shard, "2026", len(machines), 1, 1, (), NOW, NOW, NOW, {}))
        judge = ShardJudge(brief, shard, region, "2026", FakeClock())
        judge.page(machines)
        totals = judge.close(whole=True)
        kept = list(brief.stores.recommendations.stream(brief.policy, "2026"))
    return totals, kept, brief


def planned(commitment: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return a Savings Plan that asks 0.24 for an hour of an m5.2xlarge."""
    said = {"instanceType": "m5.2xlarge", "productDescription": "Linux/UNIX", "tenancy": "shared"}
    rate = {
        "rate": "0.24",
        "unit": "Hrs",
        "usageType": "BoxUsage:m5.2xlarge",
        "properties": [{"name": name, "value": value} for name, value in said.items()],
    }
    of_family = {"savingsPlanId": "plan", "savingsPlanType": "EC2Instance", "state": "active", "region": "us-east-1"}
    return {
        "savingsplans:DescribeSavingsPlans": [{"savingsPlans": [{**of_family, "commitment": commitment}]}],
        "savingsplans:DescribeSavingsPlanRates": [{"searchResults": [rate]}],
    }


def by_day(slot: int) -> bool:
    return not 96 <= slot % 288 < 216


def test_what_runs_ten_hours_a_day_costs_and_saves_ten_hours_a_day(store: Store) -> None:
    totals, kept, brief = judged(store, Region(points=QUIET, off=by_day), machine(1))
    # An m5.2xlarge: 0.384 an hour.
    hours = (Decimal("0.384") * 730 * Decimal("0.4167")).quantize(Decimal("0.01"))
    assert totals.selected.monthly_cost == totals.whole.monthly_cost == hours
    assert brief.stores.costs.many(totals.shard, ["i-1"], Decimal(730))["i-1"].monthly == hours
    (idle,) = [one for one in kept if one.check == "ec2_instance_idle"]
    assert idle.monthly_savings == hours


def test_a_plan_keeps_its_part_of_the_hours_that_an_instance_ran_and_no_more(store: Store) -> None:
    _, kept, _ = judged(store, Region(points=QUIET, off=by_day, bought=planned("0.12")), machine(1))
    (idle,) = [one for one in kept if one.check == "ec2_instance_idle"]
    # The plan pays for half of each hour that it runs; ten hours a day are left of a month of 280.32.
    assert (idle.list_monthly_savings, idle.net_monthly_savings) == (Decimal("116.81"), Decimal("58.41"))


def test_another_machine_takes_a_plan_over_in_the_hours_alone_that_the_scan_saw_it_run(store: Store) -> None:
    region = Region(points=QUIET, off=by_day, bought=planned("0.24"))
    _, kept, _ = judged(store, region, machine(1), machine(2))
    idle = [one for one in kept if one.check == "ec2_instance_idle"]
    # Both are stopped at night. Whether they run in the same hours says whether one takes the plan over.
    assert [one.net_monthly_savings for one in idle] == [None, None]
    assert {one.net_note for one in idle} == {
        "it is not known in which hours instances run beside each other that are stopped again and again"
    }


def test_what_runs_all_day_costs_all_of_its_month(store: Store) -> None:
    totals, _, _ = judged(store, Region(points=QUIET), machine(1))
    assert totals.whole.monthly_cost == Decimal("280.32")


def test_new_types_are_asked_about_once_in_a_region_and_a_day(store: Store) -> None:
    region = Region(points=QUIET, off=by_day)
    totals, _, _ = judged(store, region, machine(1, instance_type="m99.large"), machine(2, instance_type="m99.large"))
    judged(store, region, machine(3, instance_type="m99.large"))
    assert region.asked.count("ec2:DescribeInstanceTypes") == 1
    assert totals.selected.unpriced == 2
    assert totals.gaps == []
    known = Region(points=QUIET, off=by_day)
    judged(store, known, machine(4))
    assert "ec2:DescribeInstanceTypes" not in known.asked


def test_where_types_may_not_be_read_that_is_a_gap_and_nothing_is_said_of_the_instance(store: Store) -> None:
    region = Region(points=QUIET, off=by_day, refuses=True)
    totals, kept, _ = judged(store, region, machine(1, instance_type="m99.large"))
    assert [(gap.operation, gap.code) for gap in totals.gaps] == [("DescribeInstanceTypes", "UnauthorizedOperation")]
    assert kept == []
