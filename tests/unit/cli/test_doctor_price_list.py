"""`finops doctor` on AWS's price list: whether it is on, who asks it, whether that role may, whether it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import policy

from finops.crds.aws_account import AwsAccount
from finops.crds.part import API_VERSION
from finops.errors import AwsDenied, AwsError, AwsUnreachable
from finops.ports.aws_access import AccountAccess
from finops_operator.cli.diagnosis.price_list import diagnose_price_list
from finops_operator.cli.diagnosis.result import Result, Verdict
from finops_operator.pricing.price_list import PERMISSION
from finops_operator.services.kinesis.stream import KIND

NOW: Final = datetime(2026, 11, 29, 12, tzinfo=UTC)
WANTED: Final[dict[str, Any]] = {"pricing": {"priceList": True}, "accounts": [{"name": "china"}, {"name": "main"}]}


def account(name: str, number: str, **spec: Any) -> AwsAccount:
    whole = {"accountId": number, "allow": [{"namespaces": ["team-a"]}], **spec}
    return AwsAccount.from_object(
        {"apiVersion": API_VERSION, "kind": "AwsAccount", "metadata": {"name": name}, "spec": whole}
    )


ACCOUNTS: Final = {
    "china": account("china", "333333333333", partition="aws-cn"),
    "main": account("main", "111111111111"),
}
STEP: Final = {"unit": "ShardHour", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": "0.0200000000"}}
LISTED: Final = json.dumps(
    {
        "product": {"sku": "A1", "attributes": {"regionCode": "us-east-1", "usagetype": "Extended-ShardHour"}},
        "terms": {"OnDemand": {"A1.J": {"effectiveDate": "2026-01-01T00:00:00Z", "priceDimensions": {"A1.J.6": STEP}}}},
    }
)


class Reader:
    """AWS's answer to one account's question about prices."""

    region = "us-east-1"

    def __init__(self, access: AccountAccess, answer: list[str] | AwsError) -> None:
        self.account, self._answer = access.account_id, answer

    def once(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        raise AssertionError

    def pages(self, operation: str, _: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert operation == PERMISSION
        if isinstance(self._answer, AwsError):
            raise self._answer
        yield {"PriceList": self._answer}


def diagnosed(
    answer: list[str] | AwsError, accounts: Mapping[str, AwsAccount] = ACCOUNTS, **spec: Any
) -> tuple[list[Result], list[str]]:
    """Return the results, and the names of the accounts that were asked."""
    asked: list[str] = []

    def reader_of(access: AccountAccess) -> Reader:
        asked.append(access.name)
        return Reader(access, answer)

    policies = [policy(**{**WANTED, **spec})]
    found = diagnose_price_list(policies, accounts, {KIND.id: KIND}, reader_of, FakeClock(NOW))
    return list(found), asked


def test_where_no_policy_wants_it_it_is_off_and_nobody_is_asked() -> None:
    (result,), asked = diagnosed([LISTED], pricing={})
    assert (result.verdict, asked) == (Verdict.OK, [])
    assert result.detail.startswith("off")
    assert "spec.pricing.priceList" in result.hint


def test_the_account_is_entered_where_the_policys_scans_enter_it() -> None:
    entered: list[str] = []

    def reader_of(access: AccountAccess) -> Reader:
        entered.append(access.entry)
        return Reader(access, [LISTED])

    policies = [policy(**{**WANTED, "regions": ["eu-west-1", "us-east-1"]})]
    list(diagnose_price_list(policies, ACCOUNTS, {KIND.id: KIND}, reader_of, FakeClock(NOW)))
    assert entered == ["eu-west-1"]


def test_where_policies_cannot_be_read_it_is_not_known_whether_one_wants_it() -> None:
    def nobody(_: AccountAccess) -> Reader:
        raise AssertionError("nobody is asked")

    (found,) = diagnose_price_list(None, {}, {KIND.id: KIND}, nobody, FakeClock(NOW))
    assert (found.verdict, found.check) == (Verdict.UNKNOWN, "price-list")
    assert "could not be read" in found.detail


def test_the_account_that_a_scan_takes_is_asked_for_one_figure() -> None:
    (wanted, answered), asked = diagnosed([LISTED])
    assert asked == ["main"]
    assert (wanted.check, wanted.verdict, wanted.detail) == (
        "price-list of team-a/p",
        Verdict.OK,
        "on: AwsAccount main asks it",
    )
    assert (answered.part, answered.check, answered.verdict) == ("aws main", PERMISSION, Verdict.OK)
    assert "kinesis/extended_shard_hour in us-east-1 is 0.0200000000 USD per hour, A1" in answered.detail


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (AwsDenied("no", operation=PERMISSION, code="AccessDeniedException"), "finops iam-policy --price-list"),
        (AwsUnreachable("no answer", operation=PERMISSION, code="EndpointConnectionError"), "bundled tables"),
    ],
)
def test_a_missing_right_and_an_endpoint_without_answer_are_failures_with_the_fix(error: AwsError, words: str) -> None:
    (_, answered), _asked = diagnosed(error)
    assert answered.verdict is Verdict.FAILED
    assert answered.detail.startswith("AWS's price list could not be asked")
    assert words in answered.hint


def test_an_answer_without_the_figure_is_a_warning_that_says_why() -> None:
    (_, answered), _asked = diagnosed([])
    assert answered.verdict is Verdict.WARNING
    assert "AWS's price list has no product for it" in answered.detail


@pytest.mark.parametrize(
    ("accounts", "verdict"),
    [({"china": ACCOUNTS["china"]}, Verdict.WARNING), ({}, Verdict.UNKNOWN)],
)
def test_where_no_account_can_ask_that_is_said(accounts: Mapping[str, AwsAccount], verdict: Verdict) -> None:
    """An account of AWS China is never asked: its list is another one, in yuan."""
    (result,), asked = diagnosed([LISTED], accounts)
    assert (result.verdict, asked) == (verdict, [])
