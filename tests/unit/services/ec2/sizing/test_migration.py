"""What a change of type asks of people, and which changes a policy lets them have carried out."""

from __future__ import annotations

import pytest

from finops.domain.recommendation import Effort
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.sizing.migration import migration_effort, not_allowed


def kind(name: str) -> InstanceType:
    found = bundled_catalog().get(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("current", "target", "effort"),
    [
        ("m5.2xlarge", "m5.xlarge", Effort.VERY_LOW),
        ("m5.2xlarge", "m7i.xlarge", Effort.VERY_LOW),
        ("m5.2xlarge", "t3.xlarge", Effort.LOW),
        ("m5.2xlarge", "m5a.xlarge", Effort.LOW),
        ("m4.2xlarge", "m5.xlarge", Effort.MEDIUM),
        ("m5.2xlarge", "m6g.xlarge", Effort.HIGH),
    ],
)
def test_the_effort_grows_from_the_same_processor_to_drivers_and_another_image(
    current: str, target: str, effort: Effort
) -> None:
    assert migration_effort(kind(current), kind(target)) is effort


@pytest.mark.parametrize(
    ("current", "target", "field"),
    [
        ("m5.2xlarge", "m6a.xlarge", "vendor_change"),
        ("m6a.2xlarge", "m5.xlarge", "vendor_change"),
        ("m4.2xlarge", "m5.xlarge", "hypervisor_change"),
        ("t2.large", "t3.medium", "hypervisor_change"),
    ],
)
def test_another_vendor_and_another_hypervisor_are_not_allowed_by_default(
    current: str, target: str, field: str
) -> None:
    assert not_allowed(kind(current), kind(target), SizingPolicy()) != ""
    assert not_allowed(kind(current), kind(target), SizingPolicy(**{field: True})) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("current", "target"),
    [("m5.2xlarge", "m7i.xlarge"), ("t2.large", "t2.medium"), ("g4dn.2xlarge", "g4dn.xlarge")],
)
def test_the_same_vendor_and_hypervisor_need_no_permission(current: str, target: str) -> None:
    assert not_allowed(kind(current), kind(target), SizingPolicy()) == ""


def test_burstable_is_not_allowed_by_default_and_a_burstable_instance_may_always_stay_one() -> None:
    none = SizingPolicy()
    assert not_allowed(kind("m5.2xlarge"), kind("t3.xlarge"), SizingPolicy(burstable=True)) == ""
    assert not_allowed(kind("m5.2xlarge"), kind("t3.xlarge"), none) == (
        "its CPU becomes burstable (sizing.allow.burstable)"
    )
    assert not_allowed(kind("t3.large"), kind("t3.medium"), none) == ""


def test_a_maker_that_the_name_of_a_type_does_not_say_is_another_one() -> None:
    reason = not_allowed(kind("g4dn.2xlarge"), kind("g5.xlarge"), SizingPolicy())
    assert reason == "the maker of the processor changes (unknown → unknown; sizing.allow.vendorChange)"


def test_a_target_that_another_quota_counts_is_not_carried_out_since_its_room_is_not_known() -> None:
    reason = "another quota of vCPUs counts it (L-1216C47A), whose room is not known"
    assert not_allowed(kind("x2iezn.4xlarge"), kind("r5.2xlarge"), SizingPolicy()) == reason
    assert not_allowed(kind("x2iezn.4xlarge"), kind("x2iezn.2xlarge"), SizingPolicy()) == ""


def test_every_change_that_is_not_allowed_is_named() -> None:
    reason = not_allowed(kind("m4.2xlarge"), kind("t3a.xlarge"), SizingPolicy(burstable=False))
    assert [name for name in ("vendorChange", "hypervisorChange", "burstable") if name in reason] == [
        "vendorChange",
        "hypervisorChange",
        "burstable",
    ]
