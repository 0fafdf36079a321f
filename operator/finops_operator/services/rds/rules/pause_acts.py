"""The two acts on what RDS stops and starts, an instance or a cluster: what they share, with what differs filled in.

Either leads back as the undo of the other, so that both need both rights and the refusals of both directions. How a
step is judged is `finops_operator.plugins.pausing`; what is observed and what speaks against it is each kind's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.execution import Observation, Procedure
from finops.domain.plan import Plan
from finops.domain.recommendation import Effort
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
)
from finops_operator.plugins.check import Facts
from finops_operator.plugins.pausing import Pausable, Pausing
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.rds.rules.deployments import READ_DEPLOYMENTS
from finops_operator.services.rds.rules.pause_watch import pause_watch
from finops_operator.services.rds.rules.pause_words import start_words, stop_words
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

_Refusing = Callable[[Observation, PolicyFacts], tuple[Refusal, ...]]
_Refused = Callable[[Plan, Observation, str, str], str]
_ONLY_STOPS: Final = OwnerChange(only_stops=True)


@dataclass(frozen=True, slots=True)
class PauseRefusals:
    """What speaks against a stop, against the start that undoes one, and against a start of its own."""

    stop: _Refusing
    start_again: Callable[[Observation], tuple[Refusal, ...]]
    first_start: _Refusing


@dataclass(frozen=True, slots=True)
class PauseWords:
    """What people are warned of.

    Attributes:
        of_stop: warnings of a stop.
        still_billed: what AWS bills while it is stopped.
        hours: what is billed again after a start, within a sentence.
    """

    of_stop: Callable[[Observation], tuple[str, ...]]
    still_billed: Callable[[Observation], str]
    hours: str


@dataclass(frozen=True, slots=True)
class PausedKind:
    """A kind of resource that RDS stops and starts.

    Attributes:
        kind: its id.
        reads: the rights that `observe` needs beside those for blue/green deployments and alarms.
        found: the end state in a sentence.
        refused: AWS's code for a refusal in a sentence; None: the codes say it all.
        sample: an assumed fingerprint for the documentation, without its state.
    """

    kind: str
    of: Pausable
    reads: tuple[str, ...]
    observe: Callable[[Reader, Target], Observation]
    found: Callable[[Plan, Observation], str]
    refused: _Refused | None
    calls: CallRules
    refusals: PauseRefusals
    words: PauseWords
    sample: Mapping[str, str]


_Remaining = Callable[[Facts[Any]], Decimal | None]
_Preflight = Callable[[Observation, Parameters, PolicyFacts], tuple[Refusal, ...]]
_Warnings = Callable[[Observation, Parameters], tuple[str, ...]]


def stop_act(action: str, paused: PausedKind, remaining_cost: _Remaining) -> Action:
    """Return the act that stops; AWS starts by itself what has been stopped for seven days.

    `remaining_cost`: what the resource costs in the month of its stop, as for `Action`.
    """
    pausing = Pausing(action, paused.of, STOPPED)
    refusals = paused.refusals

    def preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
        again = pausing.starts(parameters)
        return refusals.start_again(observation) if again else refusals.stop(observation, facts)

    def warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
        return () if pausing.starts(parameters) else paused.words.of_stop(observation)

    return replace(
        _act(pausing, paused, preflight, warnings, remaining_cost),
        undo_by_hand="start it; AWS does so by itself after seven days",
        permissions=(paused.of.stop, paused.of.start),
        lasts_days=RESTARTED_AFTER.days,
        # What is stopped serves nobody: to start it disturbs nothing.
        undo=pausing.undo(outside_windows=True),
        sample=ActSample(assumed={"state": AVAILABLE, **paused.sample}),
    )


def start_act(action: str, paused: PausedKind, remaining_cost: _Remaining) -> Action:
    """Return the act that starts; `remaining_cost`: what the resource costs a month once it works, as for `Action`."""
    pausing = Pausing(action, paused.of, AVAILABLE)
    refusals = paused.refusals

    def preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
        return (refusals.first_start if pausing.starts(parameters) else refusals.stop)(observation, facts)

    def warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
        if not pausing.starts(parameters):
            return paused.words.of_stop(observation)
        return (f"A start can take minutes to hours. From then on {paused.words.hours} are billed again.",)

    return replace(
        _act(pausing, paused, preflight, warnings, remaining_cost),
        undo_by_hand="stop it",
        permissions=(paused.of.start, paused.of.stop),
        # Whoever uses it since would lose it by the undo, so this one waits for a window.
        undo=pausing.undo(outside_windows=False),
        remaining_unknown=f"what {paused.words.hours} cost once it works is not known",
        saves=False,
        sample=ActSample(assumed={"state": STOPPED, **paused.sample}),
    )


def _act(
    pausing: Pausing, paused: PausedKind, preflight: _Preflight, warnings: _Warnings, remaining_cost: _Remaining
) -> Action:
    """Return what both acts are alike in."""
    return Action(
        id=pausing.action,
        kinds=frozenset({paused.kind}),
        destructive=False,
        restart_needed=False,
        rollback_possible=True,
        undo_by_hand="",
        effort=Effort.LOW,
        permissions=(),
        read_permissions=(*paused.reads, READ_DEPLOYMENTS, LIST_ALARMS),
        observe=paused.observe,
        preflight=preflight,
        warnings=warnings,
        words=_words(pausing, paused),
        plan=pausing.plan,
        procedure=_procedure(pausing, paused),
        statements=on_its_arn,
        rights=Rights(rollback=frozenset({paused.of.start})),
        calls=paused.calls,
        at_owner=_ONLY_STOPS,
        remaining_cost=remaining_cost,
        watch=pause_watch(pausing, paused.observe),
    )


def _words(pausing: Pausing, paused: PausedKind) -> Callable[[Observation, Parameters, Plan], ActWords]:
    def words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
        noun = paused.of.noun
        return (
            start_words(noun)
            if pausing.starts(parameters)
            else stop_words(noun, paused.words.still_billed(observation))
        )

    return words


def _procedure(pausing: Pausing, paused: PausedKind) -> Procedure:
    return (
        pausing.procedure(paused.found) if paused.refused is None else pausing.procedure(paused.found, paused.refused)
    )
