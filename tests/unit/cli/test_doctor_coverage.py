"""`finops doctor` on the coverage by commitments: whether it is on, and what scans were answered; it asks nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scan_samples import policy

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.domain.coverage import Coverage, Share
from finops.domain.resource import Gap
from finops.settings import Settings
from finops_operator.cli.diagnosis.coverage import answered, diagnose_coverage
from finops_operator.cli.diagnosis.result import Verdict

WANTED: dict[str, Any] = {"pricing": {"commitmentCoverage": True}, "accounts": [{"name": "main"}]}
TODAY, START, END = date(2026, 11, 29), date(2026, 10, 29), date(2026, 11, 28)
DENIED = Gap(
    "111111111111", "", "ce", "GetReservationCoverage", "AccessDenied", "no (allow ce:GetReservationCoverage …)"
)


def account(partition: str = "aws") -> AwsAccount:
    spec = {"accountId": "111111111111", "partition": partition, "allow": [{"namespaces": ["team-a"]}]}
    return AwsAccount.from_object(
        {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": "main"}, "spec": spec}
    )


def coverage(**parts: Any) -> Coverage:
    return Coverage("111111111111", TODAY, START, END, **parts)


def test_where_no_policy_wants_it_it_is_off_and_the_price_is_said() -> None:
    (one,) = diagnose_coverage([policy()], {"main": account()}, Settings())
    assert one.verdict is Verdict.OK
    assert one.detail.startswith("off")
    assert "$0.02 a day and account" in one.hint


def test_policies_that_could_not_be_read_leave_it_unknown() -> None:
    (one,) = diagnose_coverage(None, {}, Settings())
    assert one.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("accounts", "said"), [({}, "no account was found"), ({"main": account("aws-us-gov")}, "no bills")]
)
def test_nothing_is_promised_of_accounts_that_nobody_asks_about(accounts: dict[str, AwsAccount], said: str) -> None:
    (one,) = diagnose_coverage([policy(**WANTED)], accounts, Settings())
    assert one.verdict is Verdict.UNKNOWN
    assert said in one.detail


def test_without_a_store_and_before_the_first_answer_it_is_unknown() -> None:
    (one,) = diagnose_coverage([policy(**WANTED)], {"main": account()}, Settings())
    (none,) = answered("111111111111", None)
    assert (one.verdict, none.verdict) == (Verdict.UNKNOWN, Verdict.UNKNOWN)


def test_the_shares_are_said_with_their_days() -> None:
    shares = {"reserved": Share(Decimal(30), Decimal(90)), "planned": Share(Decimal(0), Decimal(0))}
    (one,) = answered("111111111111", coverage(**shares))
    assert one.verdict is Verdict.OK
    assert one.detail == (
        "from 2026-10-29 to 2026-11-27 Reserved Instances paid for 33.3 % of the hours of EC2 instances; "
        "nothing was used that Savings Plans can pay for"
    )


def test_a_missing_right_fails_and_says_what_grants_it_while_the_other_share_is_shown() -> None:
    shown, failed = answered("111111111111", coverage(planned=Share(Decimal(1), Decimal(2)), gaps=(DENIED,)))
    assert "Reserved Instances paid for is not known" in shown.detail
    assert "Savings Plans paid for 50.0 %" in shown.detail
    assert failed.verdict is Verdict.FAILED
    assert "finops iam-policy --commitment-coverage" in failed.hint
