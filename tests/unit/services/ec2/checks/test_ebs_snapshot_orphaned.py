"""ebs_snapshot_orphaned: the volume or the image is gone, and everything that still holds a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from tests.support.facts import in_region
from tests.unit.services.ec2.snapshots import GIB, SNAPSHOTS, snapshot

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ebs_snapshot_orphaned import CHECK


def orphan(age: float = 400, tags: Mapping[str, str] | None = None, **attributes: Json) -> Resource:
    return snapshot("completed", age, tags, **{"volume_exists": False, "newer_exists": False, **attributes})


def test_a_snapshot_of_a_deleted_volume_is_found_with_what_it_costs_at_most() -> None:
    one = SNAPSHOTS.found(CHECK, orphan())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "Its volume no longer exists, and the snapshot is 400 days old."
    assert one.evidence["monthlyCostAtMost"] == "2.00"  # 40 GiB × 0.05
    # AWS does not say what it bills for one snapshot among several, so nothing is claimed to be saved.
    assert SNAPSHOTS.cost(orphan()).monthly is None


def test_the_only_snapshot_of_its_volume_is_billed_in_full_and_proposed_for_deletion() -> None:
    only = orphan(alone=True)
    one = SNAPSHOTS.found(CHECK, only)
    assert (one.action, one.parameters, one.new_monthly_cost) == ("ebs_snapshot_delete", {}, Decimal(0))
    assert SNAPSHOTS.cost(only).monthly == Decimal("2.00")


@pytest.mark.parametrize("one", [orphan(alone=False), orphan(alone=None), orphan(alone=True, full_bytes=None)])
def test_where_the_cost_of_one_is_not_known_it_stays_advice(one: Resource) -> None:
    assert SNAPSHOTS.cost(one).monthly is None
    assert SNAPSHOTS.found(CHECK, one).action == ""


def test_without_the_full_size_the_volume_is_the_upper_bound_and_what_is_not_known_is_not_zero() -> None:
    assert SNAPSHOTS.found(CHECK, orphan(full_bytes=None)).evidence["monthlyCostAtMost"] == "5.00"
    unknown = SNAPSHOTS.found(CHECK, orphan(full_bytes=None, volume_size_gb=None))
    assert unknown.evidence["monthlyCostAtMost"] is None
    assert SNAPSHOTS.found(CHECK, in_region(orphan(), "nowhere-1")).evidence["monthlyCostAtMost"] is None


def test_a_snapshot_of_an_image_that_is_gone_is_found_though_its_volume_exists() -> None:
    left = snapshot(image_id="ami-0a", image_exists=False)
    assert SNAPSHOTS.found(CHECK, left).summary == "Its image no longer exists, and the snapshot is 400 days old."


def test_a_copy_that_was_made_for_an_image_that_is_gone_stays_advice_for_the_action_refuses_copies() -> None:
    left = orphan(image_id="ami-0a", image_exists=False, alone=True)
    assert SNAPSHOTS.found(CHECK, left).action == "ebs_snapshot_delete"
    copy = orphan(image_id="ami-0a", image_exists=False, alone=True, volume_id="")
    assert SNAPSHOTS.cost(copy).monthly is not None
    assert SNAPSHOTS.found(CHECK, copy).action == ""


def test_a_month_must_pass_and_one_day_less_breaks_it() -> None:
    assert SNAPSHOTS.reason(CHECK, orphan(29.9)) == "it is 29 days old, 30 are needed"
    assert SNAPSHOTS.found(CHECK, orphan(30)).check == CHECK.id


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (snapshot(), "its volume exists"),
        (orphan(volume_exists=None), "whether its volume exists is not known"),
        (orphan(volume_id=""), "it is a copy, and of what is not known"),
        (orphan(image_id="ami-0a", image_exists=True), "its image exists"),
        (orphan(image_id="ami-0a", image_exists=None), "whether its image exists is not known"),
        (snapshot("pending", volume_exists=False), "it is pending, not completed"),
        (orphan(tier="archive"), "it is archived on purpose"),
        (orphan(tier=None), "its storage tier is not known"),
        (orphan(used_by_image=True), "an image uses it"),
        (orphan(used_by_image=None), "whether an image uses it is not known"),
        (orphan(locked=True), "it is locked"),
        (orphan(locked=None), "whether it is locked is not known"),
        (orphan(fast_restore_zones=2), "fast restore is on for it"),
        (orphan(fast_restore_zones=None), "whether fast restore is on for it is not known"),
        (orphan(shared=True), "another account may use it"),
        (orphan(shared=None), "whether it is shared is not known"),
    ],
)
def test_what_holds_it_or_is_not_known_keeps_it(one: Resource, why: str) -> None:
    assert SNAPSHOTS.reason(CHECK, one) == why


@pytest.mark.parametrize(
    ("tag", "who"),
    [
        ("aws:backup:source-resource", "AWS Backup"),
        ("aws:dlm:lifecycle-policy-id", "Data Lifecycle Manager"),
        ("CSIVolumeSnapshotName", "a Kubernetes cluster"),
        ("AWSElasticDisasterRecoveryManaged", "Elastic Disaster Recovery"),
    ],
)
def test_what_keeps_snapshots_by_rules_of_its_own_deletes_them_too(tag: str, who: str) -> None:
    assert SNAPSHOTS.reason(CHECK, orphan(tags={tag: "x"})) == f"{who} keeps it and deletes it by its own rules"


def test_a_template_deletes_no_snapshot_by_itself_so_that_its_snapshots_are_found() -> None:
    assert SNAPSHOTS.found(CHECK, orphan(tags={"managed-by": "terraform"})).check == CHECK.id


def test_an_archived_snapshot_is_billed_in_full_and_fast_restores_by_zone_and_hour() -> None:
    assert SNAPSHOTS.cost(orphan(tier="archive", full_bytes=100 * GIB)).monthly == Decimal("1.25")
    parts = SNAPSHOTS.cost(orphan(fast_restore_zones=2))
    assert parts.missing == (
        "snapshot_gb_month: AWS bills the blocks that no earlier snapshot holds, and does not say how many those are",
    )
    assert [(part.dimension, part.quantity) for part in parts.components] == [("snapshot_restore_az_hour", Decimal(2))]
