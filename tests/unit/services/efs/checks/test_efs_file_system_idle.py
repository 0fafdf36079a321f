"""efs_file_system_idle: a month without a connection, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.efs.file_systems import DAY, FILE_SYSTEMS, file_system, measured, without

from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.efs.checks.efs_file_system_idle import CHECK

ONCE = summarize([0.0] * 29 + [1.0], period=DAY)


def test_a_file_system_that_no_client_connected_to_for_a_month_is_idle() -> None:
    idle = FILE_SYSTEMS.found(CHECK, file_system(), measured())
    assert (idle.action, idle.new_monthly_cost, idle.evidence["connections"]) == ("", Decimal(0), "0")
    assert idle.summary == "No client connected to it for 30 days."
    assert {fact.label: fact.value for fact in idle.facts}["Stored"] == "200.0 GiB"


def test_a_single_connection_or_byte_on_one_day_breaks_it() -> None:
    assert "clients were connected" in FILE_SYSTEMS.reason(CHECK, file_system(), measured(clientConnections=ONCE))
    assert "1 bytes were read" in FILE_SYSTEMS.reason(CHECK, file_system(), measured(meteredBytes=ONCE))


@pytest.mark.parametrize("name", ["clientConnections", "meteredBytes"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_shorter_window_or_a_younger_file_system_proves_nothing() -> None:
    short = measured(clientConnections=flat(0, days=29, period=DAY))
    assert "only 29 days" in FILE_SYSTEMS.reason(CHECK, file_system(), short)
    young = file_system("available", "us-east-1", 29)
    assert FILE_SYSTEMS.reason(CHECK, young, measured()) == "it is younger than 30 days"


def test_one_without_a_mount_target_and_one_at_work_are_not_judged() -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system(mount_targets=0), measured()) == "it has no mount target"
    assert FILE_SYSTEMS.reason(CHECK, file_system("updating"), measured()) == "it is updating, not available"


@pytest.mark.parametrize("name", ["clientConnections", "meteredBytes"])
def test_a_lost_day_may_have_been_the_one_with_a_client(name: str) -> None:
    lost = measured(**{name: day_lost(period=DAY)})
    assert (
        FILE_SYSTEMS.reason(CHECK, file_system(), lost)
        == f"nothing is known of {metric_words(name)} in 24 of its hours"
    )
