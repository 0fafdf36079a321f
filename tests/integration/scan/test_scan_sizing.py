"""What a scan asks AWS beyond metrics before it advises a type or a stop: offerings of zones, owners of addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scanning import policy, report_of

from finops.store.connection import Store
from finops.store.offerings import OfferingStore
from finops_operator.scan.scan import ScanOutcome
from finops_operator.services.ec2.instance import OFFERED_TYPES
from finops_sandbox.aws.double import AwsDouble, Delays

Scan = Callable[..., ScanOutcome]
PRODUCTION = "111111111111"
OFFERINGS = "ec2:DescribeInstanceTypeOfferings"
HOURS = Decimal(730)
ADDRESS_HOUR = Decimal("0.005")

_LOW: dict[str, Any] = {"cpu": "low", "memory": "memory_low", "age": "90d"}
_IDLE: dict[str, Any] = {"cpu": "idle", "network": "quiet", "age": "90d"}
_ARM: dict[str, Any] = {"type": "t4g.large", "architecture": "arm64"}
"""Of what no other type takes the place."""
ESTATE = {
    "accounts": {PRODUCTION: {"name": "production", "regions": ["us-east-1", "eu-central-1"]}},
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                # us-east-1e has hardly anything newer than its m4; the same machine has a wide choice in us-east-1a.
                {"name": "roomy", "type": "m4.2xlarge", "zone": "a", **_LOW},
                {"name": "cramped", "type": "m4.2xlarge", "zone": "e", **_LOW},
            ],
        },
        {
            "account": "production",
            "region": "eu-central-1",
            "instances": [
                {"name": "automatic", **_ARM, "publicIp": True, **_IDLE},
                {"name": "elastic", **_ARM, **_IDLE},
                {"name": "private", **_ARM, **_IDLE},
            ],
            "addresses": [{"name": "kept", "instance": "elastic"}],
        },
    ],
}
_NITRO: dict[str, Any] = {"allow": {"hypervisorChange": True}}
SIZED = policy("production", regions=["us-east-1"], resources=["ec2-instance"], sizing=_NITRO)
IDLE_ONLY = policy(
    "production",
    regions=["eu-central-1"],
    resources=["ec2-instance"],
    checks=[{"id": "ec2_instance_overprovisioned", "enabled": False}],
)


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


def advised(outcome: ScanOutcome, check: str) -> dict[str, dict[str, Any]]:
    """Return instance name → the recommendation of `check`."""
    report = report_of(outcome)
    names = {one["id"]: one["name"] for one in report["resources"]}
    return {names[one["resource"]["id"]]: one for one in report["recommendations"] if one["check"] == check}


def test_only_types_that_the_zone_offers_are_advised(scanned: Scan, store: Store) -> None:
    outcome = scanned(SIZED)
    assert outcome.summary.gaps == ()
    offered = OfferingStore(store).in_place(PRODUCTION, "us-east-1", OFFERED_TYPES, "us-east-1e")
    assert offered
    found = advised(outcome, "ec2_instance_overprovisioned")
    assert {one["evidence"]["zoneOffering"] for one in found.values()} == {"confirmed"}
    types = {
        name: {one["parameters"]["instanceType"], *(other["instanceType"] for other in one["alternatives"])}
        for name, one in found.items()
    }
    assert types["cramped"] <= offered
    assert not types["roomy"] <= offered


def test_offerings_are_read_once_a_day_and_only_where_something_is_a_candidate(scanned: Scan, aws: AwsDouble) -> None:
    scanned(IDLE_ONLY)
    assert aws.counts[OFFERINGS] == 0
    scanned(SIZED)
    pages = aws.counts[OFFERINGS]
    assert pages > 1
    again = scanned(
        policy("production", name="another", regions=["us-east-1"], resources=["ec2-instance"], sizing=_NITRO)
    )
    assert aws.counts[OFFERINGS] == pages
    assert advised(again, "ec2_instance_overprovisioned")["cramped"]["evidence"]["zoneOffering"] == "confirmed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [({"kind": "deny"}, "UnauthorizedOperation"), ({"kind": "throttle"}, "RequestLimitExceeded")],
)
def test_offerings_that_cannot_be_read_are_a_gap_and_the_advice_says_unconfirmed(
    scanned: Scan, aws: AwsDouble, fault: dict[str, str], code: str
) -> None:
    aws.control.inject({"service": "ec2", "action": "DescribeInstanceTypeOfferings", **fault})
    outcome = scanned(SIZED)
    assert [(gap.operation, gap.code) for gap in outcome.summary.gaps] == [("DescribeInstanceTypeOfferings", code)]
    found = advised(outcome, "ec2_instance_overprovisioned")
    assert set(found) == {"roomy", "cramped"}
    assert {one["evidence"]["zoneOffering"] for one in found.values()} == {"not confirmed"}
    aws.control.reset()
    # Nothing half-read was kept: the next scan asks again.
    assert {
        one["evidence"]["zoneOffering"] for one in advised(scanned(SIZED), "ec2_instance_overprovisioned").values()
    } == {"confirmed"}


def test_a_stop_saves_an_automatic_address_and_not_an_elastic_one(scanned: Scan) -> None:
    found = advised(scanned(IDLE_ONLY), "ec2_instance_idle")
    address = (ADDRESS_HOUR * HOURS).quantize(Decimal("0.01"))
    hours = Decimal(found["private"]["currentMonthlyCost"])
    costs = {name: Decimal(one["currentMonthlyCost"]) for name, one in found.items()}
    savings = {name: Decimal(one["monthlySavings"]) for name, one in found.items()}
    assert costs == {"private": hours, "automatic": hours + address, "elastic": hours + address}
    assert savings == {"private": hours, "automatic": hours + address, "elastic": hours}
    assert Decimal(found["elastic"]["newMonthlyCost"]) == address
