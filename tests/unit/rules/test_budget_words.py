"""A budget says in words what is not known of its month: what, of which policy, and what to do next."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from finops.crds.budget import Budget
from finops.domain.budget import Basis, BudgetState, Judgement, MonthSoFar, Reached
from finops.domain.resource import Gap
from finops_operator.rules.budget_notice import BehindAlert, notice_of
from finops_operator.rules.budget_status import summary, unknown_of

AMOUNT = Decimal(1000)
KNOWN = "At least 240.00 of 1,000.00 USD through 2026-03-10."
MONTH = MonthSoFar(Decimal(240), date(2026, 3, 10), 0, 0)
NO_DAY = MonthSoFar(Decimal(0), None, 0, 0)
UNKNOWN = Judgement(BudgetState.UNKNOWN, Decimal(240), None, None, ())
NEVER = Gap("policy europe", "", "store", "ReadHead", "NeverScanned", "no scan of the policy europe has ended yet")
DENIED = Gap("111122223333", "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "the role may not list them")
IDENTITY = Gap("production", "", "sts", "AssumeRole", "AccessDenied", "the role does not trust us.")


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        (
            (NEVER,),
            (
                f"{KNOWN} Unknown: no scan of the policy europe has ended yet. "
                "Next: kubectl describe scanpolicy europe says what its scan waits for."
            ),
        ),
        (
            (DENIED, IDENTITY),
            (
                f"{KNOWN} Unknown: what ec2:DescribeInstances would list in "
                "eu-west-1 of account 111122223333 (AccessDenied: the role may not list them), and 1 more gap of the "
                "last scans. Next: the page Policies and kubectl describe scanpolicy list every gap."
            ),
        ),
        (
            (IDENTITY,),
            (
                f"{KNOWN} Unknown: what sts:AssumeRole would show of account "
                "production (AccessDenied: the role does not trust us). Next: the page Policies and kubectl describe "
                "scanpolicy list every gap."
            ),
        ),
    ],
)
def test_what_a_scan_could_not_see_is_named_with_the_next_step(gaps: tuple[Gap, ...], words: str) -> None:
    assert summary(AMOUNT, UNKNOWN, MONTH, gaps) == words


def test_a_month_of_which_no_day_was_scanned_says_which_policy_never_was() -> None:
    assert summary(AMOUNT, UNKNOWN, NO_DAY, (NEVER,)) == (
        "No day of this month was scanned for this scope: no scan of the policy europe has ended yet. "
        "Next: kubectl describe scanpolicy europe says what its scan waits for."
    )
    assert summary(AMOUNT, UNKNOWN, NO_DAY, ()) == (
        "No day of this month was scanned for this scope. Next: check the policies of the namespace and the scope."
    )


def test_no_text_has_the_names_of_our_own_store() -> None:
    unreadable = Gap("policy web", "", "store", "ReadHead", "StoreUnsafe", "what the store holds of web cannot be read")

    for gap in (NEVER, unreadable):
        text = f"{summary(AMOUNT, UNKNOWN, MONTH, (gap,))} {unknown_of(MONTH, (gap,))}"
        assert not {"ReadHead", "NeverScanned", "store:"} & set(text.replace(" ", "\n").splitlines())
        assert gap.message in text


def test_days_that_were_not_scanned_stay_unknown_and_the_first_whole_month_is_named() -> None:
    missing = MonthSoFar(Decimal(240), date(2026, 12, 10), 9, 0)

    assert summary(AMOUNT, UNKNOWN, missing, ()) == (
        "At least 240.00 of 1,000.00 USD through 2026-12-10. Unknown: 9 days of the month not scanned whole. "
        "These days stay unknown: the first month that can be known is that from 2027-01-01 on."
    )


def test_a_forecast_without_all_prices_is_said_as_a_lower_bound() -> None:
    unpriced = MonthSoFar(Decimal(240), date(2026, 3, 10), 0, 2)
    found = Judgement(BudgetState.UNKNOWN, Decimal(240), None, Decimal(744), ())

    assert summary(AMOUNT, found, unpriced, ()) == (
        f"{KNOWN} Forecast for the month: at least 744.00 USD. Unknown: 2 resources not fully priced."
    )


@pytest.mark.parametrize(("unknown", "least"), [("2 resources not fully priced", "at least "), ("", "")])
def test_an_alert_of_a_forecast_says_at_least_where_prices_lack(unknown: str, least: str) -> None:
    budget = Budget.model_validate({"metadata": {"name": "b", "namespace": "a", "uid": "u"}, "spec": {"amount": "700"}})
    behind = BehindAlert("2026-03", MonthSoFar(Decimal(240), date(2026, 3, 10), 0, 2), unknown, (), None)

    found = notice_of(budget, Reached(Basis.FORECAST, 100, Decimal(744)), behind, (), datetime(2026, 3, 10, tzinfo=UTC))

    assert found.text == f"Budget b: 2026-03 is forecast to cost {least}744.00 of 700.00 USD, 100 % or more."
    assert found.title == f"Budget b: the month is forecast to cost {least}106 % of it"
    assert found.lines[0][1].startswith(f"{least}744.00 of 700.00 USD, forecast for the whole month")
