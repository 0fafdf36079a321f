"""What the model of the protocol asks the product: its own pure functions, on the records that a ledger of words means.

A record is a word such as `vote|bob:Approve|counted` or `intent|stop|1|forward|running,m5.xlarge,0`. Answers are kept:
few different questions are asked very often.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, Final, NamedTuple

from tests.support.resize_world import NEW, OLD, RESOURCE, START

from finops.audit_verify.story import RequestStory
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import (
    TERMINAL,
    Approver,
    Choice,
    Electorate,
    RequestFacts,
    State,
    Terms,
    Trigger,
    Vote,
    Voter,
    VoteResult,
    judge,
)
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    Observation,
    Procedure,
    Result,
    Settle,
    Stop,
    StopKind,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.transitions import next_state
from finops_operator.acts.journal import journal_of
from finops_operator.rules.standing import Standing, is_lost, standing
from finops_operator.rules.votes import voter_detail
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION

LATER_CASTS: Final = (
    ("carol:Deny", None),
    ("carol:Snooze", None),
    ("bob:Deny", "bob:Approve"),
    ("bob:Withdraw", "bob:Approve"),
    ("carol:Withdraw", "carol:Deny"),
)
"""Votes beside the two approvals, each with one of the same person that comes before it."""
AGES: Final = (0.1, 150.0, 2_000.0)
"""Seconds since the last record of the act: effects may still be invisible, they show by now, everything is late."""
REQUEST: Final = "team-a/resize-1/u1"
PLAN: Final = ACTION.plan(
    RESOURCE, {"instanceType": NEW}, {"state": "running", "instanceType": OLD, "launchTime": "t0"}
)
OPERATIONS: Final = {
    step.id: step.operation for step in (*PLAN.steps, *ACTION.procedure.compensation(PLAN)) if step.changes
}
_STEPS: Final = {step.id: step for step in (*PLAN.steps, *ACTION.procedure.compensation(PLAN))}
_REQUIRED: Final = 2
_EXPIRY: Final = START + timedelta(days=900)
_VOTERS: Final = {
    "alice": Voter("kubernetes", "alice"),
    "bob": Voter("slack", "bob", ("SONCALL",), slack_user="bob"),
    "carol": Voter("kubernetes", "carol"),
}
_TERMS: Final = Terms(
    (Approver(kubernetes_user="alice"), Approver(slack_user_group="SONCALL"), Approver(kubernetes_user="carol")),
    _REQUIRED,
    "Never",
    _EXPIRY,
)

Ledger = tuple[str, ...]


class Seen(NamedTuple):
    """What AWS shows of the instance."""

    state: str = "running"
    kind: str = OLD
    launches: int = 0


class Move(NamedTuple):
    """The next move in words: `call`, `settle`, `wait`, `turn`, `verified`, `finish`, or `hold` for all that waits."""

    name: str
    step: str = ""
    attempt: int = 0
    result: str = ""
    asks: bool = False


@dataclass(frozen=True)
class Product:
    """The product's pure functions, with one of the guards that stand in them taken away, or none."""

    removed: str = ""

    @cached_property
    def procedure(self) -> Procedure:
        given = ACTION.procedure
        if self.removed == "restored before the end":
            return replace(given, restored=lambda _plan, _now: True)
        if self.removed == "time to show":
            steps = {name: replace(rules, settle_seconds=0.0) for name, rules in given.steps.items()}
            return replace(given, steps=steps)
        return given

    def has(self, guard: str) -> bool:
        return self.removed != guard

    def standing(self, ledger: Ledger, made: tuple[str, ...], *, left: bool) -> Standing:
        """Return how the request stands."""
        facts = _facts(State.PENDING)
        found = standing(records_of(ledger), map(_vote, made), _people(left=left), facts)
        tally = found.tally
        if not (self.has("one takes back one's own") and self.has("what was taken back stays so")):
            wrong = records_of(self._wrongly_taken_back(ledger))
            tally = standing(wrong, map(_vote, made), _people(left=left), facts).tally
        if not self.has("denials"):
            tally = replace(tally, denials=())
        if not self.has("snoozes"):
            tally = replace(tally, snoozes=())
        if not self.has("quorum"):
            tally = replace(tally, required=1)
        return replace(found, tally=tally)

    def _wrongly_taken_back(self, ledger: Ledger) -> Ledger:
        """Return the ledger as one would count it for whom a withdrawal only undoes the vote before it.

        Whoever's that is, or of the same person, of whom an earlier vote then stands again.
        """
        kept: list[str] = []
        for word in ledger:
            if not word.endswith(":Withdraw|counted"):
                kept.append(word)
                continue
            whose = word.removesuffix("Withdraw|counted") if self.has("one takes back one's own") else "vote|"
            undone = [number for number, one in enumerate(kept) if one.startswith(whose)]
            del kept[undone[-1]]
        return tuple(kept)

    def verdict(self, ledger: Ledger, cast: str, made: tuple[str, ...], *, left: bool, expired: bool) -> str:
        """Return `counted` or `refused`."""
        counted = self.standing(ledger, made, left=left).votes
        found = judge(_vote(cast), _facts(state_in(ledger)), counted, _people(left=left), _now(expired=expired))
        return "counted" if found.result is VoteResult.COUNTED else "refused"

    def decision(self, ledger: Ledger, made: tuple[str, ...], *, left: bool, expired: bool) -> str:
        """Return the state that votes and time lead to, empty while they lead nowhere."""
        state, expired = state_in(ledger), expired and self.has("expiry")
        if state not in {State.PENDING, State.APPROVED}:
            return ""
        votes = self.standing(ledger, made, left=left).tally
        lost = Trigger.QUORUM_LOST if is_lost(votes) else None
        trigger = votes.trigger if state is State.PENDING else lost
        trigger = trigger or (Trigger.EXPIRED if expired else None)
        return next_state(state, trigger).value if trigger else ""

    def stop(
        self, ledger: Ledger, made: tuple[str, ...], *, frozen: bool, left: bool, expired: bool
    ) -> StopKind | None:
        """Return why the gate lets nothing begin, in the order in which the operator's gate asks."""
        if frozen and self.has("freeze"):
            return StopKind.HOLD
        found = self.standing(ledger, made, left=left)
        if found.ended is not None and self.has("decisions are final"):
            return StopKind.EXPIRED if found.ended.entry.result == State.EXPIRED else StopKind.WITHDRAWN
        if expired and self.has("expiry"):
            return StopKind.EXPIRED
        if found.objection is not None:
            return StopKind.WITHDRAWN
        people = {vote.voter.handle for vote in found.votes}
        if self.has("unread votes hold") and any(vote.voter.handle in people for vote in found.unread):
            return StopKind.HOLD
        return StopKind.WITHDRAWN if len(found.tally.approvals) < found.tally.required else None

    def move(self, ledger: Ledger, seen: Seen, age: int, stop: StopKind | None) -> Move:
        """Return the engine's next move."""
        journal = journal_of(records_of(ledger))
        if not self.has("ended is ended"):
            journal = replace(journal, ended=None)
        if journal.open is not None and not self.has("observed before repeated"):
            absent = replace(journal.open, result=Result.ABSENT)
            journal = replace(journal, entries=(*journal.entries, absent))
        now = (journal.last_at or START) + timedelta(seconds=AGES[age])
        situation = Situation(PLAN, self.procedure, journal, _observation(seen), now)
        found = next_move(situation, stop=Stop(stop, "Stop", "stopped") if stop else None)
        return self._words(found, journal)

    def _words(self, found: object, journal: Journal) -> Move:
        match found:
            case Call():
                return Move("call", found.step.id, found.attempt, asks=not journal.may_have_changed)
            case Settle():
                return Move("settle", found.step, found.attempt, found.result.value)
            case WaitFor():
                return Move("wait", found.step)
            case Compensate() if self.has("turning back"):
                return Move("turn", found.step)
            case Compensate():
                return Move("finish", result=State.ROLLED_BACK.value)
            case Verified():
                return Move("verified")
            case Finish():
                return Move("finish", result=found.state.value)
        return Move("hold")


