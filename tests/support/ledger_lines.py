"""Makes exports for the verifier's tests, with the writer's own code: an honest ledger of a finished act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.ledger_keys import KEYS

from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind, request_uid
from finops.domain.canonical import Json
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.ledger.lines import line_of

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REQUEST = "team-a/savings-1/u1"
CALLS = {"stop": "ec2:StopInstances", "start": "ec2:StartInstances"}
WHAT = Plan(
    "ec2_instance_stop",
    ResourceRef(
        "ec2-instance", "i-1", "arn:aws:ec2:eu-central-1:111122223333:instance/i-1", "111122223333", "eu-central-1"
    ),
    {},
    (PlanStep("stop", CALLS["stop"], {"InstanceIds": ["i-1"]}), PlanStep("wait_stopped")),
    {"state": "running"},
)
PLAN = WHAT.hash
SPEC = "5" * 64
"""Hash of the spec of the request."""
TWO_CALLS = replace(WHAT, steps=(*WHAT.steps, PlanStep("start", CALLS["start"], {"InstanceIds": ["i-1"]})))
"""A plan that starts again what it has stopped."""
EXPIRY = "2026-03-04T12:00:00+00:00"


def entry(
    name: str,
    kind: RecordKind,
    *,
    actor: str = "operator",
    step: str = "",
    attempt: int = 0,
    result: str = "",
    plan: str = PLAN,
    detail: dict[str, Json] | None = None,
) -> Entry:
    return Entry(
        operation_id=f"u1:{name}",
        actor=actor,
        kind=kind,
        request=REQUEST,
        step=step,
        attempt=attempt,
        plan_hash=plan,
        result=result,
        detail=detail or {},
    )


def vote(actor: str, decision: str = "Approve", *, result: str = "counted", plan: str = PLAN) -> Entry:
    return entry(
        f"voted:{actor}:{decision}",
        RecordKind.VOTED,
        actor=actor,
        result=result,
        plan=plan,
        detail={"choice": decision},
    )


def decided(required: int = 2, expiry: str = EXPIRY, *, plan: str = PLAN) -> Entry:
    detail: dict[str, Json] = {"required": required, "expiresAt": expiry}
    return entry("decided", RecordKind.DECIDED, result="Approved", plan=plan, detail=detail)


def intended(plan: str = PLAN) -> Entry:
    """Return the proposal as it is recorded before the object, under the name of the request."""
    detail: dict[str, Json] = {"specHash": SPEC, "dryRun": False}
    made = entry("intended", RecordKind.PROPOSED, result="intent", plan=plan, detail=detail)
    return replace(made, request=REQUEST.removesuffix("u1"))


def created(plan: str = PLAN) -> Entry:
    """Return the proposal as it is recorded once the object has a uid."""
    return entry("proposed", RecordKind.PROPOSED, result="created", plan=plan, detail={"specHash": SPEC})


def proposed(plan: str = PLAN) -> tuple[Entry, Entry]:
    return intended(plan), created(plan)


def started(plan: Plan = WHAT) -> Entry:
    return entry("started", RecordKind.OUTCOME, result="started", plan=plan.hash, detail={"plan": plan.to_json()})


def intent(step: str = "stop", attempt: int = 1, *, plan: str = PLAN, **call: Json) -> Entry:
    detail: dict[str, Json] = {
        "operation": CALLS.get(step, ""),
        "parameters": {"InstanceIds": ["i-1"]},
        "back": False,
        **call,
    }
    return entry(f"intent:{step}:{attempt}", RecordKind.INTENT, step=step, attempt=attempt, plan=plan, detail=detail)


def outcome(step: str = "stop", attempt: int = 1, result: str = "ok", *, name: str = "outcome") -> Entry:
    return entry(f"{name}:{step}:{attempt}", RecordKind.OUTCOME, step=step, attempt=attempt, result=result)


def verified() -> Entry:
    return entry("verified", RecordKind.VERIFIED, result="Succeeded", detail={"after": {"state": "stopped"}})


HONEST = (
    *proposed(),
    vote("slack.U1"),
    vote("k8s.alice"),
    decided(),
    started(),
    intent(),
    outcome(),
    verified(),
)


def records(entries: tuple[Entry, ...] = HONEST, *, fences: tuple[int, ...] = ()) -> list[Record]:
    """Chain and sign entries as the ledger does, a second apart; `fences` by position, 1 elsewhere."""
    chained: list[Record] = []
    previous = GENESIS_HASH
    last: dict[str, int] = {}
    for number, one in enumerate(entries):
        fence = fences[number] if number < len(fences) else 1
        uid = request_uid(one.request)
        before = last.get(uid, 0)
        record = KEYS.sign(
            Record(number + 1, previous, START + timedelta(seconds=number), fence, one, request_previous=before)
        )
        chained.append(record)
        if uid:
            last[uid] = record.sequence
        previous = record.hash
    return chained


def lines(entries: tuple[Entry, ...] = HONEST, *, fences: tuple[int, ...] = ()) -> list[str]:
    return [line_of(record).decode() for record in records(entries, fences=fences)]


def whole(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Return a story of votes and calls with the proposal and the beginning that an operator records around them."""
    story = list(entries)
    if not any(one.kind is RecordKind.PROPOSED for one in story):
        story[:0] = proposed()
    first = next((place for place, one in enumerate(story) if one.kind is RecordKind.INTENT), None)
    if first is not None and not any(one.result == "started" for one in story):
        story.insert(first, started())
    return tuple(story)


def of_plan(plan: Plan, *story: Entry) -> tuple[Entry, ...]:
    """Return a story as it would be had this plan been proposed, approved and started."""
    return tuple(
        started(plan) if one.result == "started" else replace(one, plan_hash=plan.hash if one.plan_hash else "")
        for one in story
    )


STORY_OF_TWO_CALLS = of_plan(
    TWO_CALLS,
    *(*proposed(), vote("k8s.alice"), vote("k8s.bob"), decided(), started()),
    *(intent(), outcome(), intent("start"), outcome("start"), verified()),
)
