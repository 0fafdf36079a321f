"""A scan of what is billed by use, from the listing to the report, with an AWS that answers from functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.scanning import account, dependencies, policy, report_of

from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_read import PageReader
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops_operator.aws.counting import CallCounter
from finops_operator.scan.scan import ScanOutcome, scan

ACCOUNT = "111111111111"
ACCOUNTS = {"production": account("production", ACCOUNT)}
A_SECOND = 70.0
"""Units that each table consumes, reading and writing."""


@dataclass
class Aws:
    """One region with two tables on demand; `lost` are metrics that CloudWatch does not give."""

    lost: frozenset[str] = frozenset()
    account: str = ACCOUNT
    region: str = "us-east-1"
    periods: set[int] = field(default_factory=set)

    def reader(
        self, access: AccountAccess, region: str, tenant: Tenant, counter: CallCounter | None = None
    ) -> PageReader:
        del access, region, tenant, counter
        return self

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        yield self.once(operation, parameters)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        del datapoints, metrics
        match operation:
            case "ec2:DescribeRegions":
                return {"Regions": [{"RegionName": self.region, "OptInStatus": "opt-in-not-required"}]}
            case "dynamodb:ListTables":
                return {"TableNames": ["orders", "hidden"]}
            case "dynamodb:DescribeTable":
                return {"Table": self._table(parameters["TableName"])}
            case "resourcegroupstaggingapi:GetResources":
                arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/hidden"
                return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": [{"Key": "team", "Value": "other"}]}]}
            case "cloudwatch:GetMetricData":
                return {"MetricDataResults": [self._series(one, parameters) for one in parameters["MetricDataQueries"]]}
        return {}

    @staticmethod
    def _table(name: str) -> dict[str, Any]:
        created = (datetime.now(UTC) - timedelta(days=400)).timestamp()
        return {
            "TableName": name,
            "TableStatus": "ACTIVE",
            "CreationDateTime": str(created),
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "TableSizeBytes": 2**30,
        }

    def _series(self, query: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
        period, metric = query["MetricStat"]["Period"], query["MetricStat"]["Metric"]["MetricName"]
        self.periods.add(period)
        if metric in self.lost:
            return {"Id": query["Id"], "StatusCode": "InternalError", "Timestamps": [], "Values": []}
        start, end = (int(parameters[name].timestamp()) for name in ("StartTime", "EndTime"))
        stamps = [float(at) for at in range(start, end, period)]
        return {
            "Id": query["Id"],
            "StatusCode": "Complete",
            "Timestamps": stamps,
            "Values": [A_SECOND * period] * len(stamps),
        }


def scanned(store: Store, aws: Aws, name: str = "all", **spec: Any) -> ScanOutcome:
    with ThreadPoolExecutor(4) as pool:
        deps = replace(dependencies(store, pool), readers=aws)
        wanted = policy("production", name=name, resources=["dynamodb-table"], **spec)
        return scan(wanted, ACCOUNTS, deps, SystemClock())


def test_what_was_consumed_is_billed_and_judged_by_its_busiest_five_minutes(store: Store) -> None:
    aws = Aws()
    outcome = scanned(store, aws)
    assert outcome.summary.gaps == ()
    orders = next(one for one in report_of(outcome)["resources"] if one["id"] == "orders")
    # 70 reads and writes a second over 730 hours: 183,960,000 × (0.000000125 + 0.000000625), and a GiB at 0.25.
    assert (orders["monthlyCost"], orders["monthlyCostByUse"], orders["hourlyCost"]) == ("138.22", "137.97", None)
    by_use = [one for one in orders["costParts"] if one["byUse"]]
    assert [(one["dimension"], one["usedInHours"], one["monthlyCost"]) for one in by_use] == [
        ("read_request", "720.0", "23.00"),
        ("write_request", "720.0", "114.98"),
    ]
    advice = {(one["check"], one["resource"]["id"]): one for one in report_of(outcome)["recommendations"]}
    assert advice.keys() == {("dynamodb_table_to_provisioned", "orders"), ("dynamodb_table_to_provisioned", "hidden")}
    assert advice["dynamodb_table_to_provisioned", "orders"]["newMonthlyCost"] == "57.19"
    assert aws.periods == {300, 3600, 86_400}


def test_without_its_metric_such_a_cost_is_unknown_and_nothing_is_recommended(store: Store) -> None:
    outcome = scanned(store, Aws(lost=frozenset({"ConsumedWriteCapacityUnits"})))
    (orders,) = [one for one in report_of(outcome)["resources"] if one["id"] == "orders"]
    assert (orders["monthlyCost"], orders["monthlyCostByUse"]) == (None, None)
    assert orders["priceMissing"] == [
        "write_request: consumedWriteUnits of the last 30 days is unknown (InternalError)"
    ]
    assert report_of(outcome)["recommendations"] == []
    assert outcome.summary.unpriced_resources == 2
    # What is known of the two tables counts: reads and storage, 23.245 a month each.
    assert outcome.summary.monthly_cost == Decimal("46.50")


def test_what_a_policy_does_not_select_keeps_the_cost_that_another_one_measured(store: Store) -> None:
    both = scanned(store, Aws())
    narrow = scanned(store, Aws(), name="narrow", selector={"excludeTags": {"team": ["other"]}})
    assert [one["id"] for one in report_of(narrow)["resources"]] == ["orders"]
    again = {one["id"]: one["monthlyCost"] for one in report_of(both)["resources"]}
    assert again == {"orders": "138.22", "hidden": "138.22"}
