"""No sequence of writes by somebody who edits a namespace leads to a call of AWS that a quorum did not approve.

Tried with an editor's rights, and with every right on everything that is in the namespace: then the admission policies
and the operator's own records have to stop what rights let through. FINOPS_ATTACKS says how many sequences are tried.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.chaos.chaos_world import Doubles
from tests.integration.attacks.attacked import attacked
from tests.integration.attacks.editor_attacks import WRITES, allow, write
from tests.integration.attacks.test_store_attacks import ACTIONS, TRIED, VOTES

from finops_operator.cluster.protection import Protection

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
Step = tuple[Any, ...]
STEPS: Final = st.lists(
    st.one_of(
        WRITES.map(lambda one: ("write", *one)), WRITES.map(lambda one: ("write", *one)), VOTES, st.just(("look",))
    ),
    min_size=4,
    max_size=14,
)


FORGED_VOTES: Final[list[Step]] = [
    ("write", "vote", {"source": "kubernetes", "username": "alice"}, "Approve", "forged-alice"),
    ("write", "vote", {"source": "kubernetes", "username": "bob"}, "Approve", "forged-bob"),
    ("look",),
]


def violations(world: Doubles, action: str, steps: list[Step], *, everything: bool) -> list[str]:
    """Do the steps on a new request; return what was called without permission."""
    with attacked(world, action) as now:
        allow(world, now.place.namespace, everything=everything)
        for kind, *parts in steps:
            if kind == "write":
                write(now, tuple(parts))
            elif kind == "vote":
                now.vote(*parts)
            else:
                now.look()
        now.look()
        return now.violations


@example(action="lambda_function_set_memory", steps=FORGED_VOTES, everything=True)
@TRIED
@given(action=st.sampled_from(ACTIONS), steps=STEPS, everything=st.booleans())
def test_no_writes_of_an_editor_lead_to_a_call_without_a_quorum(
    action: str, steps: list[Step], everything: bool, world: Doubles
) -> None:
    assert violations(world, action, steps, everything=everything) == []


def test_the_property_fails_without_the_admission_policies_and_without_the_check_that_they_are_there(
    world: Doubles, monkeypatch: pytest.MonkeyPatch
) -> None:
    bindings = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
    before = world.k8s.objects(bindings)
    monkeypatch.setattr(Protection, "problem", lambda _self, *, fresh=False: "")
    monkeypatch.setattr(Protection, "since", lambda _self: datetime(2000, 1, 1, tzinfo=UTC))
    world.k8s.apply(*({**one, "spec": {**one["spec"], "validationActions": ["Audit"]}} for one in before))
    try:
        found = violations(world, ACTIONS[0], FORGED_VOTES, everything=True)
    finally:
        world.k8s.apply(*before)
    assert found == ["lambda:UpdateFunctionConfiguration with the approvals of []"]
