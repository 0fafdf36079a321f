"""ec2_instance_previous_generation: the current type of the size, and which instances have none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import in_region, instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.services.ec2.checks.ec2_instance_previous_generation import CHECK
from finops_operator.services.ec2.instance import KIND, OFFERED_TYPES

OFFERED = frozenset({"t3.nano", "t3.large", "m5.large", "m5.xlarge", "c5.large", "r5.2xlarge", "t2.large"})
JUDGED = Bench(KIND, answers={OFFERED_TYPES: OFFERED})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("t2.large", "t3.large"),
        ("t2.nano", "t3.nano"),
        ("m4.xlarge", "m5.xlarge"),
        ("c4.large", "c5.large"),
        ("r4.2xlarge", "r5.2xlarge"),
    ],
)
def test_the_current_type_of_the_size_takes_its_place_for_less(old: str, new: str) -> None:
    one = JUDGED.found(CHECK, instance(instance_type=old))
    assert (one.action, one.target) == ("", new)
    assert Decimal(str(one.evidence["targetHourlyPrice"])) < Decimal(str(one.evidence["hourlyPrice"]))


def test_the_cost_that_remains_is_the_price_of_the_target() -> None:
    one = JUDGED.found(CHECK, instance(instance_type="t2.large"))
    assert one.new_monthly_cost == Decimal("60.7360")  # 0.0832 × 730


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance_type": "m5.large"}, "its type is current"),
        ({"instance_type": "m3.large"}, "a change of type would erase the local disks of its m3.large"),
        ({"instance_type": "m4.10xlarge"}, "no current type has the size of m4.10xlarge and runs its image"),
        ({"architecture": "i386"}, "no current type has the size of t2.large and runs its image"),
        ({"virtualization_type": "paravirtual"}, "no current type has the size of t2.large and runs its image"),
        ({"architecture": None}, "its architecture or its virtualization is not known"),
        ({"instance_type": "m4.huge"}, "nothing is known about its type"),
        ({"instance_type": None}, "its type is not known"),
        ({"capacity_reservation": "cr-0a"}, "it is in a capacity reservation for t2.large"),
        (
            {"volume_ids": [f"vol-{number}" for number in range(27)], "network_interface_count": 2},
            "no current type has the size of t2.large and runs its image",
        ),
        ({"lifecycle": "spot"}, "no price for spot instances, the table holds on-demand prices"),
        ({"tenancy": "dedicated"}, "no price for tenancy dedicated"),
    ],
)
def test_what_has_no_successor_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert JUDGED.reason(CHECK, instance("running", tags=None, **{"instance_type": "t2.large", **changes})) == why


def test_a_stopped_one_and_one_without_a_price_are_left_alone() -> None:
    old = instance(instance_type="t2.large")
    assert JUDGED.reason(CHECK, instance("stopped", instance_type="t2.large")) == "it is stopped, not running"
    assert JUDGED.reason(CHECK, in_region(old, "nowhere-1")) == "no price for t2.large in nowhere-1"


def test_what_is_to_be_seen_to_before_the_change_is_said() -> None:
    def before(**changes: Json) -> str:
        return (
            JUDGED.found(CHECK, instance("running", tags=None, **{"instance_type": "m4.large", **changes}))
            .facts[2]
            .value
        )

    assert "ENA drivers for Windows" in before(platform="windows", usage_operation="RunInstances:0002")
    assert before(ena_support=None).endswith("switch ENA on")
    assert before(ena_support=True).startswith("see that its image has NVMe drivers")


def test_a_type_that_the_zone_does_not_offer_is_never_named() -> None:
    old = instance(instance_type="t2.large")
    without = Bench(KIND, answers={OFFERED_TYPES: OFFERED - {"t3.large"}})
    assert without.reason(CHECK, old) == "its zone does not offer t3.large"
    assert Bench(KIND).reason(CHECK, old) == "which types its zone offers is not known"


def test_the_zone_is_asked_about_running_instances_of_a_previous_generation() -> None:
    question = next(one for one in KIND.listing.questions if one.id == OFFERED_TYPES)
    nothing = Utilization("i-0a")
    assert question.needed(instance(instance_type="t2.large"), nothing)
    assert not question.needed(instance("stopped", instance_type="t2.large"), nothing)
    assert not question.needed(instance(instance_type="m6g.large", architecture="arm64"), nothing)


def test_credits_and_reservations_that_change_the_sum_are_said() -> None:
    burstable = JUDGED.found(CHECK, instance(instance_type="t2.large"))
    assert [one.label for one in burstable.facts[3:]] == ["Processor credits", "Reserved Instances"]
    assert burstable.facts[-1].value == "those of t2 do not cover t3.large"
    assert [one.label for one in JUDGED.found(CHECK, instance(instance_type="m4.large")).facts[3:]] == [
        "Reserved Instances"
    ]