def state_in(ledger: Ledger) -> State:
    """Return what votes are judged against, from the ledger alone."""
    decided = [State(one.split("|")[1]) for one in ledger if one.startswith("decided|")]
    ended = next((state for state in decided if state in TERMINAL), None)
    if ended is not None:
        return ended
    if any(one.startswith(("intent|", "ended|", "verified")) for one in ledger):
        return State.EXECUTING
    return State.APPROVED if decided else State.PENDING


@cache
def records_of(ledger: Ledger) -> tuple[Record, ...]:
    """Return the records about the request, with times that leave room for everything between two of them."""
    return tuple(
        Record(number, GENESIS_HASH, START + timedelta(seconds=10_000 * number), 1, _entry(word))
        for number, word in enumerate(ledger, start=1)
        if not word.startswith("acquired|")
    )


def _entry(word: str) -> Entry:
    name, *rest = word.split("|")
    if name == "vote":
        return _voted(*rest)
    if name == "decided":
        detail: dict[str, Json] = {"required": _REQUIRED, "expiresAt": _EXPIRY.isoformat()}
        return _of(word, RecordKind.DECIDED, result=rest[0], detail=detail)
    if name == "intent":
        state, kind, launches = rest[3].split(",")
        observed: dict[str, Json] = {"state": state, "instanceType": kind, "launchTime": f"t{launches}"}
        step = _STEPS[rest[0]]
        detail = {
            "operation": step.operation,
            "parameters": dict(step.parameters),
            "observed": observed,
            "back": rest[2] == "back",
        }
        return _of(word, RecordKind.INTENT, step=rest[0], attempt=int(rest[1]), detail=detail)
    if name in {"outcome", "settled"}:
        result, retryable = ("rejected", True) if rest[2] == "throttled" else (rest[2], False)
        detail = {"code": "Refused" if result == "rejected" else "", "retryable": retryable}
        return _of(word, RecordKind.OUTCOME, step=rest[0], attempt=int(rest[1]), result=result, detail=detail)
    if name == "verified":
        return _of(word, RecordKind.VERIFIED, result=State.SUCCEEDED.value)
    if name == "proposed":
        return _of(word, RecordKind.PROPOSED, result="created")
    detail = {"plan": PLAN.to_json()} if name == "started" else {"reason": "because"}
    results = {"started": "started", "turned": "compensating", "ended": rest[0] if rest else ""}
    return _of(word, RecordKind.OUTCOME, result=results[name], detail=detail)


