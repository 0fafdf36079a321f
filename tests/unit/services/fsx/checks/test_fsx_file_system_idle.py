"""fsx_file_system_idle: a month without a read or a write, and what is no proof of that."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.fsx.shares import DAY, SYSTEMS, file_system, measured, without

from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.fsx.checks.fsx_file_system_idle import CHECK


def test_a_file_system_that_nobody_read_or_wrote_for_a_month_is_idle() -> None:
    one = SYSTEMS.found(CHECK, file_system(), measured())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "Nobody read or wrote it for 30 days."
    lustre = SYSTEMS.found(CHECK, file_system(file_system_type="LUSTRE"), measured())
    assert "Lustre keeps no copy" in lustre.facts[-1].value


@pytest.mark.parametrize(("name", "what"), [("readOperations", "read"), ("writeOperations", "write")])
def test_a_single_read_or_write_breaks_it(name: str, what: str) -> None:
    once = summarize([0.0] * 29 + [1.0], period=DAY)
    assert SYSTEMS.reason(CHECK, file_system(), measured(**{name: once})) == f"1 {what} operations were counted"


@pytest.mark.parametrize("name", ["readOperations", "writeOperations"])
def test_missing_data_is_never_zero(name: str) -> None:
    assert "is unknown (Throttled)" in SYSTEMS.reason(CHECK, file_system(), without(name))
    short = measured(**{name: flat(0, days=29, period=DAY)})
    assert "only 29 days" in SYSTEMS.reason(CHECK, file_system(), short)


def test_a_young_one_and_one_that_is_changing_prove_nothing() -> None:
    assert SYSTEMS.reason(CHECK, file_system("available", 29), measured()) == "it is younger than 30 days"
    assert SYSTEMS.reason(CHECK, replace(file_system(), created=None), measured()) == "its age is not known"
    assert SYSTEMS.reason(CHECK, file_system("updating"), measured()) == "it is updating, not available"
    assert SYSTEMS.reason(CHECK, file_system(changing=True), measured()) == "AWS is still carrying out a change of it"


@pytest.mark.parametrize("name", ["readOperations", "writeOperations"])
def test_a_lost_day_may_have_been_the_one_with_clients(name: str) -> None:
    lost = measured(**{name: day_lost(period=DAY)})
    assert SYSTEMS.reason(CHECK, file_system(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
