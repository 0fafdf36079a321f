"""ami_unused: nothing names it and nobody launches it, and everything that may still need an image."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW, in_region
from tests.unit.services.ec2.snapshots import IMAGES, image

from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ami_unused import CHECK


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def test_an_image_that_nothing_names_and_nobody_launched_is_found_with_what_its_snapshots_cost_at_most() -> None:
    one = IMAGES.found(CHECK, image())
    assert (one.action, one.new_monthly_cost, one.evidence["unusedDays"]) == ("", None, 400)
    assert one.evidence["snapshotsMonthlyCostAtMost"] == "6.00"  # 120 GiB × 0.05
    facts = {fact.label: fact.value for fact in one.facts}
    assert facts["Last launched"] == "never, as far as AWS knows"
    assert facts["Its snapshots, billed apart"] == "2, of volumes of 120 GiB: 6.00 USD a month at most"
    assert facts["What to do"].startswith("disable it,")
    # The image itself is not billed, and its snapshots have costs of their own.
    assert IMAGES.cost(image()).monthly == Decimal("0.00")


def test_a_launch_within_ninety_days_shows_that_it_is_used() -> None:
    assert IMAGES.reason(CHECK, image(last_launched=ago(89.9))) == "it was launched 89 days ago, 90 are needed"
    assert IMAGES.found(CHECK, image(last_launched=ago(90))).evidence["unusedDays"] == 90
    assert IMAGES.reason(CHECK, image(age=89.9)) == "it was made 89 days ago, 90 are needed"
    assert IMAGES.reason(CHECK, image(last_launched=None)) == "when it was made or last launched is not known"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (
            image(image_users=["ec2:LaunchTemplate"]),
            "an instance, a launch template or a launch configuration names it",
        ),
        (image(image_users=None), "whether an instance or a launch template names it is not known"),
        (image(shared=True), "another account may launch it"),
        (image(shared=None), "whether it is shared is not known"),
        (image(public=True), "everybody may launch it"),
        (image(public=None), "whether everybody may launch it is not known"),
        (image(protected=True), "it is protected from deregistration"),
        (image(protected=None), "whether it is protected is not known"),
        (image("pending"), "it is pending"),
        (image(tags={"Ec2ImageBuilderArn": "x"}), "EC2 Image Builder keeps it and deletes it by its own rules"),
        (image(tags={"aws:backup:source-resource": "x"}), "AWS Backup keeps it and deletes it by its own rules"),
    ],
)
def test_what_names_or_keeps_it_or_is_not_known_leaves_it_alone(one: Resource, why: str) -> None:
    assert IMAGES.reason(CHECK, one) == why


def test_a_disabled_one_is_the_next_step_and_what_has_no_price_is_not_zero() -> None:
    facts = {fact.label: fact.value for fact in IMAGES.found(CHECK, image("disabled")).facts}
    assert facts["What to do"].startswith("it is disabled: deregister it")
    elsewhere = IMAGES.found(CHECK, in_region(image(), "nowhere-1"))
    assert elsewhere.evidence["snapshotsMonthlyCostAtMost"] is None
    unknown = IMAGES.found(CHECK, image(snapshot_ids=None, snapshot_gb=None))
    assert {fact.label: fact.value for fact in unknown.facts}["Its snapshots, billed apart"] == "not known"
