"""fsx_file_system_storage: storage that is never filled, and what is fuller, small, of another type or not known."""

from __future__ import annotations

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.fsx.shares import SYSTEMS, file_system, measured, without

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.services.fsx.checks.fsx_file_system_storage import CHECK

HOURS = 14 * 24
WHOLE = 2000 * 2**30


def free(*shares: float) -> Utilization:
    """Return two weeks with most of the storage free, their last hours as given."""
    series = [0.8 * WHOLE] * (HOURS - len(shares)) + [share * WHOLE for share in shares]
    return measured(freeStorageBytes=summarize(series))


def test_a_file_system_that_never_fills_its_storage_is_found_and_its_saving_is_unknown() -> None:
    one = SYSTEMS.found(CHECK, file_system(), free())
    assert (one.action, one.new_monthly_cost, one.evidence["usedPercent"]) == ("", None, "20")
    assert one.summary == "It never used more than 20 % of its storage."


def test_a_single_hour_at_the_limit_breaks_it() -> None:
    SYSTEMS.found(CHECK, file_system(), free(0.61))
    why = "40 % of its storage were used, 40 % are the limit"
    assert SYSTEMS.reason(CHECK, file_system(), free(0.6)) == why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"storage_gib": 499}, "it has 499 GiB, 500 are needed"),
        ({"storage_gib": None}, "its storage is not known"),
        ({"storage_type": "HDD"}, "it has 2000 GiB, and HDD storage begins at 2000"),
        ({"file_system_type": "ONTAP"}, "its type is ONTAP, not WINDOWS"),
        ({"file_system_type": None}, "its type is not known, not WINDOWS"),
        ({"changing": True}, "AWS is still carrying out a change of it"),
    ],
)
def test_small_ones_other_types_and_what_is_not_known_are_not_judged(changes: dict[str, Json], why: str) -> None:
    assert SYSTEMS.reason(CHECK, file_system(**changes), free()) == why


def test_missing_data_is_never_free_storage() -> None:
    assert "is unknown (Throttled)" in SYSTEMS.reason(CHECK, file_system(), without("freeStorageBytes"))
    short = measured(freeStorageBytes=flat(0.8 * WHOLE, days=13))
    assert "only 13 days" in SYSTEMS.reason(CHECK, file_system(), short)
