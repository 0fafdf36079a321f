"""Which types an instance can become, and which of them have room."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import instance

from finops.domain.canonical import Json
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import Catalog, InstanceType, bundled_catalog
from finops_operator.services.ec2.instance import InstanceFacts, instance_facts
from finops_operator.services.ec2.sizing.fit import (
    attachable,
    compatible_types,
    has_room,
    machine_of,
    one_step,
    refusal,
    speed_factor,
)
from finops_operator.services.ec2.sizing.need import Need

LITTLE = Need(0.5, 0.1, 0.1, 512, 0.01, 10, 1)


def kind(name: str) -> InstanceType:
    found = bundled_catalog().get(name)
    assert found is not None
    return found


def facts(**attributes: Any) -> InstanceFacts:
    return instance_facts(instance(**attributes))


def names(policy: SizingPolicy | None = None, **attributes: Any) -> set[str]:
    machine = machine_of(facts(**attributes))
    return {found.name for found in compatible_types(bundled_catalog(), machine, policy or SizingPolicy())}


def test_candidates_are_smaller_keep_the_architecture_and_are_not_older() -> None:
    found = names()
    assert {"m5.xlarge", "m5.large", "m6i.xlarge", "r5.xlarge"} <= found
    assert not {"m5.2xlarge", "m5.4xlarge", "m6g.xlarge", "m4.xlarge", "t3.2xlarge"} & found
    assert all("x86_64" in kind(name).architectures for name in found)


def test_graviton_stays_on_graviton() -> None:
    found = names(instance_type="m6g.2xlarge", architecture="arm64")
    assert "m6g.xlarge" in found
    assert all(kind(name).architectures == {"arm64"} for name in found)


def test_no_candidate_has_local_disks_a_gpu_or_bare_metal() -> None:
    assert not {"m5d.xlarge", "g4dn.xlarge", "m5.metal"} & names()
    assert names(instance_type="m99.large") == set()


def test_no_candidate_has_a_single_vcpu_where_there_were_more() -> None:
    found = names(instance_type="m6i.large", ena_support=True)
    assert found
    assert {kind(name).vcpus for name in found} == {2}


def test_one_vcpu_is_a_candidate_only_of_a_policy_that_says_so() -> None:
    small: dict[str, Any] = {"instance_type": "t2.medium", "ena_support": True}
    assert "t2.small" not in names(**small)
    assert "t2.small" in names(SizingPolicy(minimum_vcpus=1), **small)
    four = {kind(name).vcpus for name in names(SizingPolicy(minimum_vcpus=4))}
    assert min(four) == 4
    # What has fewer than the policy's minimum keeps its own number.
    assert {kind(name).vcpus for name in names(SizingPolicy(minimum_vcpus=4), **small)} == {2}


def test_a_move_to_nitro_needs_the_network_driver_known_to_be_on() -> None:
    assert "t3.medium" in names(instance_type="t2.large", ena_support=True)
    for unknown in (False, None):
        found = names(instance_type="t2.large", ena_support=unknown)
        assert "t2.medium" in found
        assert not any(kind(name).nitro for name in found)


def test_windows_stays_on_its_hypervisor() -> None:
    found = names(instance_type="t2.large", platform_details="Windows")
    assert "t2.medium" in found
    assert "t3.medium" not in found


def test_boot_mode_virtualization_and_hibernation_must_be_supported() -> None:
    assert "m5.xlarge" in names(boot_mode="uefi-preferred")
    assert names(boot_mode="uefi") <= {name for name in names() if "uefi" in kind(name).boot_modes}
    assert names(virtualization_type="paravirtual") == set()
    assert all(kind(name).hibernation for name in names(hibernation_configured=True))


def test_families_of_the_policy_bound_the_candidates() -> None:
    only = names(SizingPolicy(allow_families=frozenset({"m6i"})))
    assert only
    assert {kind(name).family for name in only} == {"m6i"}
    assert not any(name.startswith("t3.") for name in names(SizingPolicy(deny_families=frozenset({"t3"}))))


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"root_device_type": "instance-store"}, "its root device"),
        ({"root_device_type": None}, "its root device"),
        ({"instance_type": "m5d.2xlarge"}, "its local disks"),
        ({"instance_type": "m5.metal"}, "it is bare metal"),
        ({"lifecycle": "spot"}, "it is not an on-demand instance"),
        ({"tenancy": "host"}, "it does not run on shared hardware"),
        ({"placement_group": "cluster"}, "it sits in a placement group"),
        ({"capacity_reservation": "cr-1"}, "it uses a capacity reservation"),
        ({"architecture": ""}, "its architecture is not known"),
        ({"virtualization_type": None}, "its virtualization is not known"),
        ({"network_interface_count": None}, "its network interfaces are not known"),
        ({"network_interface_count": 3}, "it has more network interfaces"),
        ({"volume_ids": None}, "its volumes are not known"),
    ],
)
def test_instances_that_cannot_change_in_place_are_refused(attributes: dict[str, Any], reason: str) -> None:
    changed = facts(**attributes)
    assert refusal(changed, kind(changed.instance_type or "")).startswith(reason)


def test_an_ordinary_instance_is_not_refused() -> None:
    assert refusal(facts(), kind("m5.2xlarge")) == ""


def test_one_step_halves_and_no_more() -> None:
    assert one_step(kind("m5.2xlarge"), kind("m5.xlarge"))
    assert not one_step(kind("m5.2xlarge"), kind("m5.large"))
    assert not one_step(kind("r5.xlarge"), kind("c5.xlarge"))


def test_volumes_and_interfaces_share_the_slots_of_nitro() -> None:
    many: list[Json] = [f"vol-{number}" for number in range(26)]
    assert attachable(facts(volume_ids=many, network_interface_count=1), kind("m5.xlarge"))
    assert not attachable(facts(volume_ids=many, network_interface_count=2), kind("m5.xlarge"))
    assert attachable(facts(volume_ids=many, network_interface_count=2), kind("t2.medium"))
    assert not attachable(facts(), replace(kind("m5.xlarge"), max_ebs_attachments=None))
    assert attachable(facts(volume_ids=None, network_interface_count=None), kind("m5.xlarge"))


def test_a_slower_clock_counts_against_the_target_and_a_faster_one_not_for_it() -> None:
    assert speed_factor(kind("m6i.large"), kind("m7i.large")) < 1
    assert speed_factor(kind("m5.large"), kind("m6i.large")) == 1
    assert speed_factor(replace(kind("m5.large"), clock_ghz=None), kind("m6i.large")) == 1


@pytest.mark.parametrize(
    ("need", "fits"),
    [
        (LITTLE, True),
        (replace(LITTLE, vcpus=4.01), False),
        (replace(LITTLE, memory_mib=16385), False),
        (replace(LITTLE, memory_mib=16384), True),
        (replace(LITTLE, memory_mib=None), False),
        (replace(LITTLE, network_gbps=1.26), False),
        (replace(LITTLE, network_gbps=None), False),
        (replace(LITTLE, ebs_iops=6001), False),
        (replace(LITTLE, ebs_iops=None), False),
        (replace(LITTLE, ebs_mbytes_per_second=144), False),
        (replace(LITTLE, ebs_mbytes_per_second=None), False),
    ],
)
def test_every_dimension_must_fit_and_an_unknown_one_must_not_shrink(need: Need, fits: bool) -> None:
    assert has_room(need, kind("m5.2xlarge"), kind("m5.xlarge")) is fits


@pytest.mark.parametrize(
    ("packets", "target", "fits"),
    [
        (104_000, "m5.xlarge", True),
        (105_000, "m5.xlarge", False),
        (9_000_000, "m5.2xlarge", True),
        (None, "m5.xlarge", True),
    ],
)
def test_packets_must_fit_as_full_frames_or_the_network_must_not_get_smaller(
    packets: float | None, target: str, fits: bool
) -> None:
    # 1.25 Gbit/s of frames of 1,500 bytes are 104,167 a second.
    assert has_room(replace(LITTLE, packets_per_second=packets), kind("m5.2xlarge"), kind(target)) is fits


def test_dimensions_that_keep_their_size_may_be_unknown() -> None:
    unknown = Need(0.5, 0.1, 0.1, None, None, None, None)
    assert has_room(unknown, kind("m5.xlarge"), replace(kind("m5.xlarge"), vcpus=2))


def test_a_huge_bound_of_volume_traffic_does_not_demand_more_than_the_instance_has_now() -> None:
    bound = replace(LITTLE, ebs_mbytes_per_second=100_000)
    assert has_room(bound, kind("m5.xlarge"), replace(kind("m5.xlarge"), vcpus=2))


def test_unpublished_bandwidth_counts_against_a_candidate() -> None:
    dark = replace(kind("m5.xlarge"), network_baseline_gbps=None)
    assert not has_room(LITTLE, kind("m5.2xlarge"), dark)
    nothing = replace(dark, ebs_baseline_mbytes_per_second=None)
    unknown = replace(LITTLE, ebs_mbytes_per_second=None, network_gbps=None)
    assert not has_room(unknown, nothing, kind("m5.xlarge"))
    assert not has_room(replace(unknown, network_gbps=0.01), replace(nothing), kind("m5.xlarge"))
    no_disks_told = replace(kind("m5.2xlarge"), ebs_baseline_mbytes_per_second=None, network_baseline_gbps=None)
    assert has_room(LITTLE, no_disks_told, kind("m5.xlarge"))
    assert not has_room(LITTLE, kind("m5.2xlarge"), replace(nothing, network_baseline_gbps=None))


def test_a_target_without_volume_bandwidth_has_what_its_network_leaves() -> None:
    """A t2.medium sustains 32 MB/s, of which 1.25 are taken by what goes over the network."""
    little = replace(LITTLE, network_gbps=0.01)
    assert has_room(replace(little, ebs_mbytes_per_second=30), kind("t2.large"), kind("t2.medium"))
    assert not has_room(replace(little, ebs_mbytes_per_second=31), kind("t2.large"), kind("t2.medium"))
    shared_with_nothing = replace(
        kind("m5.xlarge"), ebs_baseline_mbytes_per_second=None, network_baseline_gbps=Decimal("0.001")
    )
    assert not has_room(LITTLE, kind("m5.2xlarge"), shared_with_nothing)


def test_what_an_instance_without_volume_bandwidth_carries_now_is_not_that_of_its_network() -> None:
    """A t2.medium may have moved more to its volumes than its network sustains: unmeasured, nothing is no less."""
    unmeasured = replace(LITTLE, ebs_mbytes_per_second=None, ebs_iops=None)
    more_than_its_network = replace(kind("t3a.small"), ebs_baseline_mbytes_per_second=Decimal(33))
    assert not has_room(unmeasured, kind("t2.medium"), more_than_its_network)
    measured = replace(unmeasured, ebs_mbytes_per_second=34.0, ebs_iops=100.0)
    assert not has_room(measured, kind("t2.medium"), more_than_its_network)
    assert has_room(replace(measured, ebs_mbytes_per_second=33.0), kind("t2.medium"), more_than_its_network)


def test_burstable_targets_must_earn_what_the_workload_spends() -> None:
    t3, m5 = kind("t3.xlarge"), replace(kind("m5.2xlarge"), clock_ghz=Decimal("2.5"))
    calm = Need(3, 1.5, 2.0, 1024, 0.01, 10, 1)
    assert has_room(calm, m5, t3)
    assert not has_room(replace(calm, sustained_vcpus=1.7), m5, t3)
    assert not has_room(replace(calm, worst_day_vcpus=3.3), m5, t3)


def test_flex_targets_must_carry_the_mean_within_their_share() -> None:
    flex, m5 = kind("m7i-flex.xlarge"), replace(kind("m5.2xlarge"), clock_ghz=None)
    assert has_room(Need(3, 1.6, 2, 1024, 0.01, 10, 1), m5, flex)
    assert not has_room(Need(3, 1.7, 2, 1024, 0.01, 10, 1), m5, flex)


def test_candidates_of_another_catalog_are_not_mixed_up() -> None:
    small = Catalog({"m5.2xlarge": kind("m5.2xlarge"), "m5.large": kind("m5.large")})
    found = compatible_types(small, machine_of(facts()), SizingPolicy())
    assert [one.name for one in found] == ["m5.large"]


def test_a_core_that_two_vcpus_share_is_half_a_core_and_one_of_its_own_no_more_than_one() -> None:
    assert speed_factor(kind("t2.large"), kind("t3.medium")) <= 0.5
    assert speed_factor(kind("m6a.large"), kind("m7a.large")) == 1
    unknown = replace(kind("m5.large"), threads_per_core=None)
    assert speed_factor(replace(unknown, threads_per_core=1), unknown) == 0.5
    assert speed_factor(unknown, unknown) == 1


@pytest.mark.parametrize("name", ["inf1.2xlarge", "f2.6xlarge", "vt1.3xlarge", "trn1.2xlarge", "dl2q.24xlarge"])
def test_what_has_an_accelerator_is_never_changed_and_never_a_target(name: str) -> None:
    assert refusal(facts(instance_type=name), kind(name)) == "how much its accelerators are used is not measured"
    candidates = compatible_types(bundled_catalog(), machine_of(facts(instance_type="m1.xlarge")), SizingPolicy())
    assert not any(found.name.startswith(("inf", "f1", "f2", "vt", "trn", "dl", "hpc", "u-")) for found in candidates)
