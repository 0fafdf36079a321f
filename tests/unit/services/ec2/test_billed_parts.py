"""What is billed for instances and volumes in each state, and what must be called unknown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.facts import cost, instance, volume
from tests.support.judging import Bench

from finops.domain.resource import Resource
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.plugins.facts import with_facts
from finops_operator.services.ec2.instance import as_type, instance_facts
from finops_operator.services.ec2.instance import billed_parts as instance_parts
from finops_operator.services.ec2.rules.operating_system import BilledSystem, billed_system
from finops_operator.services.ec2.sizing.as_billed import as_billed
from finops_operator.services.ec2.volume import KIND as VOLUMES
from finops_operator.services.ec2.volume import billed_parts as volume_parts


def dimensions(parts: tuple[object, ...]) -> list[str]:
    return [part.dimension for part in parts]  # type: ignore[attr-defined]  # parts of both kinds


def system(resource: Resource) -> BilledSystem:
    facts = instance_facts(resource)
    return billed_system(facts.usage_operation or "", facts.platform_details or "", facts.platform)


def without(resource: Resource, *names: str) -> Resource:
    kept = {name: value for name, value in resource.attributes.items() if name not in names}
    return Resource(**{**{f: getattr(resource, f) for f in resource.__slots__}, "attributes": kept})


def test_a_running_instance_is_billed_hours_and_every_public_address() -> None:
    parts = instance_parts(instance(public_ipv4=["203.0.113.1", "203.0.113.2"], elastic=[True, False]))
    assert [(part.dimension, part.quantity) for part in parts] == [
        ("instance_hour", Decimal(1)),
        ("public_ipv4_hour", Decimal(2)),
    ]


def test_a_stopped_instance_is_billed_only_the_elastic_addresses_it_keeps() -> None:
    stopped = instance("stopped", public_ipv4=["203.0.113.1", "203.0.113.2"], elastic=[True, False])
    assert [(part.dimension, part.quantity) for part in instance_parts(stopped)] == [("public_ipv4_hour", Decimal(1))]


def test_a_stopped_instance_without_addresses_costs_nothing_and_that_is_known() -> None:
    known = cost(instance("stopped"))
    assert (known.monthly, known.hourly, known.price) == (Decimal("0.00"), None, None)


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
def test_an_ended_instance_is_billed_nothing(state: str) -> None:
    assert instance_parts(instance(state, public_ipv4=["203.0.113.1"], elastic=[True])) == ()


def test_addresses_that_were_not_given_are_unknown_not_zero() -> None:
    unknown = cost(without(instance(), "public_ipv4"))
    assert unknown.monthly is None
    assert unknown.missing == ("public_ipv4_hour: its public addresses are not known",)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"tenancy": "dedicated"}, "no price for tenancy dedicated"),
        ({"lifecycle": "spot"}, "no price for spot instances, the table holds on-demand prices"),
        ({"usage_operation": "RunInstances:0800"}, "no price for Windows with a licence of your own"),
        ({"usage_operation": "RunInstances:0102"}, "no price for Windows with SQL Server Enterprise"),
        ({"usage_operation": "RunInstances:zzzz"}, "no price for usage operation RunInstances:zzzz"),
        ({"usage_operation": "", "platform_details": "Windows BYOL"}, "no price for platform Windows BYOL"),
        ({"usage_operation": "", "platform_details": "", "platform": "solaris"}, "no price for platform solaris"),
    ],
)
def test_products_that_the_tables_do_not_hold_are_unknown_with_the_reason(
    attributes: dict[str, Any], reason: str
) -> None:
    unknown = cost(instance(**attributes))
    assert unknown.monthly is None
    assert unknown.hourly is None
    assert unknown.missing == (f"instance_hour: {reason}",)


@pytest.mark.parametrize(
    ("attributes", "os"),
    [
        ({"usage_operation": "RunInstances:0002"}, "windows"),
        ({"usage_operation": "RunInstances:0010", "platform_details": "ignored"}, "rhel"),
        ({"usage_operation": "RunInstances:000g"}, "suse"),
        ({"usage_operation": "", "platform_details": "Red Hat Enterprise Linux"}, "rhel"),
        ({"usage_operation": "", "platform_details": "Ubuntu Pro"}, "ubuntu-pro"),
        ({"usage_operation": "", "platform_details": "", "platform": "windows"}, "windows"),
        ({"usage_operation": "", "platform_details": "", "platform": ""}, "linux"),
    ],
)
def test_the_operating_system_is_read_from_the_best_witness(attributes: dict[str, Any], os: str) -> None:
    assert system(instance(**attributes)).os == os


def test_without_any_witness_the_operating_system_is_unknown() -> None:
    silent = without(instance(), "usage_operation", "platform_details", "platform")
    assert system(silent).reason_unknown == "the operating system is not known"


def test_gp3_bills_only_what_lies_above_its_free_part() -> None:
    base = volume(volume_type="gp3", iops=3000, throughput=125)
    more = volume(volume_type="gp3", iops=4000, throughput=250)
    assert dimensions(volume_parts(base)) == ["gb_month"]
    assert [(part.dimension, part.quantity) for part in volume_parts(more)][1:] == [
        ("iops_month", Decimal(1000)),
        ("throughput_mibps_month", Decimal(125)),
    ]


def test_io2_iops_fall_into_three_tiers() -> None:
    parts = volume_parts(volume(volume_type="io2", iops=70000))
    assert [(part.dimension, part.quantity) for part in parts] == [
        ("gb_month", Decimal(100)),
        ("iops_month", Decimal(32000)),
        ("iops_month_tier2", Decimal(32000)),
        ("iops_month_tier3", Decimal(6000)),
    ]


def test_io2_below_the_first_tier_has_one_price() -> None:
    assert dimensions(volume_parts(volume(volume_type="io2", iops=32000))) == ["gb_month", "iops_month"]


def test_io1_bills_all_of_its_iops() -> None:
    assert cost(volume(volume_type="io1", iops=100)).monthly == Decimal("19.00")


def test_gp2_bills_gigabytes_only_by_awss_own_price() -> None:
    assert cost(volume(size_gb=100)).monthly == Decimal("10.00")


@pytest.mark.parametrize("volume_type", ["gp3", "io1", "io2"])
def test_iops_that_were_not_given_make_the_cost_unknown(volume_type: str) -> None:
    unknown = cost(volume(volume_type=volume_type, iops=None, throughput=125))
    assert unknown.monthly is None
    assert any("not known" in reason for reason in unknown.missing)


def test_a_size_that_was_not_given_makes_the_cost_unknown() -> None:
    assert cost(volume(size_gb=None)).missing == ("gb_month: its size is not known",)


def test_a_magnetic_volume_in_use_is_billed_for_what_was_read_and_written_and_an_available_one_for_neither() -> None:
    assert cost(volume(volume_type="standard")).missing == (
        "io_request: volumeReadOpsByDay of the last 30 days is unknown (not measured)",
        "io_request: volumeWriteOpsByDay of the last 30 days is unknown (not measured)",
    )
    assert cost(volume("available", volume_type="standard")).monthly == Decimal("5.00")
    # 3,000,000 in 720 hours are 3,041,667 in 730, at 0.05 USD a million.
    month = {"volumeReadOpsByDay": MonthlyUse(1e6, 720.0), "volumeWriteOpsByDay": MonthlyUse(2e6, 720.0)}
    assert Bench(VOLUMES).cost(volume(volume_type="standard"), Utilization("vol", month=month)).monthly == Decimal(
        "5.15"
    )


def test_a_deleted_volume_is_billed_nothing() -> None:
    assert volume_parts(volume("deleting")) == ()


def test_an_instance_as_another_type_is_the_one_with_that_fact_changed() -> None:
    one = instance(public_ipv4=["203.0.113.1"], elastic=[True])
    assert as_type(one, "m5.large") == with_facts(one, replace(instance_facts(one), instance_type="m5.large"))


FACTS = st.fixed_dictionaries(
    {
        "instance_type": st.sampled_from(["m5.large", "t3.large", "m5.xlarge"]),
        "usage_operation": st.sampled_from(["RunInstances", "RunInstances:0002", "RunInstances:zzzz", ""]),
        "tenancy": st.sampled_from(["default", "dedicated"]),
        "lifecycle": st.sampled_from(["", "spot"]),
        "availability_zone": st.sampled_from(["us-east-1a", "us-east-1b", "us-east-1-bos-1a"]),
        "detailed_monitoring": st.booleans(),
        "marketplace": st.booleans(),
        "elastic": st.lists(st.booleans(), max_size=2),
    }
)
IDENTITY = st.fixed_dictionaries(
    {
        "image_id": st.sampled_from(["ami-1", "ami-2"]),
        "root_device_name": st.sampled_from(["/dev/sda1", "/dev/xvda"]),
        "auto_scaling_group": st.sampled_from(["", "web"]),
        "volume_ids": st.lists(st.sampled_from(["vol-1", "vol-2"]), max_size=2, unique=True),
        "security_groups": st.lists(st.sampled_from(["sg-1", "sg-2"]), max_size=2, unique=True),
        "state_transition_reason": st.sampled_from(["", "User initiated"]),
        "octet": st.integers(1, 9),
    }
)


@given(
    first=FACTS, second=FACTS, identities=st.tuples(IDENTITY, IDENTITY), state=st.sampled_from(["running", "stopped"])
)
def test_instances_that_are_billed_as_one_cost_the_same_whatever_type_they_get(
    first: dict[str, Any], second: dict[str, Any], identities: tuple[dict[str, Any], dict[str, Any]], state: str
) -> None:
    def made(facts: dict[str, Any], identity: dict[str, Any]) -> Resource:
        own = dict(identity)
        octet = own.pop("octet")
        addresses = [f"203.0.113.{octet + number}" for number in range(len(facts["elastic"]))]
        return instance(state, **facts, **own, public_ipv4=addresses)

    one, same, other = made(first, identities[0]), made(first, identities[1]), made(second, identities[1])
    assert as_billed(instance_facts(one)) == as_billed(instance_facts(same))
    assert (as_billed(instance_facts(one)) == as_billed(instance_facts(other))) is (first == second)
    for kind in ("m5.large", "c5.large"):
        assert cost(as_type(one, kind)) == cost(as_type(same, kind))
