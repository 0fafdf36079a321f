"""What a look forbade or could not see is passed over for a while, and only as long as nothing changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.support.scan_samples import NOW, policy, recommendation

from finops.crds.scan_policy import ScanPolicy
from finops.domain.recommendation import Block
from finops_operator.requests.cooldown import FAILED_FOR, REFUSED_FOR, CooldownReason, Cooldowns, FailingPlaces
from finops_operator.rules.due import REQUESTED_AT

ITEM = recommendation()
PROTECTED = CooldownReason("It is protected.", (Block("Protected", "It is protected."),))


def known(**changes: Any) -> ScanPolicy:
    made = policy()
    metadata = made.metadata.model_copy(update={"uid": "p-uid", "generation": 3, **changes})
    return made.model_copy(update={"metadata": metadata})


def test_a_refused_act_is_passed_over_with_its_reason_until_its_time_is_over() -> None:
    passing = Cooldowns()
    passing.note(known(), ITEM, NOW, REFUSED_FOR, PROTECTED)

    assert passing.why(known(), ITEM, NOW + REFUSED_FOR - timedelta(seconds=1)) == PROTECTED
    assert passing.why(known(), ITEM, NOW + REFUSED_FOR) is None
    assert passing.why(known(), recommendation(2), NOW) is None


def test_a_changed_policy_a_scan_by_hand_and_another_policy_begin_anew() -> None:
    passing = Cooldowns()
    passing.note(known(), ITEM, NOW, REFUSED_FOR, PROTECTED)

    assert passing.why(known(generation=4), ITEM, NOW) is None
    assert passing.why(known(annotations={REQUESTED_AT: "now"}), ITEM, NOW) is None
    assert passing.why(known(uid="other"), ITEM, NOW) is None


def test_what_is_over_is_dropped() -> None:
    passing = Cooldowns()
    for number in range(50):
        passing.note(known(), recommendation(number), NOW, FAILED_FOR, CooldownReason("no answer"))
    passing.note(known(), ITEM, NOW + FAILED_FOR, FAILED_FOR, CooldownReason("no answer"))

    assert len(passing._until) == 1


def test_a_place_is_passed_over_after_two_failures_in_a_row_and_no_other_place() -> None:
    places, elsewhere = FailingPlaces(), recommendation(2, resource=replace(ITEM.resource, region="eu-west-1"))
    places.failed(ITEM)
    places.answered(ITEM)
    places.failed(ITEM)
    assert places.why(ITEM) == ""

    places.failed(ITEM)
    assert places.why(ITEM) == f"AWS does not answer in {ITEM.resource.account} {ITEM.resource.region}."
    assert places.why(elsewhere) == ""
