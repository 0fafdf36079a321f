"""Right before an act the terms are those of its request, or those of the policy by now where they are stricter."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.sample_requests import delete_request, resize_request

from finops.crds.action_request import ActionRequest
from finops.crds.policy_actions import Approval
from finops_operator.rules.votes import facts_at_act

APPROVERS = [{"kubernetesUser": "alice"}, {"kubernetesGroup": "sre"}]


def terms(made: ActionRequest, **now: Any) -> tuple[int, bool]:
    found = facts_at_act(made, Approval.model_validate({"approvers": APPROVERS, **now})).terms
    return found.required, found.step_up


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({}, (2, False)),
        ({"destructive": {"required": 3}}, (3, False)),
        ({"destructive": {"stepUp": True}}, (2, True)),
    ],
)
def test_a_deletion_needs_what_the_policy_asks_for_by_now(now: dict[str, Any], expected: tuple[int, bool]) -> None:
    assert terms(delete_request(required=2), **now) == expected


def test_a_step_up_that_the_request_asks_for_stays_when_the_policy_no_longer_does() -> None:
    made = delete_request(required=2)
    spec = made.spec.model_copy(update={"approval": made.spec.approval.model_copy(update={"step_up": True})})

    assert terms(made.model_copy(update={"spec": spec})) == (2, True)


def test_what_destroys_nothing_needs_no_step_up() -> None:
    assert terms(resize_request(required=1), destructive={"stepUp": True}) == (1, False)
