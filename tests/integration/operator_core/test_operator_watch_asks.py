"""The watch of an act asks for its undo: what becomes of that, on the real parts of the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_tallies import TWO
from tests.integration.operator_core.test_operator_undo_standing import (
    Following,
    proposals,
    state,
    succeeded,
    undo_request,
    wish,
)
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import WatchState, WatchStatus
from finops.domain.audit import RecordKind
from finops.domain.decision import State, Vote
from finops.domain.watching import Health, Sign
from finops.errors import Refused
from finops.k8s.kinds import aws_accounts
from finops_operator.decisions.pauses import WORSE, Failure, Pauses
from finops_operator.decisions.spoken import scope_of
from finops_operator.rules import request_status
from finops_operator.rules.undoing import unanswered_asks
from finops_operator.rules.votes import request_reference
from finops_operator.rules.watching import watch_entry


@pytest.fixture(autouse=True)
def granted(parts: Parts) -> Iterator[None]:
    """A policy and an account that allow acts and their undo."""
    made = aws_accounts(parts.connection).create(account())
    parts.policies.create(policy(approval=TWO))
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def worse(parts: Parts, act: ActionRequest) -> Vote:
    """Let the watch find a worse state, and return what it asks for as the ledger holds it."""
    parts.ledger.append(watch_entry(act, [Sign("CPU", Health.WORSE, "Its CPU is full.")], propose_undo=True))
    return unanswered_asks(parts.ledger.of_request(act.metadata.uid or ""))[-1]


def test_a_worse_state_puts_the_undo_to_the_vote_and_presumes_nobodys(parts: Parts) -> None:
    act = succeeded(parts)

    made = proposals(parts).make(act, worse(parts, act))

    assert made.spec.undoes is not None
    assert (made.spec.undoes.uid, made.spec.approval.required) == (act.metadata.uid, act.spec.approval.required)
    assert made.spec.evidence.reason.endswith("asked for by its watch. Reason: Its CPU is full.")
    assert state(parts, made) is State.PENDING
    (first,) = [one for one in parts.ledger.read() if one.entry.request == f"{NAMESPACE}/{made.metadata.name}/"]
    assert first.entry.detail["askedBy"] == "watch"


def test_a_watch_asks_once_and_not_beside_an_undo_that_is_open(parts: Parts) -> None:
    act = succeeded(parts)
    by_person = proposals(parts).make(act, wish(parts, act))

    assert proposals(parts).make(act, worse(parts, act)).metadata.uid == by_person.metadata.uid


def test_a_watch_asks_nobody_while_acts_are_frozen_or_paused_and_people_still_may(parts: Parts) -> None:
    act = succeeded(parts)
    asked = worse(parts, act)
    frozen = proposals(parts)
    parts.maps.write("r-freeze", {"frozen": "true", "reason": "A drill."})
    with pytest.raises(Refused, match=r"frozen: A drill. An approver can ask"):
        frozen.make(act, asked)
    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    failure = Failure(State.ROLLED_BACK, "AWS had no capacity")
    Pauses(parts.ledger).pause(scope_of(act), request_reference(act), act.spec.plan_hash, failure)
    with pytest.raises(Refused, match="is paused"):
        proposals(parts).make(act, asked)

    assert proposals(parts).make(act, wish(parts, act)).spec.undoes is not None


def test_a_watch_asks_though_its_own_pause_and_that_of_another_watch_are_in_force(parts: Parts) -> None:
    act = succeeded(parts)
    failure = Failure(WORSE, "Its CPU is full.")
    Pauses(parts.ledger).pause(scope_of(act), request_reference(act), act.spec.plan_hash, failure)

    made = proposals(parts).make(act, worse(parts, act))

    assert made.spec.undoes is not None


def test_what_the_watch_asks_for_is_answered_once_also_by_the_next_process(parts: Parts) -> None:
    act = succeeded(parts)
    first = Following(parts)
    first.follow(act)
    worse(parts, act)
    undo = undo_request(parts, act, 9, "watch")
    first.made.append(undo)
    shown = WatchStatus(state=WatchState.WORSE, until=parts.clock.now(), worse="Its CPU is full.")

    def with_watch(current: ActionRequest) -> dict[str, Any]:
        return request_status.moved(current.status, State.SUCCEEDED, fence=parts.fence, watch=shown)

    parts.requests.write_status(parts.requests.fresh(act), with_watch)
    first.follow(act, act)
    Following(parts, [undo]).follow(act)

    answers = [one for one in parts.ledger.of_request(act.metadata.uid or "") if one.entry.kind is RecordKind.UNDONE]
    assert [(one.entry.actor, one.entry.result) for one in answers] == [("operator", "proposed")]
    assert first.shown(act)[0] == undo.metadata.name