def _voted(cast: str, result: str) -> Entry:
    vote = _vote(cast)
    detail: dict[str, Json] = {
        "choice": vote.choice.value,
        "reason": "",
        "voter": voter_detail(vote.voter),
        "person": vote.voter.handle,
        "approval": cast,
    }
    made = _of(f"vote:{cast}", RecordKind.VOTED, result=result, detail=detail)
    return replace(made, operation_id=f"vote:{cast}", actor=vote.voter.handle)


def _of(
    word: str,
    kind: RecordKind,
    *,
    step: str = "",
    attempt: int = 0,
    result: str = "",
    detail: dict[str, Json] | None = None,
) -> Entry:
    return Entry(f"u1:{word}", "operator", kind, REQUEST, step, attempt, PLAN.hash, result, detail or {})


def _vote(cast: str) -> Vote:
    person, _, choice = cast.partition(":")
    until = START + timedelta(days=7) if choice == Choice.SNOOZE else None
    return Vote(cast, cast, "u1", PLAN.hash, Choice(choice), "", _VOTERS[person], START, until)


def _people(*, left: bool) -> Electorate:
    return Electorate({}, {"SONCALL": frozenset() if left else frozenset({"bob"})})


def _facts(state: State) -> RequestFacts:
    return RequestFacts("u1", PLAN.hash, state, _TERMS)


def _now(*, expired: bool) -> datetime:
    return _EXPIRY if expired else START


def _observation(seen: Seen) -> Observation:
    fingerprint = {"state": seen.state, "instanceType": seen.kind, "launchTime": f"t{seen.launches}"}
    reason = "Client.UserInitiatedShutdown" if seen.state in {"stopping", "stopped"} else ""
    facts: dict[str, Json] = {**fingerprint, "checks": "ok" if seen.state == "running" else "", "stateReason": reason}
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


@cache
def problems_of(ledger: Ledger) -> tuple[str, ...]:
    """Return what the offline verifier finds wrong with a ledger, open calls after its end included."""
    story, found = RequestStory(), []
    for record in records_of(ledger):
        line = record.to_json()
        found += [message for _, message in story.check(line)]
        if record.entry.kind is RecordKind.PROPOSED:
            story.proposals.add(line, None)
    ended = any(one.startswith(("ended|", "verified")) for one in ledger)
    open_calls = story.calls.open_intents() if ended else []
    names = [operation_of(one) for one in ledger]
    twice = {name for name in names if names.count(name) > 1}
    return (*found, *(f"{one} has no outcome" for one in open_calls), *(f"{one} stands twice" for one in sorted(twice)))


def operation_of(word: str) -> str:
    """Return the name under which a record is appended once."""
    parts = word.split("|")
    kept = {"intent": 3, "outcome": 3, "settled": 3, "vote": 2, "ended": 1}.get(parts[0], len(parts))
    return "|".join(parts[:kept])


def is_permitted(ledger: Ledger, *, left: bool) -> str:
    """Return why a ledger permits no act, written down a second time without the product's code; empty when it does."""
    last: dict[str, str] = {}
    for one in ledger:
        name, *rest = one.split("|")
        if name == "vote" and rest[1] == "counted":
            person, _, last_word = rest[0].partition(":")
            last[person] = last_word
        if name == "decided" and rest[0] != "Approved":
            return f"the request had ended as {rest[0]}"
    if {"Deny", "Snooze"} & set(last.values()):
        return "somebody had denied or snoozed it"
    approving = {person for person, word in last.items() if word == "Approve"} - ({"bob"} if left else set())
    if len(approving) < _REQUIRED:
        return f"{len(approving)} of {_REQUIRED} people approved"
    return "" if "decided|Approved" in ledger else "nobody had decided"


def objections(ledger: Ledger, made: Iterable[str]) -> tuple[str, ...]:
    """Return the votes against the act that exist, by people whose earlier vote counts, and that nobody has read."""
    judged: Any = {one.split("|")[1]: one.split("|")[2] for one in ledger if one.startswith("vote|")}
    people = {cast.partition(":")[0] for cast, result in judged.items() if result == "counted"}
    return tuple(
        one for one in made if one not in judged and not one.endswith(":Approve") and one.partition(":")[0] in people
    )
