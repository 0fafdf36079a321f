"""The ledger records of an act: how the executor writes them and how it reads its journal back from them.

Called by the act stage and, at start, by the operator to find acts that a dead process left in flight.

| operation id | kind | step, attempt | result | detail |
|---|---|---|---|---|
| `UID:started` | outcome | -, 0 | `started` | plan, dryRun, deciders, account, policy, estimate |
| `UID:intent:STEP:N` | intent | STEP, N | | operation, parameters, observed, back, before |
| `UID:outcome:STEP:N` | outcome | STEP, N | ok, rejected, unknown | code, message, retryable, created |
| `UID:settled:STEP:N` | outcome | STEP, N | recovered, absent, foreign | observed, created |
| `UID:dry-run:STEP` | outcome | STEP, 0 | `dry-run` | operation, parameters, code, message |
| `UID:alarm:STEP` | outcome | STEP, 0 | `NeedsHuman` | reason |
| `UID:compensating` | outcome | STEP, 0 | `compensating` | reason |
| `UID:verified` | verified | -, 0 | `Succeeded` | before, after, monthlySavings, reason |
| `UID:ended` | outcome | -, 0 | a final state | reason |

Attempt 0 marks a record about the whole act; every outcome with an attempt answers the intent of that attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from finops.domain.audit import Entry, Record, RecordKind, is_loss
from finops.domain.canonical import Json
from finops.domain.decision import TERMINAL, State
from finops.domain.execution import Call, Journal, JournalEntry, Observation, Result
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.domain.watching import BEFORE
from finops.ports.act import ActRequest
from finops.ports.ledger import Ledger

STARTED: Final = "started"
ACCOUNT: Final = "account"
"""In place of a step: the act has no AwsAccount that leads it on."""
COMPENSATING: Final = "compensating"
DRY_RUN: Final = "dry-run"
RECORDS_LOST: Final = "Records of the ledger were lost after the act began, so it does not go on."
_RESULTS: Final = frozenset(result.value for result in Result)
_ENDS: Final = frozenset(state.value for state in TERMINAL)
_ACTOR: Final = "operator"
_MOST_BEFORE: Final = 64
"""Facts before an act that its record keeps; what is left out is not known to its watch."""


def entry(
    request: ActRequest,
    name: str,
    kind: RecordKind,
    *,
    step: str = "",
    attempt: int = 0,
    result: str = "",
    detail: Mapping[str, Json] | None = None,
) -> Entry:
    """Return an entry about an act; `name` completes the operation id."""
    return Entry(
        operation_id=f"{request.uid}:{name}",
        actor=_ACTOR,
        kind=kind,
        request=request.ledger_name,
        step=step,
        attempt=attempt,
        plan_hash=request.plan_hash,
        result=result,
        detail=detail or {},
    )


def started_entry(request: ActRequest) -> Entry:
    """Return the record from which an act can be finished when its object is gone."""
    detail: dict[str, Json] = {
        "plan": request.plan.to_json(),
        "dryRun": request.dry_run,
        "deciders": list(request.deciders),
        "account": request.access.name,
        "policy": request.tenant.policy,
        "estimate": dict(request.estimate),
    }
    return entry(request, STARTED, RecordKind.OUTCOME, result=STARTED, detail=detail)


def intent_entry(
    request: ActRequest,
    call: Call,
    parameters: Mapping[str, Json],
    observed: Mapping[str, str],
    *,
    back: bool,
    before: Mapping[str, str] | None = None,
) -> Entry:
    """Return the record that announces a call.

    Args:
        request: of the act.
        call: the step and its attempt.
        parameters: of the call.
        observed: fingerprint of the resource right before it.
        back: whether it is part of a rollback.
        before: what the watch of the act compares with; None: something has changed already, or nothing is watched.
    """
    detail: dict[str, Json] = {
        "operation": call.step.operation,
        "parameters": dict(parameters),
        "observed": dict(observed),
        "back": back,
    }
    if before is not None:
        detail[BEFORE] = dict(sorted(before.items())[:_MOST_BEFORE])
    name = f"intent:{call.step.id}:{call.attempt}"
    return entry(request, name, RecordKind.INTENT, step=call.step.id, attempt=call.attempt, detail=detail)


def settled_detail(result: Result, observation: Observation) -> dict[str, Json]:
    """Return the detail of the record that settles an intent by what was observed."""
    detail: dict[str, Json] = {"observed": dict(observation.fingerprint)}
    if result is Result.RECOVERED and observation.text("created"):
        # The answer that named it was lost; from here on it is this one and no other.
        detail["created"] = observation.text("created")
    return detail


def journal_of(records: Iterable[Record]) -> Journal:
    """Return the engine's view of the records of one request; those of proposal and votes are not part of it."""
    entries: list[JournalEntry] = []
    alarms: dict[str, datetime] = {}
    turned: Record | None = None
    ended: Record | None = None
    for record in records:
        entry = record.entry
        if entry.kind is RecordKind.INTENT:
            entries.append(JournalEntry(entry.step, entry.attempt, record.time, observed=_observed(record)))
        elif entry.kind is RecordKind.VERIFIED or (entry.kind is RecordKind.OUTCOME and entry.result in _ENDS):
            ended = ended or record
        elif entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and entry.result == COMPENSATING:
            turned = turned or record
        elif entry.kind is RecordKind.OUTCOME and entry.attempt > 0 and entry.result in _RESULTS:
            # An outcome answers the intent before it, and with it what was seen before the call.
            entries.append(replace(_outcome(record), observed=entries[-1].observed if entries else {}))
        elif _is_alarm(record):
            alarms.setdefault(entry.step, record.time)
    return Journal(
        entries=tuple(entries),
        turned=None if turned is None else str(turned.entry.detail.get("reason", "")),
        turned_at=None if turned is None else turned.time,
        ended=None if ended is None else State(ended.entry.result),
        end_message="" if ended is None else str(ended.entry.detail.get("reason", "")),
        alarms=alarms,
    )


