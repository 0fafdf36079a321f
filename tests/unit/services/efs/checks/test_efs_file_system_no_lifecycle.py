"""efs_file_system_no_lifecycle: much in Standard storage for ever, and what is too little or unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.efs.file_systems import FILE_SYSTEMS, GIB, file_system

from finops.domain.canonical import Json
from finops_operator.services.efs.checks.efs_file_system_no_lifecycle import CHECK


def test_much_in_standard_storage_that_never_moves_is_found_and_the_saving_is_unknown() -> None:
    one = FILE_SYSTEMS.found(CHECK, file_system(moves_to_infrequent=""))
    assert (one.action, one.new_monthly_cost) == ("", None)
    assert one.summary == "All of its 200.0 GiB stay in Standard storage, opened or not."


def test_a_byte_less_than_the_limit_breaks_it() -> None:
    FILE_SYSTEMS.found(CHECK, file_system(moves_to_infrequent="", standard_bytes=100 * GIB))
    less = file_system(moves_to_infrequent="", standard_bytes=100 * GIB - 1)
    assert FILE_SYSTEMS.reason(CHECK, less) == "it stores 100.0 GiB, 100 are needed"
    FILE_SYSTEMS.found(CHECK, less, minimumStandardGib=Decimal(50))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "it moves files to Infrequent Access: AFTER_30_DAYS"),
        ({"moves_to_infrequent": None}, "its lifecycle is not known"),
        ({"moves_to_infrequent": "", "standard_bytes": None}, "how much it stores is not known"),
    ],
)
def test_what_moves_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system(**changes)) == why


def test_one_at_work_is_not_judged() -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system("updating", moves_to_infrequent="")) == (
        "it is updating, not available"
    )
