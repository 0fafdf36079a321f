"""How each step of a change of type is judged; used by ec2_instance_resize alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import DONE, Journal, Observation, StepRules
from finops.domain.plan import Plan
from finops_operator.services.ec2.rules.instance_observation import (
    DOWN,
    STOP_SHOWS_SECONDS,
    UP,
    WAIT_STOPPED,
    runs_by_others,
    started_by_others,
    stopped_by_others,
    stopping,
)

# AWS shows a stop a moment before it lets the type be changed, and a change a moment before it lets it be started.
_NOT_YET: Final = frozenset({"IncorrectInstanceState"})
_START_SECONDS: Final = 900.0


def old_type(plan: Plan) -> str:
    """Return the type that the plan assumes."""
    return str(plan.fingerprint["instanceType"])


def _new(plan: Plan) -> str:
    return str(plan.parameters["instanceType"])


def ran(plan: Plan) -> bool:
    """Return whether the instance ran when the plan was made, so that it is to run afterwards."""
    return plan.fingerprint["state"] != "stopped"


def _is(kind: str, now: Observation, *states: str) -> bool:
    return now.text("instanceType") == kind and now.text("state") in states


def _same_launch(plan: Plan, now: Observation) -> bool:
    return now.text("launchTime") == plan.fingerprint["launchTime"]


def _untouched(plan: Plan, now: Observation) -> bool:
    return _is(old_type(plan), now, "running") and _same_launch(plan, now)


def _changed(plan: Plan, now: Observation) -> bool:
    """At the new type; one that was stopped may be started by anybody then, and keeps it."""
    return _is(_new(plan), now, *(("stopped",) if ran(plan) else (*UP, *DOWN)))


def verified(plan: Plan, now: Observation) -> bool:
    """Return whether the new type reads back, healthy if it ran."""
    return _is(_new(plan), now, "running") and now.text("checks") == "ok" if ran(plan) else _changed(plan, now)


def not_as_left(plan: Plan, now: Observation) -> str:
    """Return that the instance no longer has the type that the act gave it; whether it runs is its users' business."""
    kind = now.text("instanceType")
    return "" if kind == _new(plan) else f"Its type is {kind} now, not the {_new(plan)} that the act gave it."


def _started_before_change(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    return "" if not ran(plan) and _changed(plan, now) else started_by_others(plan, journal, now, seconds)


def _out_of_our_hands(plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """After a start: it was stopped again, or ours was refused and somebody else's was not."""
    taken = stopped_by_others if journal.entries[-1].result in DONE else runs_by_others
    return taken(plan, journal, now, seconds)


def restored(plan: Plan, now: Observation) -> bool:
    """Return whether it is as the plan assumed: at the old type, running if it ran."""
    return _is(old_type(plan), now, "running" if ran(plan) else "stopped")


def _not_new(plan: Plan, now: Observation) -> bool:
    """The old type, or one that a person chose meanwhile: theirs to keep, ours to start."""
    return now.exists and now.text("instanceType") != _new(plan)


STEPS: Final[Mapping[str, StepRules]] = {
    "stop": stopping(
        reached=lambda plan, now: _is(old_type(plan), now, *DOWN) and _same_launch(plan, now), expected=_untouched
    ),
    "wait_stopped": WAIT_STOPPED,
    "modify_type": StepRules(
        reached=_changed,
        expected=lambda plan, now: _is(old_type(plan), now, "stopped"),
        taken=_started_before_change,
        retry_codes=_NOT_YET,
    ),
    "start": StepRules(
        reached=lambda plan, now: _is(_new(plan), now, *UP),
        expected=lambda plan, now: _is(_new(plan), now, "stopped"),
        taken=_out_of_our_hands,
        retry_codes=_NOT_YET,
    ),
    "wait_healthy": StepRules(
        reached=verified,
        # A start can fail after AWS accepted it: the instance falls back to stopped.
        failed=lambda _, now: not now.exists or now.text("state") in DOWN,
        timeout_seconds=_START_SECONDS,
    ),
    "stop_again": StepRules(
        reached=lambda plan, now: _not_new(plan, now) or now.text("state") in DOWN,
        expected=lambda plan, now: _is(_new(plan), now, "running"),
        taken=runs_by_others,
        settle_seconds=STOP_SHOWS_SECONDS,
    ),
    "wait_stopped_again": StepRules(reached=lambda plan, now: _not_new(plan, now) or now.text("state") == "stopped"),
    "restore_type": StepRules(
        reached=_not_new,
        expected=lambda plan, now: _is(_new(plan), now, "stopped"),
        taken=runs_by_others,
        retry_codes=_NOT_YET,
    ),
    "start_again": StepRules(
        reached=lambda _, now: now.text("state") in UP,
        expected=lambda plan, now: _not_new(plan, now) and now.text("state") == "stopped",
        taken=_out_of_our_hands,
        retry_codes=_NOT_YET,
    ),
    "wait_running_again": StepRules(
        reached=lambda _, now: now.text("state") == "running", timeout_seconds=_START_SECONDS
    ),
}