def dry_runs_of(records: Iterable[Record]) -> dict[str, Mapping[str, Json]]:
    """Return step → detail of what AWS said to dry runs, in the order of the plan."""
    return {
        record.entry.step: record.entry.detail
        for record in records
        if record.entry.kind is RecordKind.OUTCOME and record.entry.attempt == 0 and record.entry.result == DRY_RUN
    }


def alarms_of(records: Iterable[Record]) -> frozenset[str]:
    """Return the steps for which a person was called already."""
    return frozenset(record.entry.step for record in records if _is_alarm(record))


def _is_alarm(record: Record) -> bool:
    entry = record.entry
    return entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and entry.result == State.NEEDS_HUMAN.value


def _observed(record: Record) -> Mapping[str, str]:
    seen = record.entry.detail.get("observed")
    return {key: str(value) for key, value in seen.items()} if isinstance(seen, Mapping) else {}


def _outcome(record: Record) -> JournalEntry:
    entry = record.entry
    return JournalEntry(
        entry.step,
        entry.attempt,
        record.time,
        Result(entry.result),
        code=str(entry.detail.get("code", "")),
        retryable=entry.detail.get("retryable") is True,
        created=str(entry.detail.get("created") or ""),
    )


@dataclass(frozen=True, slots=True)
class InFlight:
    """An act that was started and has not ended, as in its `started` record; `access` is still to be resolved.

    Attributes:
        records_lost: records of the ledger were lost after it started, perhaps its end among them.
    """

    uid: str
    namespace: str
    name: str
    policy: str
    account: str
    plan: Plan
    plan_hash: str
    deciders: tuple[str, ...]
    dry_run: bool
    estimate: Mapping[str, str]
    records_lost: bool = False


def lost_since_start(ledger: Ledger, records: Iterable[Record]) -> bool:
    """Return whether records of the ledger were lost after an act began, perhaps what it called among them.

    Args:
        ledger: knows of losses.
        records: of the act's request.

    Raises:
        LedgerUnavailable, LedgerDiverged: not known now.
    """
    begun = next((one.sequence for one in records if _is_start(one)), None)
    return begun is not None and any(is_loss(one) and one.sequence > begun for one in ledger.unfinished())


def _is_start(record: Record) -> bool:
    entry = record.entry
    return entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and entry.result == STARTED


def _nobody(_record: Record) -> None:
    return


def stuck_entry(act: InFlight, why: str) -> Entry:
    """Return the record that calls a person for an act which no account leads on."""
    return Entry(
        operation_id=f"{act.uid}:alarm:{ACCOUNT}",
        actor=_ACTOR,
        kind=RecordKind.OUTCOME,
        request=f"{act.namespace}/{act.name}/{act.uid}",
        step=ACCOUNT,
        plan_hash=act.plan_hash,
        result=State.NEEDS_HUMAN.value,
        detail={"reason": why},
    )


def in_flight(ledger: Ledger, seen: Callable[[Record], None] = _nobody) -> tuple[InFlight, ...]:
    """Return the acts to finish, and show every record that was read for it to `seen`."""
    open_acts: dict[str, InFlight] = {}
    called: set[str] = set()
    decided: set[str] = set()
    for record in ledger.unfinished():
        seen(record)
        entry = record.entry
        if is_loss(record):
            open_acts = {name: replace(act, records_lost=True) for name, act in open_acts.items()}
        elif _is_start(record):
            open_acts.setdefault(entry.request, _in_flight(record))
        elif entry.kind is RecordKind.VERIFIED or (entry.kind is RecordKind.OUTCOME and entry.result in _ENDS):
            open_acts.pop(entry.request, None)
        elif entry.kind is RecordKind.INTENT:
            called.add(entry.request)
        elif entry.kind is RecordKind.DECIDED and entry.result in _ENDS:
            decided.add(entry.request)
    # One that ended before its first call leaves nothing to finish.
    return tuple(act for name, act in open_acts.items() if name in called or name not in decided)


def _in_flight(record: Record) -> InFlight:
    entry = record.entry
    detail: Mapping[str, Any] = entry.detail
    namespace, name, uid = entry.request.split("/")
    return InFlight(
        uid=uid,
        namespace=namespace,
        name=name,
        policy=str(detail["policy"]),
        account=str(detail["account"]),
        plan=plan_from_json(detail["plan"]),
        plan_hash=entry.plan_hash,
        deciders=tuple(str(handle) for handle in detail["deciders"]),
        dry_run=bool(detail["dryRun"]),
        estimate={str(key): str(value) for key, value in detail["estimate"].items()},
    )


def plan_from_json(document: Mapping[str, Any]) -> Plan:
    """Rebuild a plan from its canonical document; its hash is the same.

    Raises:
        KeyError, TypeError: the document is not a plan's.
    """
    resource = document["resource"]
    return Plan(
        action=str(document["action"]),
        resource=ResourceRef(
            kind=resource["kind"],
            id=resource["id"],
            arn=resource["arn"],
            account=resource["account"],
            region=resource["region"],
        ),
        parameters=dict(document["parameters"]),
        steps=tuple(
            PlanStep(step["id"], step["operation"], dict(step["parameters"]), step["inverse"])
            for step in document["steps"]
        ),
        fingerprint=dict(document["fingerprint"]),
    )
