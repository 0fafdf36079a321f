"""secretsmanager_secret_unused: not read for long, and what was read lately, never, or is not known."""

from __future__ import annotations

from decimal import Decimal

from tests.unit.services.secretsmanager.secrets import SECRETS, secret

from finops_operator.services.secretsmanager.checks.secretsmanager_secret_unused import CHECK


def test_a_secret_that_nobody_has_read_for_long_is_found() -> None:
    one = SECRETS.found(CHECK, secret(120))
    assert (one.action, one.new_monthly_cost, one.evidence["daysSinceRead"]) == ("", Decimal(0), 120)


def test_a_single_read_within_the_window_breaks_it() -> None:
    SECRETS.found(CHECK, secret(90))
    assert SECRETS.reason(CHECK, secret(89)) == "it was read 89 days ago, 90 are needed"
    SECRETS.found(CHECK, secret(31), minimumUnusedDays=Decimal(30))


def test_what_is_not_known_is_not_judged() -> None:
    assert SECRETS.reason(CHECK, secret(120, last_accessed=None)) == "when it was read last is not known"


def test_one_that_was_never_read_or_that_a_service_keeps_is_left_to_others() -> None:
    assert SECRETS.reason(CHECK, secret(None)) == "it was never read"
    assert SECRETS.reason(CHECK, secret(120, owning_service="rds")) == "an AWS service keeps it"


def test_a_secret_that_may_have_replicas_is_read_elsewhere() -> None:
    why = "it may have replicas, whose reads in other regions are not seen here"
    assert SECRETS.reason(CHECK, secret(replicated=True)) == why
