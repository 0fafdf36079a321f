"""Checks the records of each request: nobody acted without votes, twice, too late or without writing first.

Rules, per request: an intent needs, of its plan hash and in this order, a `proposed` record, a `decided` record (result
`Approved`) and one `started` record that holds the plan, not for real what was proposed or tried as a dry run, nor the
other way round; a further decision asks for no less than each one before, of whatever plan. Its call is one of that
plan, in the plan's order, or leads back from it (`calls`). Before the decision as many different people whose counted
Approve votes carry that plan hash as the decision says are required. Permission is asked before every intent until
something may have changed, and again before each call of the plan that destroys: then as many approvals still stand,
one of them from outside Slack if the decision says `stepUp`, nobody has denied, no decision has ended the request, and
the expiry that the decision names is not reached: not by its time, nor by the latest time of the request's records
before it, which is no more than five minutes later. Other intents only finish what began. Attempts count up from 1; no
intent while an earlier one has no final outcome; an outcome belongs to an intent and closes it once (`unknown` does not
close it). A second one that agrees with the first is a problem until a later `corrected` record names it by sequence
and hash. An undo is asked for (a counted vote `Undo`), answered and recorded only after the act was verified, and so is
what was found in the hours after it (`watched`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from finops.audit_verify.calls import Calls
from finops.audit_verify.pauses import scope_of
from finops.audit_verify.plan import destroys, problem_of_call, problem_of_plan
from finops.audit_verify.proposals import Proposals
from finops.audit_verify.shelf import Kept
from finops.audit_verify.terms import instant, is_easier
from finops.audit_verify.votes import Votes

_ENDS = frozenset({"Succeeded", "RolledBack", "Stale", "Withdrawn", "Expired"})
_REFUSED = frozenset({"Denied", "Expired", "Withdrawn", "Superseded", "Snoozed"})
"""Decisions after which nothing may begin."""
_BACK_AT_MOST = timedelta(minutes=5)
"""So far may an intent for which permission is asked be dated before the latest record of its request. AWS refuses what
a clock signs that is further off."""


@dataclass(slots=True)
class _Started(Kept):
    """How an act began; `scope` is what a pause of it would name."""

    plan: dict[str, Any]
    dry_run: bool
    scope: str


@dataclass(slots=True)
class _Decision(Kept):
    """An approval.

    Attributes:
        detail: of the record.
        different: how many of the approvals it stands on were surely of different people.
        doubts: what no rule forbids and a person should check.
    """

    detail: dict[str, Any]
    different: int
    doubts: tuple[str, ...]


@dataclass(slots=True)
class RequestStory(Kept):
    """Follows one request; `check` returns (code, message) for each broken rule.

    Attributes:
        latest: the latest time of its records; all have the same form, so that they are compared as texts.
        place: how many requests came before it.
    """

    votes: Votes = field(default_factory=Votes)
    decisions: dict[str, _Decision] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    proposals: Proposals = field(default_factory=Proposals)
    started: dict[str, _Started] = field(default_factory=dict)
    refused: str = ""
    ended: str = ""
    verified: bool = False
    latest: str = ""
    place: int = 0

    def check(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        problems = self._check(record)
        self.latest = max(self.latest, record["time"])
        return problems

    def _check(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        kind = record["kind"]
        if kind == "voted":
            return self._voted(record)
        if kind == "undone":
            return self._undone("the record of an undo")
        if kind == "watched":
            return [] if self.verified else [("Watch", "what was found after an act that was not verified before")]
        if kind == "decided":
            return self._decided(record)
        if kind == "intent":
            return self._intent(record)
        if kind == "outcome":
            return self._outcome(record)
        return self._verified(record) if kind == "verified" else []

    def needs_permission(self, record: dict[str, Any]) -> str:
        """Return what the next record announces if permission is asked for it, in words; empty where none is."""
        if record["kind"] != "intent":
            return ""
        if not self.calls.may_have_changed:
            return "the act began" if not self.calls.found else "a call of an act that had changed nothing was made"
        destroying = record["detail"].get("back") is not True and destroys(record["detail"].get("operation"))
        return f"{record['detail']['operation']} was called" if destroying else ""

    def scope(self, plan_hash: str) -> str:
        """Return what a pause of the act with this plan would name, empty while it has not started."""
        started = self.started.get(plan_hash)
        return "" if started is None else started.scope

    def _verified(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        self.ended = record["result"]
        self.verified = True
        if not self.started:
            return [("Plan", "verified before the record that the act started")]
        started = self.started.get(record["planHash"])
        if started is None:
            return [("Plan", "verified with another plan than the one with which the act started")]
        if record["result"] != "Succeeded":
            return []
        wrong = self.calls.problem_of_success(started.plan)
        return [("Plan", wrong)] if wrong else []

    def _undone(self, what: str) -> list[tuple[str, str]]:
        return [] if self.verified else [("Undo", f"{what} of an act that was not verified before")]

    def _voted(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["result"] != "counted":
            return []
        if record["detail"].get("choice") == "Undo":
            return self._undone("a counted vote for the undo")
        self.votes.add(record)
        return []

    def _decided(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["result"] in _REFUSED:
            self.refused = self.refused or record["result"]
        if record["result"] != "Approved":
            return []
        required = record["detail"].get("required")
        if type(required) is not int or required < 1:
            return [("Approval", "the decision does not say how many votes it needed")]
        plan_hash = record["planHash"]
        self.votes.as_decided(record["detail"])
        different = self.votes.surely_different(plan_hash, record["detail"])
        doubts = tuple(
            f"record {record['sequence']} calls {one} and {other} two people, and their votes before it were recorded "
            "as those of one: if they are one, the quorum is one person short"
            for one, other in self.votes.parted(plan_hash, record["detail"])
        )
        problems = _order(self, plan_hash, record["detail"])
        self.decisions[plan_hash] = _Decision(record["detail"], different, doubts)
        return [*problems, *self._quorum(plan_hash, record["detail"])]

    def _quorum(self, plan_hash: str, detail: dict[str, Any]) -> list[tuple[str, str]]:
        wrong = self.votes.problem_of_quorum(plan_hash, detail)
        return [("Approval", wrong)] if wrong else []

    def _intent(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        problems: list[tuple[str, str]] = []
        decision, what = self.decisions.get(record["planHash"]), self.needs_permission(record)
        if not record["planHash"] or decision is None:
            problems.append(("Approval", "an intent without an earlier approval of exactly this plan"))
        elif what:
            problems.extend(self._permission(record, decision.detail, what))
        problems.extend(self._call(record))
        problems.extend(self.calls.add(record))
        if self.ended:
            problems.append(("Pairing", f"an intent after the act had ended as {self.ended}"))
        return problems

    def _call(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        started = self.started.get(record["planHash"])
        if started is None:
            return [("Plan", "an intent before the record that the act started with this plan")]
        if started.dry_run:
            return [("Plan", "a call of an act that was approved as a dry run")]
        uid = record["request"].rpartition("/")[2]
        wrong = problem_of_call(started.plan, record, uid, turned=self.calls.turned)
        if not wrong and record["detail"].get("back") is not True:
            wrong = self.calls.problem_of_next(started.plan, record["step"])
        return [("Plan", wrong)] if wrong else []

    def _permission(self, record: dict[str, Any], decision: dict[str, Any], what: str) -> list[tuple[str, str]]:
        problems = self._quorum(record["planHash"], decision)
        if record["planHash"] not in self.proposals.plans:
            problems.append(("Proposal", "an intent for a plan that was not proposed before"))
        if self.refused:
            problems.append(("Approval", f"{what} after the request had ended as {self.refused}"))
        if self.votes.objections:
            problems.append(("Approval", f"{what} although a person had denied or snoozed it"))
        return [*problems, *self._times(record, decision.get("expiresAt"), what)]

    def _times(self, record: dict[str, Any], expiry: object, what: str) -> list[tuple[str, str]]:
        """A clock that was put back gains nothing: an intent is no earlier than what its request holds before it."""
        at, latest = instant(record["time"]), instant(max(self.latest, record["time"]))
        until = instant(expiry)
        if at is None or latest is None:
            return [("Time", "an intent among records of its request whose times are none")]
        problems = []
        if latest - at > _BACK_AT_MOST:
            problems.append(("Time", f"{what} at a time before that of an earlier record of its request"))
        if not isinstance(expiry, str):
            problems.append(("Expiry", "the decision does not say until when it holds"))
        elif until is None:
            problems.append(("Expiry", f"{expiry!r} is not a time with its zone"))
        elif latest >= until:
            problems.append(("Expiry", f"{what} after its expiry {expiry}"))
        return problems

    def _outcome(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["attempt"] == 0:
            # A note about the whole act: started, compensating, dry run, or how it ended.
            if record["result"] == "started":
                return self._started(record)
            if record["result"] == "dry-run":
                return _tried(self)
            self.calls.turned = self.calls.turned or record["result"] == "compensating"
            if record["result"] in _ENDS:
                self.ended = record["result"]
            return []
        return self.calls.close(record)

    def _started(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        plan, plan_hash = record["detail"].get("plan"), record["planHash"]
        wrong = problem_of_plan(plan, plan_hash)
        if wrong:
            return [("Plan", wrong)]
        problems, dry_run = [], record["detail"].get("dryRun") is True
        if self.started:
            problems.append(("Plan", "an act that had started started again"))
        if self.proposals.is_dry_run and not dry_run:
            problems.append(("Plan", "what was proposed as a dry run started as an act"))
        if self.calls.tried and not dry_run:
            problems.append(("Plan", "what was tried as a dry run started as an act"))
        # What it was when it began it stays.
        self.started.setdefault(plan_hash, _Started(plan, dry_run, scope_of(record)))
        return [*problems, *_approval_of_start(plan, self.decisions.get(plan_hash))]


def _tried(story: RequestStory) -> list[tuple[str, str]]:
    story.calls.tried = True
    acts = any(not one.dry_run for one in story.started.values())
    return [("Plan", "a dry run of what had started as an act")] if acts else []


def _order(story: RequestStory, plan_hash: str, detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What is approved was proposed, and no plan of a request is approved on easier terms than another one before."""
    problems = []
    if plan_hash not in story.proposals.plans:
        problems.append(("Proposal", "a plan was approved that was not proposed before"))
    if any(is_easier(before.detail, detail) for before in story.decisions.values()):
        problems.append(("Approval", "a plan was approved again on easier terms than before"))
    return problems


def _approval_of_start(plan: dict[str, Any], decision: _Decision | None) -> list[tuple[str, str]]:
    if decision is None:
        return [("Approval", "an act started before exactly this plan was approved")]
    calls = [step.get("operation") for step in plan.get("steps", ()) if isinstance(step, dict)]
    if decision.different >= decision.detail["required"] or not any(map(destroys, calls)):
        return []
    counted = f"{decision.different} of {decision.detail['required']}"
    return [("Approval", f"an act that destroys was approved by {counted} people who are surely not the same")]
