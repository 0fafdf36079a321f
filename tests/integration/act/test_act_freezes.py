"""A freeze that comes between the gate's last answer and the call: by its record, and by the switch itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.integration.act.act_checker import effects, records
from tests.integration.act.act_story import at, prepare, run_to_end, run_until
from tests.support.act_world import FakeGate, World

from finops.audit_verify import verify
from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.decisions.freezes import Freezes
from finops_sandbox.aws.double import AwsDouble

FROZEN = Stop(StopKind.HOLD, "Frozen", "All acts are frozen: drill")


def nothing() -> str:
    return ""


@dataclass(slots=True)
class SwitchedGate(FakeGate):
    """The gate's questions about the freeze alone: its record, and the switch."""

    ledger: DurableLedger | None = None
    switch: Callable[[], str] = field(default=nothing)

    def still_allowed(self, request: ActRequest) -> Stop | None:
        assert self.ledger is not None
        return FROZEN if self.switch() or Freezes(self.ledger).reason() else None

    def may_call(self, request: ActRequest) -> Stop | None:
        return FROZEN if self.switch() else None


def kinds(world: World) -> list[tuple[str, str]]:
    """Return the ledger's turns of the switch and intents, in order."""
    return [(one["kind"], one["result"]) for one in records(world.ledger_path) if one["kind"] in {"frozen", "intent"}]


@pytest.mark.parametrize("boundary", ["intent.before", "sts.after", "act.started.after"])
def test_a_freeze_that_is_recorded_after_the_gate_has_answered_keeps_the_first_call_from_being_announced(
    boundary: str, world: World, aws: AwsDouble
) -> None:
    world.passage = at(boundary, lambda: Freezes(ledger).note("drill"))
    request, ledger = prepare(world, "ec2_instance_stop")
    world.gate = SwitchedGate(ledger=ledger)

    run_until(world, request, ledger, lambda result: "frozen" in result.message)
    assert kinds(world) == [("frozen", "on")]
    assert aws.calls == []

    world.passage = nothing_passes
    Freezes(ledger).note("")
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert kinds(world) == [("frozen", "on"), ("frozen", "off"), ("intent", "")]
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()


def nothing_passes(_name: str) -> None:
    """Pass every boundary."""


@pytest.mark.parametrize("boundary", ["intent.before", "ledger.intent.after-stream", "intent.after"])
def test_a_switch_turned_while_the_intent_is_written_keeps_its_call_from_being_made(
    boundary: str, world: World, aws: AwsDouble
) -> None:
    frozen: list[str] = []
    world.passage = at(boundary, lambda: frozen.append("drill"))
    request, ledger = prepare(world, "ec2_instance_stop")
    world.gate = SwitchedGate(ledger=ledger, switch=lambda: frozen[-1] if frozen else "")

    run_until(world, request, ledger, lambda result: "frozen" in result.message)
    assert kinds(world) == [("intent", "")]
    assert aws.calls == []

    frozen.clear()
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert effects(aws.calls) == {"StopInstances": 1}
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()


def test_a_freeze_after_the_first_call_lets_the_act_come_to_its_end(world: World, aws: AwsDouble) -> None:
    world.passage = at("outcome.after", lambda: Freezes(ledger).note("drill"))
    request, ledger = prepare(world)
    world.gate = SwitchedGate(ledger=ledger)

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED

    assert effects(aws.calls) == {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1}
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()
