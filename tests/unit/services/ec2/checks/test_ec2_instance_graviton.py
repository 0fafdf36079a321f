"""ec2_instance_graviton: as much for less on another architecture, and what does not run there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import in_region, instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.checks.ec2_instance_graviton import CHECK, FAMILIES
from finops_operator.services.ec2.instance import KIND, OFFERED_TYPES

JUDGED = Bench(KIND)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m5.2xlarge", "m6g.2xlarge"),
        ("c5.xlarge", "c6g.xlarge"),
        ("r5.large", "r6g.large"),
        ("t3.medium", "t4g.medium"),
    ],
)
def test_the_cheapest_graviton_type_of_the_size_takes_its_place(old: str, new: str) -> None:
    one = JUDGED.found(CHECK, instance(instance_type=old))
    assert (one.action, one.target) == ("", new)
    assert Decimal(str(one.evidence["targetHourlyPrice"])) < Decimal(str(one.evidence["hourlyPrice"]))


def test_the_cost_that_remains_is_the_price_of_the_target() -> None:
    assert JUDGED.found(CHECK, instance()).new_monthly_cost == Decimal("224.840")  # 0.308 × 730


def test_a_zone_that_is_known_decides_which_types_there_are() -> None:
    newer = Bench(KIND, answers={OFFERED_TYPES: frozenset({"m5.2xlarge", "m7g.2xlarge"})})
    one = newer.found(CHECK, instance())
    assert one.target == "m7g.2xlarge"
    assert [fact.value for fact in one.facts if fact.label.startswith("New type")] == ["offered"]
    none = Bench(KIND, answers={OFFERED_TYPES: frozenset({"m5.2xlarge"})})
    assert none.reason(CHECK, instance()) == "no Graviton type takes the place of m5.2xlarge"


def test_where_the_zone_is_not_known_that_is_said() -> None:
    known = {fact.label: fact.value for fact in JUDGED.found(CHECK, instance()).facts}
    assert known["New type in its availability zone"] == "sold in the region; whether in its zone was not asked"


def test_a_member_of_a_group_is_changed_in_its_launch_template() -> None:
    one = JUDGED.found(CHECK, instance(auto_scaling_group="web"))
    assert [fact.value for fact in one.facts if fact.label == "Where to change it"] == [
        "in the launch template of the Auto Scaling group web"
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance_type": "m6g.large"}, "no Graviton family takes the place of m6g.large"),
        ({"instance_type": "m5d.large"}, "no Graviton family takes the place of m5d.large"),
        ({"instance_type": "g4dn.xlarge"}, "no Graviton family takes the place of g4dn.xlarge"),
        ({"instance_type": "c5.18xlarge"}, "no Graviton type takes the place of c5.18xlarge"),
        ({"instance_type": None}, "its type is not known"),
        ({"architecture": None}, "its architecture is not known, not x86_64"),
        ({"architecture": "i386"}, "its architecture is i386, not x86_64"),
        ({"capacity_reservation": "cr-0a"}, "it is in a capacity reservation for m5.2xlarge"),
        ({"lifecycle": "spot"}, "no price for spot instances, the table holds on-demand prices"),
        (
            {"usage_operation": "RunInstances:0002", "platform": "windows"},
            "it is billed for windows, whose price on Graviton is another product",
        ),
        (
            {"usage_operation": "RunInstances:0010"},
            "it is billed for rhel, whose price on Graviton is another product",
        ),
    ],
)
def test_what_has_no_graviton_type_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert JUDGED.reason(CHECK, instance("running", tags=None, **changes)) == why


def test_a_stopped_one_and_one_without_a_price_are_left_alone() -> None:
    assert JUDGED.reason(CHECK, instance("stopped")) == "it is stopped, not running"
    assert JUDGED.reason(CHECK, in_region(instance(), "nowhere-1")) == "no price for m5.2xlarge in nowhere-1"


def test_every_target_family_runs_on_graviton_and_every_source_on_x86() -> None:
    catalog = bundled_catalog()
    for family, targets in FAMILIES.items():
        old = catalog.get(f"{family}.large")
        assert old is not None
        assert "x86_64" in old.architectures
        for target in targets:
            new = catalog.get(f"{target}.large")
            assert new is not None
            assert (new.architectures, new.processor_maker) == (frozenset({"arm64"}), "AWS")
            assert (new.vcpus, new.memory_mib) == (old.vcpus, old.memory_mib)
