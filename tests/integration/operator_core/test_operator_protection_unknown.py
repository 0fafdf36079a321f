"""The admission policies cannot be read between two questions: every loop goes on, and what waits waits on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from tests.integration.operator_core.test_operator_pictures import decisions
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.integration.operator_core.test_operator_waiting import Looking
from tests.support.operator_parts import Parts
from tests.support.scan_samples import account, policy

from finops.domain.decision import State, Trigger
from finops.domain.execution import StopKind
from finops.errors import ClusterUnavailable
from finops.k8s.kinds import aws_accounts

TERMS = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "requireReason": "Never"}


@pytest.fixture
def looking(parts: Parts) -> Iterator[Looking]:
    parts.policies.create(policy(approval=TERMS))
    made = aws_accounts(parts.connection).create(account())
    yield Looking(parts)
    aws_accounts(parts.connection).delete("", made.metadata.name)


def unknown(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the policies be in force at the first question, and unreadable at each later one."""

    def since() -> datetime:
        raise ClusterUnavailable("the admission policies cannot be judged: the API server does not answer")

    monkeypatch.setattr(parts.protection, "since", since)
    assert parts.protection.problem() == ""


def defects(looking: Looking) -> float:
    (family,) = looking.loop.telemetry.defects.collect()
    return sum(one.value for one in family.samples if one.name.endswith("_total"))


@pytest.mark.parametrize("shown", [State.PENDING, State.APPROVED, State.SCHEDULED])
def test_a_pass_over_the_requests_changes_nothing_and_meets_no_defect(
    shown: State, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = looking.parts.propose(1, approval=TERMS) if shown is State.PENDING else looking.approved(shown)
    looking.parts.vote(request, person="bob")
    before = decisions(looking.parts)
    unknown(looking.parts, monkeypatch)

    looking.look()
    looking.look()

    assert looking.now(request)[0] in {shown, None}
    assert decisions(looking.parts) == before
    assert looking.ran == []
    assert defects(looking) == 0
    monkeypatch.undo()
    looking.look()
    assert looking.now(request)[0] in {State.APPROVED, State.SCHEDULED, State.EXECUTING}


def test_an_act_that_has_begun_goes_on_to_its_end(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = looking.approved(State.EXECUTING, begun=True)
    unknown(looking.parts, monkeypatch)

    looking.look()
    looking.look()

    assert defects(looking) == 0
    assert looking.parts.decider.has_begun(request.metadata.uid or "")
    assert looking.now(request)[0] is State.EXECUTING


def test_the_gate_holds_and_whoever_would_end_a_request_tries_again_later(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, request = looking.parts, looking.approved(State.APPROVED)
    waiting = parts.propose(2, approval=TERMS)
    parts.decider.advance(waiting)
    before = decisions(parts)
    unknown(parts, monkeypatch)

    stop = parts.gate.still_allowed(act_of(request))
    assert stop is not None
    assert stop.kind is StopKind.HOLD
    for ask in (
        lambda: parts.decider.close(parts.requests.fresh(waiting), Trigger.WITHDRAWN, "no longer recommended"),
        lambda: parts.decider.end(parts.requests.fresh(request), Trigger.WITHDRAWN, "not allowed"),
        lambda: parts.decider.counted_approvals(request),
    ):
        with pytest.raises(ClusterUnavailable):
            ask()
    assert decisions(parts) == before
