"""What the gate says of a freeze: the switch, the ledger that is behind it, and the last look before a call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.domain.execution import Stop
from finops.k8s.kinds import aws_accounts
from finops.ports.act import ActRequest
from finops_operator.decisions.freezes import Freezes

ONE = {"approvers": [{"kubernetesUser": "alice"}], "requireReason": "Never"}


@pytest.fixture
def act(parts: Parts) -> Iterator[ActRequest]:
    """An act that nothing speaks against."""
    parts.policies.create(policy(approval=ONE))
    made = aws_accounts(parts.connection).create(account())
    request = parts.propose(1, approval=ONE)
    parts.vote(request)
    yield act_of(parts.decider.advance(request))
    aws_accounts(parts.connection).delete("", made.metadata.name)


def code(stop: Stop | None) -> str:
    return "" if stop is None else stop.code


def test_a_lifted_freeze_holds_until_the_ledger_says_so_too(parts: Parts, act: ActRequest) -> None:
    freezes = Freezes(parts.ledger)
    assert code(parts.gate.still_allowed(act)) == ""
    parts.maps.write("r-freeze", {"frozen": "true", "reason": "drill"})
    assert code(parts.gate.still_allowed(act)) == "Frozen"
    freezes.note("drill")
    freezes.note("drill")

    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})
    stop = parts.gate.still_allowed(act)
    assert stop is not None
    assert "the ledger does not hold that yet" in stop.message

    freezes.note("")
    assert code(parts.gate.still_allowed(act)) == ""
    assert freezes.next_id() == "frozen:all:3"


def test_right_before_its_call_an_act_is_held_by_the_switch_and_by_its_policy(parts: Parts, act: ActRequest) -> None:
    assert code(parts.gate.may_call(act)) == ""
    parts.maps.write("r-freeze", {"frozen": "true", "reason": "drill"})
    assert code(parts.gate.may_call(act)) == "Frozen"
    parts.maps.write("r-freeze", {"frozen": "false", "reason": ""})

    parts.policies.api.delete(NAMESPACE, "p")
    assert code(parts.gate.may_call(act)) == "Suspended"
    parts.policies.api.create(policy(approval=ONE, suspend=True))
    assert code(parts.gate.may_call(act)) == "Suspended"
