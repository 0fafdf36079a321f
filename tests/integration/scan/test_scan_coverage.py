"""How much of the accounts' use commitments paid for: asked of Cost Explorer where a policy wants it, once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scanning import policy, report_of

from finops.store.connection import Store
from finops.store.coverage import CoverageStore
from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble, Delays

Scan = Callable[..., ScanOutcome]
PRODUCTION = "111111111111"
HALF = {"reservedHours": 24, "onDemandHours": 24, "plansSpend": 1, "onDemandSpend": 7}
ESTATE = {
    "accounts": {
        PRODUCTION: {"name": "production", "regions": ["us-east-1"]},
        "222222222222": {"name": "staging", "regions": ["us-east-1"]},
    },
    "resources": [{"account": "production", "region": "us-east-1", "commitmentCoverage": HALF}],
}
OPERATIONS = ("ce:GetReservationCoverage", "ce:GetSavingsPlansCoverage")


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


def wanting(account: str = "production", **spec: Any) -> Any:
    return policy(account, resources=["elastic-ip"], pricing={"commitmentCoverage": True}, **spec)


def asked(outcome: ScanOutcome) -> tuple[int, ...]:
    return tuple(outcome.summary.api_calls.get(one, 0) for one in OPERATIONS)


def test_the_share_of_reserved_hours_and_of_planned_spend_is_kept_for_the_account(scanned: Scan, store: Store) -> None:
    outcome = scanned(wanting())
    assert asked(outcome) == (1, 1)
    assert not outcome.summary.gaps
    found = CoverageStore(store).get(PRODUCTION)
    assert found is not None
    assert found.reserved is not None
    assert found.planned is not None
    assert (found.reserved.percent, found.planned.percent) == (Decimal("50.0"), Decimal("12.5"))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert (found.end, (found.end - found.start).days) == (yesterday, 30)
    assert "Reserved Instances paid for 50.0 % of the hours of EC2 instances" in found.in_words()


def test_the_requests_are_in_the_scans_own_bill_and_no_other_scan_of_the_day_asks_again(scanned: Scan) -> None:
    first, second = scanned(wanting()), scanned(wanting(name="another"))
    assert (asked(first), asked(second)) == ((1, 1), (0, 0))
    assert first.summary.estimated_api_cost - second.summary.estimated_api_cost == Decimal("0.02")


def test_a_policy_that_does_not_want_it_asks_nothing(scanned: Scan) -> None:
    assert asked(scanned(policy("production", resources=["elastic-ip"]))) == (0, 0)


def test_a_missing_right_is_a_gap_of_every_scan_of_the_day_and_the_share_stays_unknown(
    scanned: Scan, aws: AwsDouble, store: Store
) -> None:
    aws.control.inject({"kind": "deny", "action": "GetReservationCoverage"})
    for name in ("one", "other"):
        gaps = report_of(scanned(wanting(name=name)))["gaps"]
        assert len(gaps) == 1, gaps
        (gap,) = gaps
        assert (gap["service"], gap["operation"], gap["region"]) == ("ce", "GetReservationCoverage", "")
        assert "allow ce:GetReservationCoverage" in gap["message"]
    found = CoverageStore(store).get(PRODUCTION)
    assert found is not None
    assert found.reserved is None
    assert found.planned is not None
    assert "how much of the hours of EC2 instances Reserved Instances paid for is not known" in found.in_words()


def test_an_account_of_which_aws_has_no_data_is_unknown_and_not_zero(scanned: Scan, store: Store) -> None:
    outcome = scanned(wanting("staging"))
    assert {gap.code for gap in outcome.summary.gaps} == {"DataUnavailableException"}
    found = CoverageStore(store).get("222222222222")
    assert found is not None
    assert (found.reserved, found.planned) == (None, None)
