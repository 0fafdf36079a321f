"""A policy may let the first act of a kind go alone: the gate keeps the others until the ledger has its good end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_pictures import intent
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import APPROVE, account, policy

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Entry, RecordKind
from finops.domain.execution import Stop, StopKind
from finops.k8s.kinds import aws_accounts
from finops_operator.acts.journal import entry
from finops_operator.rules.votes import request_reference

TERMS = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}]}


@pytest.fixture(autouse=True)
def _granted(parts: Parts) -> Iterator[None]:
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def with_canary(parts: Parts, wanted: bool = True) -> None:
    parts.policies.create(policy(approval=TERMS, actions={**APPROVE, "canary": wanted}))


def approved(parts: Parts, number: int) -> ActionRequest:
    made = parts.propose(number, approval=TERMS)
    parts.vote(made)
    return parts.decider.advance(made)


def put(parts: Parts, request: ActionRequest, state: str, at: datetime) -> ActionRequest:
    """Show a state as the executor does, from `at` on."""
    stamp = at.replace(microsecond=0).isoformat().replace("+00:00", "Z")
    more: dict[str, Any] = {"state": state, "scheduledFor": stamp}
    if state == "Succeeded":
        more["execution"] = {"startedAt": stamp}
    return parts.requests.write_status(request, lambda now: {**now.status.to_dict(), **more})


def verify(parts: Parts, request: ActionRequest) -> None:
    """Record that an act made its call, and its good end."""
    reference, act = request_reference(request), act_of(request)
    intent(parts, request)
    parts.ledger.append(
        Entry(
            f"verified:{reference}",
            "operator",
            RecordKind.VERIFIED,
            reference,
            plan_hash=act.plan_hash,
            result="Succeeded",
            detail={},
        )
    )


def why(parts: Parts, request: ActionRequest) -> Stop | None:
    return parts.gate.may_start(act_of(request))


def test_while_the_first_is_under_way_the_others_wait_and_name_it(parts: Parts) -> None:
    with_canary(parts)
    first, second = approved(parts, 1), approved(parts, 2)
    assert why(parts, first) is None
    scheduled = put(parts, first, "Scheduled", parts.clock.now())

    assert parts.gate.still_allowed(act_of(scheduled)) is None, "it does not wait for itself"
    for state in ("Scheduled", "Executing", "Verifying"):
        scheduled = put(parts, scheduled, state, parts.clock.now())
        stop = why(parts, second)
        assert stop is not None
        assert (stop.kind, stop.code) == (StopKind.HOLD, "Canary")
        assert stop.message == f"Waiting: of its kind {first.metadata.name} goes first, until it is verified."


def test_once_it_is_verified_the_others_go_at_once_for_a_day(parts: Parts) -> None:
    with_canary(parts)
    first, second, third = (approved(parts, number) for number in (1, 2, 3))
    put(parts, first, "Succeeded", parts.clock.now())
    put(parts, second, "Executing", parts.clock.now())
    stop = why(parts, third)
    assert stop is not None, "a status proves nothing"
    assert stop.code == "Canary"

    verify(parts, first)
    assert why(parts, third) is None
    put(parts, first, "Succeeded", parts.clock.now() - timedelta(hours=25))
    assert why(parts, third) is not None


def test_without_the_setting_nobody_waits(parts: Parts) -> None:
    with_canary(parts, wanted=False)
    first, second = approved(parts, 1), approved(parts, 2)
    put(parts, first, "Executing", parts.clock.now())
    assert why(parts, second) is None


def test_the_first_is_marked_and_when_its_request_is_deleted_the_others_wait_for_its_act(parts: Parts) -> None:
    with_canary(parts)
    first, second = approved(parts, 1), approved(parts, 2)
    assert parts.gate.goes_alone(act_of(first))
    intent(parts, first)

    parts.requests.api.delete(NAMESPACE, first.metadata.name)

    stop = why(parts, second)
    assert stop is not None
    assert (stop.code, "Its request was deleted, and its act goes on." in stop.message) == ("Canary", True)
    assert first.metadata.name in stop.message
    parts.ledger.append(entry(act_of(first), "ended", RecordKind.OUTCOME, result="RolledBack", detail={"message": "x"}))
    assert why(parts, second) is None


def test_nobody_is_marked_first_once_the_kind_is_proven_or_without_the_setting(parts: Parts) -> None:
    with_canary(parts)
    first, second = approved(parts, 1), approved(parts, 2)
    verify(parts, put(parts, first, "Succeeded", parts.clock.now()))
    assert not parts.gate.goes_alone(act_of(second))
    parts.policies.api.delete(NAMESPACE, "p")
    with_canary(parts, wanted=False)
    assert not parts.gate.goes_alone(act_of(second))
