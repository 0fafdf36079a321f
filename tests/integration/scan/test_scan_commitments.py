"""What a scan reads of commitments, and what it says an act saves beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support.scanning import policy, report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble, Delays

Scan = Callable[..., ScanOutcome]
PRODUCTION = "111111111111"
_IDLE: dict[str, Any] = {"type": "m6i.large", "cpu": "idle", "network": "quiet", "age": "90d"}
_BUSY: dict[str, Any] = {"type": "m6i.large", "cpu": "busy", "age": "90d"}
REGIONS = ["us-east-1", "us-east-2", "us-west-2"]
ESTATE = {
    "accounts": {PRODUCTION: {"name": "production", "regions": REGIONS}},
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [{"name": "alone", **_IDLE}, {"name": "slot", **_IDLE, "type": "c6i.large"}],
            "reservedInstances": [
                {"name": "bought", "type": "m6i.large", "ends": "92d"},
                {"name": "over", "type": "m6i.large", "state": "retired", "count": 9},
            ],
            "capacityReservations": [{"name": "held", "type": "c6i.large", "instances": ["slot"]}],
        },
        {
            "account": "production",
            "region": "us-east-2",
            "instances": [{"name": "taken-over", **_IDLE}, {"name": "busy", **_BUSY}],
            "reservedInstances": [{"name": "bought", "type": "m6i.large"}],
        },
        {
            "account": "production",
            "region": "us-west-2",
            "instances": [{"name": "planned", **_IDLE}, {"name": "big", **_IDLE, "type": "c6i.large"}],
            # 0.03 of 0.06 an hour: half of the instance's hours.
            "savingsPlans": [
                {"name": "family", "type": "EC2Instance", "family": "m6i", "commitment": "0.03",
                 "rates": {"m6i.large": "0.06"}},
            ],
        },
    ],
}  # fmt: skip
IDLE_ONLY = policy(
    "production",
    regions=REGIONS,
    resources=["ec2-instance"],
    checks=[
        {"id": "ec2_instance_graviton", "enabled": False},
        {"id": "ec2_instance_overprovisioned", "enabled": False},
        {"id": "ec2_instance_underprovisioned", "enabled": False},
    ],
)


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


def advised(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return instance name → what is advised for it."""
    names = {one["id"]: one["name"] for one in report["resources"]}
    return {names[one["resource"]["id"]]: one for one in report["recommendations"]}


def test_list_and_net_stand_side_by_side_and_the_net_saving_decides(scanned: Scan) -> None:
    outcome = scanned(IDLE_ONLY)
    report = report_of(outcome)
    found = advised(report)
    figures = {
        name: (one["listMonthlySavings"], one["netMonthlySavings"], one["monthlySavings"])
        for name, one in found.items()
    }
    assert figures == {
        "alone": ("70.08", "0.00", "0.00"),
        "slot": ("62.05", "0.00", "0.00"),
        "taken-over": ("70.08", "70.08", "70.08"),
        "planned": ("70.08", "35.04", "35.04"),
        "big": ("62.05", "62.05", "62.05"),
    }
    assert found["alone"]["netNote"].startswith("a Reserved Instance until ")
    assert found["slot"]["netNote"] == "a capacity reservation covers it"
    assert {one["code"] for one in found["alone"]["blockedBy"]} >= {"BelowMinimum"}
    # The policy only recommends: all of it is blocked, and what saves nothing adds nothing.
    assert report["summary"]["savings"]["blocked"] == "167.17"
    calls = report["summary"]["apiCalls"]
    asked = {name: calls.get(name) for name in ("ec2:DescribeReservedInstances", "ec2:DescribeCapacityReservations")}
    assert asked == dict.fromkeys(asked, len(REGIONS))
    assert calls["savingsplans:DescribeSavingsPlans"] == len(REGIONS)
    assert calls["savingsplans:DescribeSavingsPlanRates"] == 1
    assert not outcome.summary.gaps


def test_a_missing_right_is_a_gap_that_names_it_and_leaves_the_saving_at_list_price(
    scanned: Scan, aws: AwsDouble
) -> None:
    aws.control.inject({"kind": "deny", "action": "DescribeReservedInstances", "region": "us-east-2"})
    report = report_of(scanned(IDLE_ONLY))
    one = advised(report)["taken-over"]
    assert (one["listMonthlySavings"], one["netMonthlySavings"], one["monthlySavings"]) == ("70.08", None, "70.08")
    assert one["netNote"] == "ec2:DescribeReservedInstances failed"
    (gap,) = report["gaps"]
    assert (gap["region"], gap["operation"]) == ("us-east-2", "DescribeReservedInstances")
    assert "ec2:DescribeReservedInstances" in gap["message"]


def test_where_nothing_can_be_saved_nobody_is_asked_about_commitments(scanned: Scan) -> None:
    busy = policy(
        "production", regions=["us-east-2"], resources=["ec2-instance"], selector={"includeTags": {"a": ["b"]}}
    )
    assert not [
        name
        for name in scanned(busy).summary.api_calls
        if "Reserved" in name or "Reservation" in name or "savingsplans" in name
    ]
