"""secretsmanager_secret_never_used: old and never read, and what is young, was read once, or is not known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.unit.services.secretsmanager.secrets import SECRETS, secret

from finops_operator.services.secretsmanager.checks.secretsmanager_secret_never_used import CHECK


def test_an_old_secret_that_was_never_read_is_found_and_saves_its_month() -> None:
    one = SECRETS.found(CHECK, secret(None))
    assert (one.action, one.new_monthly_cost, one.evidence["ageDays"]) == ("", Decimal(0), 365)


def test_a_day_less_than_the_limit_is_not_enough() -> None:
    SECRETS.found(CHECK, secret(None, 90))
    assert SECRETS.reason(CHECK, secret(None, 89)) == "it is younger than 90 days"


def test_a_single_read_breaks_it_however_long_ago() -> None:
    assert "it was read on " in SECRETS.reason(CHECK, secret(360))


def test_what_is_not_known_is_not_judged() -> None:
    assert SECRETS.reason(CHECK, secret(None, last_accessed=None)) == "when it was read last is not known"
    assert SECRETS.reason(CHECK, replace(secret(None), created=None)) == "its age is not known"
    assert SECRETS.reason(CHECK, secret(None, owning_service="rds")) == "an AWS service keeps it"


def test_a_secret_that_may_have_replicas_is_read_elsewhere() -> None:
    why = "it may have replicas, whose reads in other regions are not seen here"
    assert SECRETS.reason(CHECK, secret(None, replicated=True)) == why
