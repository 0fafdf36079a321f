"""One name for a platform, whichever API of AWS says it."""

from __future__ import annotations

import pytest

from finops_operator.services.ec2.commitments.products import product_of, system_of
from finops_operator.services.ec2.rules.operating_system import billed_system


@pytest.mark.parametrize(
    ("instance", "reservation"),
    [
        ("Linux/UNIX", "Linux/UNIX (Amazon VPC)"),
        ("Red Hat Enterprise Linux with HA", "RHEL with HA"),
        ("Red Hat Enterprise Linux with HA", "Red Hat Enterprise Linux with High Availability"),
        ("SQL Server Standard", "Linux with SQL Server Standard"),
        ("SQL Server Enterprise", "Linux with SQL Server Enterprise"),
        ("SQL Server Web", "Linux with SQL Server Web"),
        ("Windows with SQL Server Web", "Windows with SQL Server Web (Amazon VPC)"),
        ("Ubuntu Pro", "Ubuntu Pro Linux"),
    ],
)
def test_a_platform_has_one_name_beside_instances_and_beside_commitments(instance: str, reservation: str) -> None:
    assert product_of(instance) == product_of(reservation)


def test_sql_server_without_windows_is_not_sql_server_with_windows() -> None:
    assert product_of("SQL Server Standard") != product_of("Windows with SQL Server Standard")
    assert "Linux with SQL Server Standard" in billed_system("RunInstances:0004", "", None).reason_unknown


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("Linux/UNIX", "linux"),
        ("windows", "windows"),
        ("Red Hat Enterprise Linux with High Availability", "rhel-ha"),
        ("SUSE Linux", "suse"),
        ("Ubuntu Pro Linux", "ubuntu-pro"),
        ("SQL Server Standard", ""),
        ("", ""),
    ],
)
def test_the_price_tables_know_a_platform_by_its_operating_system_or_not_at_all(platform: str, system: str) -> None:
    assert system_of(product_of(platform)) == system
