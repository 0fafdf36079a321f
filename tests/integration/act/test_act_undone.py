"""What an act and its undo leave on the double of AWS: what was observed before, for every action that has an undo."""

from __future__ import annotations

from typing import Final

import pytest
from tests.integration.act.act_checker import effects
from tests.integration.act.act_story import run_to_end
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACCESS, ACTIONS, REGION, TENANT, World, make_sessions, propose, vote

from finops.audit_verify import verify
from finops.audit_verify.plan import problem_of_undo
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops_operator.acts.journal import journal_of
from finops_operator.plugins.action import Target
from finops_sandbox.aws.double import AwsDouble

_ANEW: Final = frozenset({"ebs_volume_delete", "ebs_volume_detach_delete"})
"""What is made anew has another id; see the tests of the volume that comes back."""
_ALWAYS_NEW: Final = frozenset({"launchTime", "revisionId"})
"""Of these AWS gives a new one at every change or start."""


def fingerprint(world: World, name: str, action: str) -> dict[str, Json]:
    """Return by what a plan knows a case's resource, and its state, as observed now."""
    reader = make_sessions(world.clock).reader(ACCESS, REGION, tenant=TENANT)
    found = ACTIONS[action].observe(reader, Target(find(name), CASES[action][1]))
    known = {key: value for key, value in found.fingerprint.items() if key not in _ALWAYS_NEW}
    return {**known, "state": found.text("state")}


@pytest.mark.parametrize(
    "action", sorted(name for name, one in ACTIONS.items() if one.undo is not None and name not in _ANEW)
)
def test_an_act_and_its_undo_leave_what_was_observed_before(action: str, world: World, aws: AwsDouble) -> None:
    name, parameters, calls = CASES[action]
    world.sessions = make_sessions(world.clock)
    before, undo = fingerprint(world, name, action), ACTIONS[action].undo
    assert undo is not None
    act = propose(world.sessions, ACTIONS[action], find(name), parameters, uid="u1")
    ledger = world.ledger()
    vote(ledger, act, world.clock)
    assert run_to_end(world, act, ledger).state is State.SUCCEEDED
    assert fingerprint(world, name, action) != before

    made = journal_of(ledger.of_request("u1")).made
    back = propose(
        make_sessions(world.clock), ACTIONS[action], find(name), dict(undo.parameters(act.plan, made)), uid="u2"
    )
    vote(ledger, back, world.clock)
    assert run_to_end(world, back, ledger).state is State.SUCCEEDED

    assert fingerprint(world, name, action) == before
    assert problem_of_undo(act.plan.to_json(), back.plan.to_json(), made) == ""
    assert sum(effects(aws.calls).values()) >= 2 * min(calls.values())
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()
