"""What people denied is not asked for again for thirty days, also when the request is gone with its namespace."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.operator_parts import Parts

from finops.crds.action_request import ActionRequest
from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.errors import LedgerUnavailable
from finops_operator.decisions.decision_writer import DecisionWriter
from finops_operator.decisions.denials import Denials

TERMS = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "required": 2}


def denied(parts: Parts, number: int = 1) -> ActionRequest:
    made = parts.propose(number, approval=TERMS)
    parts.vote(made, "bob", decision="Deny", reason="it is the standby")
    return made


def why(parts: Parts, made: ActionRequest, *, days: float = 0, dry_run: bool = False, action: str = "") -> str:
    spec, now = made.spec, parts.clock.now() + timedelta(days=days)
    return Denials(parts.ledger).why(spec.resource.arn, action or spec.action, now, dry_run=dry_run)


def test_a_denial_holds_for_thirty_days_although_its_request_is_deleted(parts: Parts) -> None:
    made = denied(parts)
    assert parts.decider.advance(made).status.state is State.DENIED
    parts.requests.api.delete(made.metadata.namespace or "", made.metadata.name)

    again = (parts.clock.now() + timedelta(days=30)).date()
    assert why(parts, made) == (
        f"k8s.bob denied the same act in {made.metadata.namespace}/{made.metadata.name}; it is asked again on {again}."
    )
    assert why(parts, made, days=29.9)
    assert not why(parts, made, days=30)


def test_a_denial_is_about_one_act_on_one_resource(parts: Parts) -> None:
    made, other = denied(parts), parts.propose(2, approval=TERMS)
    parts.decider.advance(made)
    assert why(parts, made)
    assert not why(parts, made, action="ec2_instance_resize")
    assert not why(parts, made, dry_run=True), "whoever denies a dry run has said nothing about the act"
    assert not why(parts, other)


def test_a_second_denial_of_the_same_act_counts_from_its_own_day(parts: Parts) -> None:
    first = denied(parts)
    parts.decider.advance(first)
    parts.requests.api.delete(first.metadata.namespace or "", first.metadata.name)
    parts.clock.sleep(timedelta(days=31).total_seconds())
    second = denied(parts)
    parts.decider.advance(second)
    assert why(parts, second, days=29).startswith(f"k8s.bob denied the same act in {second.metadata.namespace}/")


def test_a_crash_between_the_two_records_leaves_one_denial_and_is_made_up_for(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = denied(parts)

    def fails(*_arguments: object) -> ActionRequest:
        raise LedgerUnavailable("the ledger does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(DecisionWriter, "record", fails)
        with pytest.raises(LedgerUnavailable):
            parts.decider.advance(made)
    assert why(parts, made)
    assert parts.decider.advance(made).status.state is State.DENIED
    assert sum(one.entry.kind is RecordKind.ACT_DENIED for one in parts.ledger.read()) == 1
