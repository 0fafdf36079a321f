"""Checks the records of each request: nobody acted without votes, twice, too late or without writing first.

Rules, per request: an intent needs, of its plan hash and in this order, a `proposed` record, a `decided` record (result
`Approved`) and a `started` record that holds the plan; its call is one of that plan or leads back from it. Before the
decision as many different people whose counted Approve votes carry that plan hash as the decision says are required; as
many still stand, one of them from outside Slack if the decision says `stepUp`, nobody has denied and no decision has
ended the request at the first intent, which is earlier than the expiry that the decision names (later ones only finish
what began). Attempts count up from 1; no intent while an earlier one has no final outcome; an outcome belongs to an
intent and closes it once (`unknown` does not close it). A second one that agrees with the first is a problem until a
later `corrected` record names it by sequence and hash. An undo is asked for (a counted vote `Undo`), answered and
recorded only after the act was verified, and so is what was found in the hours after it (`watched`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from finops.audit_verify.plan import problem_of_call, problem_of_plan

DUPLICATE = "Duplicate"
"""Code of the one problem that a `corrected` record can settle."""

_UNDECIDED = "unknown"
_DONE = frozenset({"ok", "recovered"})
_ENDS = frozenset({"Succeeded", "RolledBack", "Stale", "Withdrawn", "Expired"})
_REFUSED = frozenset({"Denied", "Expired", "Withdrawn", "Superseded", "Snoozed"})
"""Decisions after which nothing may begin."""
_NO_VOTES = frozenset({"Resume", "Wake"})
"""Words about other acts, or about asking again: no votes on the request that they name."""


@dataclass(slots=True)
class _Call:
    operation_id: str
    outcomes: list[str] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return any(outcome != _UNDECIDED for outcome in self.outcomes)


@dataclass(slots=True)
class RequestStory:
    """Follows one request; `check` returns (code, message) for each broken rule."""

    approvals: dict[tuple[str, str], str] = field(default_factory=dict)
    objections: set[str] = field(default_factory=set)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[tuple[str, int], _Call] = field(default_factory=dict)
    proposed: set[str] = field(default_factory=set)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: str = ""
    turned: bool = False
    ended: str = ""
    verified: bool = False

    def check(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        kind = record["kind"]
        if kind == "voted":
            return self._voted(record)
        if kind == "undone":
            return self._undone("the record of an undo")
        if kind == "watched":
            return [] if self.verified else [("Watch", "what was found after an act that was not verified before")]
        if kind == "proposed":
            self.proposed.add(record["planHash"])
        if kind == "decided":
            return self._decided(record)
        if kind == "intent":
            return self._intent(record)
        if kind == "outcome":
            return self._outcome(record)
        if kind == "verified":
            self.ended = record["result"]
            self.verified = True
        return []

    def open_intents(self) -> list[str]:
        return [call.operation_id for call in self.calls.values() if not call.closed]

    def _undone(self, what: str) -> list[tuple[str, str]]:
        return [] if self.verified else [("Undo", f"{what} of an act that was not verified before")]

    def _voted(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["result"] != "counted":
            return []
        choice = record["detail"].get("choice")
        if choice == "Undo":
            return self._undone("a counted vote for the undo")
        person = str(record["detail"].get("person") or record["actor"])
        if choice in _NO_VOTES:
            return []
        if choice == "Approve":
            self.approvals[record["planHash"], person] = record["actor"]
            self.objections.discard(person)
        else:
            self.approvals.pop((record["planHash"], person), None)
            if choice == "Deny":
                self.objections.add(person)
        return []

    def _decided(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["result"] in _REFUSED:
            self.refused = self.refused or record["result"]
        if record["result"] != "Approved":
            return []
        required = record["detail"].get("required")
        if type(required) is not int or required < 1:
            return [("Approval", "the decision does not say how many votes it needed")]
        self.decisions[record["planHash"]] = record["detail"]
        return self._quorum(record["planHash"], record["detail"])

    def _quorum(self, plan_hash: str, decision: dict[str, Any]) -> list[tuple[str, str]]:
        voters = [voter for (plan, _), voter in self.approvals.items() if plan == plan_hash]
        if len(voters) < decision["required"]:
            return [("Approval", f"approved by {len(voters)} of {decision['required']} people for this plan")]
        if decision.get("stepUp") and not any(voter.startswith("k8s.") for voter in voters):
            return [("Approval", "approved in Slack alone, though one approval had to come from elsewhere")]
        return []

    def _intent(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        problems: list[tuple[str, str]] = []
        decision = self.decisions.get(record["planHash"])
        if not record["planHash"] or decision is None:
            problems.append(("Approval", "an intent without an earlier approval of exactly this plan"))
        elif not self.calls:
            problems.extend(self._first_intent(record, decision))
        key = record["step"], record["attempt"]
        earlier = [attempt for step, attempt in self.calls if step == record["step"]]
        if not record["step"] or record["attempt"] != max(earlier, default=0) + 1:
            problems.append(("Pairing", f"attempt {record['attempt']} of step {record['step']!r} is out of order"))
        problems.extend(("Pairing", f"a new intent while {other} has no outcome") for other in self.open_intents())
        problems.extend(self._call(record))
        if self.ended:
            problems.append(("Pairing", f"an intent after the act had ended as {self.ended}"))
        self.calls[key] = _Call(record["operationId"])
        return problems

    def _call(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        plan = self.plans.get(record["planHash"])
        if plan is None:
            return [("Plan", "an intent before the record that the act started with this plan")]
        uid = record["request"].rpartition("/")[2]
        wrong = problem_of_call(plan, record, uid, turned=self.turned)
        return [("Plan", wrong)] if wrong else []

    def _first_intent(self, record: dict[str, Any], decision: dict[str, Any]) -> list[tuple[str, str]]:
        problems = self._quorum(record["planHash"], decision)
        if record["planHash"] not in self.proposed:
            problems.append(("Proposal", "an intent for a plan that was not proposed before"))
        if self.refused:
            problems.append(("Approval", f"the act began after the request had ended as {self.refused}"))
        if self.objections:
            problems.append(("Approval", "the act began although a person had denied it"))
        expiry = decision.get("expiresAt")
        if not isinstance(expiry, str):
            return [*problems, ("Expiry", "the decision does not say until when it holds")]
        try:
            late = datetime.fromisoformat(record["time"]) >= datetime.fromisoformat(expiry)
        except (ValueError, TypeError):
            return [*problems, ("Expiry", f"{expiry!r} is not a time with its zone")]
        return [*problems, ("Expiry", f"the act began after its expiry {expiry}")] if late else problems

    def _outcome(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        if record["attempt"] == 0:
            # A note about the whole act: started, compensating, dry run, or how it ended.
            if record["result"] == "started":
                return self._started(record)
            self.turned = self.turned or record["result"] == "compensating"
            if record["result"] in _ENDS:
                self.ended = record["result"]
            return []
        call = self.calls.get((record["step"], record["attempt"]))
        if call is None:
            return [("Pairing", "an outcome without an intent")]
        if call.closed:
            # Two processes that saw the same effect: harmless, and void once a correction names the second record.
            same = (call.outcomes[-1] in _DONE) == (record["result"] in _DONE)
            return [(DUPLICATE if same else "Pairing", "a second final outcome of the same attempt")]
        call.outcomes.append(record["result"])
        return []

    def _started(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        plan, plan_hash = record["detail"].get("plan"), record["planHash"]
        wrong = problem_of_plan(plan, plan_hash)
        if wrong:
            return [("Plan", wrong)]
        self.plans[plan_hash] = plan
        return []
