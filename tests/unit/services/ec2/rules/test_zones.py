"""Which zones have prices and commitments of their own."""

from __future__ import annotations

import pytest

from finops_operator.services.ec2.rules.zones import outside_of_region


@pytest.mark.parametrize("zone", ["us-east-1-wl1-bos-wlz-1", "eu-central-1-wl1-ber-wlz-1", "us-west-2-lax-1a"])
def test_a_wavelength_zone_and_a_local_zone_are_outside_of_their_region(zone: str) -> None:
    assert outside_of_region(zone)


@pytest.mark.parametrize("zone", ["us-east-1a", "us-gov-west-1b", "cn-north-1a", "eusc-de-east-1a", "us-iso-east-1c"])
def test_an_availability_zone_of_any_partition_is_part_of_its_region(zone: str) -> None:
    assert not outside_of_region(zone)
    assert not outside_of_region("")
