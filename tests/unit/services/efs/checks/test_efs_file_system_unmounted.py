"""efs_file_system_unmounted: no machine can use it, and what is not known or new."""

from __future__ import annotations

from decimal import Decimal

from tests.unit.services.efs.file_systems import FILE_SYSTEMS, file_system

from finops_operator.services.efs.checks.efs_file_system_unmounted import CHECK


def test_a_file_system_without_a_mount_target_is_found() -> None:
    one = FILE_SYSTEMS.found(CHECK, file_system(mount_targets=0))
    assert (one.action, one.new_monthly_cost, one.evidence["mountTargets"]) == ("", Decimal(0), 0)


def test_one_mount_target_is_enough_and_an_unknown_number_is_not_none() -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system(mount_targets=1)) == "it has mount targets: 1"
    assert FILE_SYSTEMS.reason(CHECK, file_system(mount_targets=None)) == "its mount targets are not known"


def test_one_that_was_made_this_week_waits_for_its_mount_targets() -> None:
    young = file_system("available", "us-east-1", 6, mount_targets=0)
    assert FILE_SYSTEMS.reason(CHECK, young) == "it is younger than 7 days"
    FILE_SYSTEMS.found(CHECK, young, minimumAgeDays=Decimal(6))


def test_one_at_work_is_not_judged() -> None:
    assert FILE_SYSTEMS.reason(CHECK, file_system("error", mount_targets=0)) == "it is error, not available"
