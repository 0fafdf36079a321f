"""ec2_instance_graviton: the type of the size on Graviton, and what cannot move there."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import NOW, in_region, instance
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.recommendation import Effort, Finding, NotRecommended
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Pictures, Settled
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.checks.ec2_instance_graviton import CHECK
from finops_operator.services.ec2.instance import KIND, OFFERED_TYPES
from finops_operator.services.ec2.rules.graviton import graviton_types

EVERYTHING = frozenset(kind.name for kind in bundled_catalog())
JUDGED = Bench(KIND, answers={OFFERED_TYPES: EVERYTHING})
DEFAULTS = {spec.name: spec.default for spec in CHECK.parameters}


@pytest.mark.parametrize(
    ("x86", "arm"),
    [
        ("m5.2xlarge", "m6g.2xlarge"),
        ("m6i.large", "m6g.large"),
        ("m7i.large", "m7g.large"),
        ("m4.large", "m6g.large"),
        ("c5.xlarge", "c6g.xlarge"),
        ("r5.large", "r6g.large"),
        ("t3.large", "t4g.large"),
        ("t2.nano", "t4g.nano"),
        ("m5d.large", "m6gd.large"),
    ],
)
def test_the_cheapest_type_of_the_size_on_graviton_is_named(x86: str, arm: str) -> None:
    one = JUDGED.found(CHECK, instance(instance_type=x86))
    assert (one.action, one.target) == ("", arm)
    assert Decimal(str(one.evidence["targetHourlyPrice"])) < Decimal(str(one.evidence["hourlyPrice"]))


def test_the_cost_that_remains_is_the_price_of_the_target_and_the_effort_is_high() -> None:
    one = JUDGED.found(CHECK, instance(instance_type="m5.large"))
    assert one.new_monthly_cost == Decimal("56.2100")  # 0.077 × 730
    assert CHECK.effort is Effort.HIGH
    assert one.summary == "It runs on x86; m6g.large has its size on Graviton and costs 20 % less."


def test_what_must_be_rebuilt_and_what_differs_is_said() -> None:
    said = {fact.label: fact.value for fact in JUDGED.found(CHECK, instance(instance_type="m5.large")).facts}
    assert "for Arm" in said["Before the change"]
    assert said["The change"] == "a new instance from that image: m5.large cannot become it in place"
    assert said["Architecture"] == "x86_64 → arm64"
    assert said["Processor"] == "Intel → AWS"
    assert said["Volumes, sustained"] == "81.25 → 78.75 MB/s"
    assert said["Others of the size"].startswith("m7g.large")
    disks = {fact.label for fact in JUDGED.found(CHECK, instance(instance_type="m5d.large")).facts}
    assert "Local disks" in disks
    burstable = {fact.label for fact in JUDGED.found(CHECK, instance(instance_type="t3.large")).facts}
    assert "Processor credits" in burstable


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"architecture": "arm64", "instance_type": "m6g.large"}, "its image is for arm64, not for x86_64"),
        ({"architecture": "i386"}, "its image is for i386, not for x86_64"),
        ({"architecture": None}, "its architecture is not known"),
        ({"platform": "windows", "usage_operation": "RunInstances:0002"}, "Windows does not run on Graviton"),
        ({"usage_operation": "RunInstances:00g0"}, "its licence is the account's own and may be counted by cores"),
        ({"marketplace": True}, "its image is from the Marketplace, which its maker would have to offer for Arm"),
        ({"capacity_reservation": "cr-0a"}, "it is in a capacity reservation for m5.2xlarge"),
        ({"instance_type": None}, "its type is not known"),
        ({"instance_type": "m5.huge"}, "nothing is known about its type"),
        ({"instance_type": "g4dn.xlarge"}, "no type on Graviton takes the place of g4dn.xlarge"),
        ({"instance_type": "inf2.xlarge"}, "no type on Graviton takes the place of inf2.xlarge"),
        ({"instance_type": "c5n.large"}, "no type on Graviton takes the place of c5n.large"),
        ({"lifecycle": "spot"}, "no price for spot instances, the table holds on-demand prices"),
        ({"tenancy": "dedicated"}, "no price for tenancy dedicated"),
        (
            {"volume_ids": [f"vol-{number}" for number in range(40)]},
            "its zone offers no type on Graviton that takes its place and holds its volumes",
        ),
    ],
)
def test_what_cannot_move_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert JUDGED.reason(CHECK, instance("running", tags=None, **changes)) == why


def test_a_stopped_one_and_one_without_a_price_are_left_alone() -> None:
    assert JUDGED.reason(CHECK, instance("stopped")) == "it is stopped, not running"
    assert JUDGED.reason(CHECK, in_region(instance(), "nowhere-1")) == "no price for m5.2xlarge in nowhere-1"


def test_a_type_that_the_zone_does_not_offer_is_never_named() -> None:
    newer = Bench(KIND, answers={OFFERED_TYPES: EVERYTHING - {"m6g.2xlarge"}})
    assert newer.found(CHECK, instance()).target == "m7g.2xlarge"
    none = Bench(KIND, answers={OFFERED_TYPES: frozenset({"m5.2xlarge"})})
    assert none.reason(CHECK, instance()).startswith("its zone offers no type on Graviton")
    assert Bench(KIND).reason(CHECK, instance()) == "which types its zone offers is not known"


def test_the_zone_is_asked_about_what_could_move_alone() -> None:
    question = next(one for one in KIND.listing.questions if one.id == OFFERED_TYPES)
    nothing = Utilization("i-0a")
    assert question.needed(instance(), nothing)
    assert not question.needed(instance("stopped"), nothing)
    assert not question.needed(instance(instance_type="m6g.large", architecture="arm64"), nothing)
    assert not question.needed(instance(instance_type="g4dn.xlarge"), nothing)


def test_the_families_of_the_policy_bound_the_targets() -> None:
    def judged(**families: frozenset[str]) -> Finding | NotRecommended:
        facts = JUDGED.facts(instance())
        policy = SizingPolicy(**families)  # type: ignore[arg-type]
        return CHECK.evaluate(replace(facts, settings=replace(facts.settings, sizing=policy)), DEFAULTS)

    assert getattr(judged(deny_families=frozenset({"m6g"})), "target", "") == "m7g.2xlarge"
    only = judged(allow_families=frozenset({"m5", "r5"}))
    assert getattr(only, "reason", "") == "the policy allows no family on Graviton that takes its place"


def test_a_saving_below_the_least_share_is_left_alone_and_at_it_found() -> None:
    # 0.384 to 0.308 an hour is 19.8 %.
    assert JUDGED.found(CHECK, instance(), minimumSavingPercent=Decimal("19.7")).target == "m6g.2xlarge"
    assert (
        JUDGED.reason(CHECK, instance(), minimumSavingPercent=Decimal("19.9")) == "m6g.2xlarge costs only 19.8 % less"
    )


def test_no_picture_of_metrics_matters() -> None:
    facts = JUDGED.facts(instance())
    assert CHECK.settled_by_days(Pictures(facts, facts, facts), DEFAULTS) is Settled.BY_DAYS
    assert not CHECK.wants_fine(facts, DEFAULTS)
    assert facts.now == NOW


def test_no_target_has_less_of_what_cannot_be_made_up_for() -> None:
    catalog = bundled_catalog()
    pairs = [(kind, catalog.get(name)) for kind in catalog for name in graviton_types(kind.name)]
    assert len({kind.name for kind, _ in pairs}) > 300
    for kind, target in pairs:
        assert target is not None
        assert target.vcpus >= kind.vcpus
        assert target.memory_mib >= kind.memory_mib
        assert (target.gpu_count, target.gpu_name) == (kind.gpu_count, kind.gpu_name)
        assert target.instance_storage_gb >= kind.instance_storage_gb
        assert target.generation >= kind.generation
        assert (target.baseline_percent is None) == (kind.baseline_percent is None)
        assert target.architectures == {"arm64"}
        assert not target.bare_metal
