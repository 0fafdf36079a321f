"""Votes, eligibility, quorum and the states of an ActionRequest, as pure code.

Called by the operator's decide stage; bot and command line only show what it decided. Rules: time-outs and errors never
approve; a vote counts only for the plan hash shown, from an eligible person, once per person whatever the channel;
terminal is terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from finops.domain.channels import together


class State(StrEnum):
    """States of an ActionRequest; what each means is in docs/glossary.md."""

    PENDING = "Pending"
    APPROVED = "Approved"
    SCHEDULED = "Scheduled"
    EXECUTING = "Executing"
    VERIFYING = "Verifying"
    SUCCEEDED = "Succeeded"
    ROLLED_BACK = "RolledBack"
    NEEDS_HUMAN = "NeedsHuman"
    STALE = "Stale"
    DENIED = "Denied"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"
    SUPERSEDED = "Superseded"
    SNOOZED = "Snoozed"


class Trigger(StrEnum):
    """What can move a request."""

    QUORUM_REACHED = "QuorumReached"
    DENIED = "Denied"
    SNOOZED = "Snoozed"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"
    SUPERSEDED = "Superseded"
    QUORUM_LOST = "QuorumLost"
    ADMITTED = "Admitted"
    STARTED = "Started"
    RESOURCE_CHANGED = "ResourceChanged"
    STEPS_DONE = "StepsDone"
    COMPENSATED = "Compensated"
    STUCK = "Stuck"
    VERIFIED = "Verified"
    RESUMED = "Resumed"


TERMINAL: Final = frozenset(
    {
        State.SUCCEEDED,
        State.ROLLED_BACK,
        State.STALE,
        State.DENIED,
        State.EXPIRED,
        State.WITHDRAWN,
        State.SUPERSEDED,
        State.SNOOZED,
    }
)
"""NeedsHuman is not terminal: when the unreachable part answers again the executor goes on to a safe end."""

UNDECIDED: Final = frozenset({State.PENDING})
BEFORE_ACT: Final = frozenset({State.PENDING, State.APPROVED, State.SCHEDULED})
IN_FLIGHT: Final = frozenset({State.EXECUTING, State.VERIFYING, State.NEEDS_HUMAN})


class Choice(StrEnum):
    """What a voter can say.

    `Resume` and `Wake` are no votes on the request: the one lets acts of its kind and policy begin again after one
    failed, the other lets its resource be asked about again before the date of a snooze. `Undo` asks for a request that
    leads the act back.
    """

    APPROVE = "Approve"
    DENY = "Deny"
    WITHDRAW = "Withdraw"
    SNOOZE = "Snooze"
    RESUME = "Resume"
    WAKE = "Wake"
    UNDO = "Undo"


NO_VOTES: Final = frozenset({Choice.RESUME, Choice.WAKE})
LONGEST_SNOOZE: Final = timedelta(days=366)


WATCH: Final = "watch"


@dataclass(frozen=True, slots=True)
class Voter:
    """Who voted, as the API server or the bot's attestation says.

    Attributes:
        source: `kubernetes`, `slack` (later `web`). `watch` is no person and votes on nothing: it is how the operator
            asks for the undo of an act that left a worse state.
        username: Kubernetes user name; for Slack the display handle the bot wrote (not trusted for anything).
        groups: Kubernetes groups as admission saw them, or Slack user group ids attested by the bot.
        slack_team, slack_user: Slack ids when source is `slack`.
    """

    source: str
    username: str
    groups: tuple[str, ...] = ()
    slack_team: str = ""
    slack_user: str = ""

    @property
    def handle(self) -> str:
        """A short stable name: `slack.U0123`, `k8s.alice`; the ledger holds the whole voter."""
        if self.source == WATCH:
            return WATCH
        return f"slack.{self.slack_user}" if self.source == "slack" else f"k8s.{self.username}"


_HANDLES: Final = ("k8s.", "slack.")
_ASKED: Final = (
    "Whether it can be undone is checked now; the answer follows, or a request that needs at least as many approvals "
    "as the act did."
)
_NOT_CHANGED: Final = "There is nothing to undo: this request was an undo or a dry run, or it has been undone already."
STEP_UP_MISSING: Final = (
    "One approval must be given outside Slack, by finops approve, kubectl or the dashboard: by one more person, or "
    "once more by one who approved in Slack."
)
_NAMES_CHARACTERS: Final = 800


@dataclass(frozen=True, slots=True)
class Vote:
    """One Approval object."""

    uid: str
    name: str
    request_uid: str
    plan_hash: str
    choice: Choice
    reason: str
    voter: Voter
    at: datetime
    until: datetime | None = None
    """Of a snooze: when to ask again."""


@dataclass(frozen=True, slots=True)
class Approver:
    """One line of `approval.approvers`; exactly one attribute is set."""

    slack_user: str = ""
    slack_user_group: str = ""
    kubernetes_user: str = ""
    kubernetes_group: str = ""

    def __str__(self) -> str:
        names = (
            ("Slack user", self.slack_user),
            ("Slack user group", self.slack_user_group),
            ("Kubernetes user", self.kubernetes_user),
            ("Kubernetes group", self.kubernetes_group),
        )
        return next((f"{label} {value}" for label, value in names if value), "nobody")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request needs: who, how many, until when, with a reason or not (`Never`, `Deny`, `Always`).

    Attributes:
        step_up: one of the approvals must be given outside Slack.
    """

    approvers: tuple[Approver, ...]
    required: int
    require_reason: str
    expires_at: datetime
    step_up: bool = False


class VoteResult(StrEnum):
    """The operator's answer to one vote."""

    COUNTED = "Counted"
    REFUSED = "Refused"


class RefusalReason(StrEnum):
    """Why a vote does not count; CamelCase because it is a Kubernetes reason."""

    WRONG_REQUEST = "WrongRequest"
    WRONG_PLAN = "WrongPlan"
    NOT_ELIGIBLE = "NotEligible"
    ALREADY_VOTED = "AlreadyVoted"
    NOTHING_TO_WITHDRAW = "NothingToWithdraw"
    EXPIRED = "Expired"
    ALREADY_DECIDED = "AlreadyDecided"
    REASON_MISSING = "ReasonMissing"
    UNKNOWN_SOURCE = "UnknownSource"
    NOT_PROPOSED = "NotProposed"
    TOO_MANY_VOTES = "TooManyVotes"
    UNPROTECTED = "Unprotected"
    NOT_PAUSED = "NotPaused"
    NOT_SNOOZED = "NotSnoozed"
    UNUSABLE_DATE = "UnusableDate"
    NOTHING_TO_UNDO = "NothingToUndo"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Answer to one vote: result, machine-readable reason, and the sentence the voter reads."""

    result: VoteResult
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Electorate:
    """What the operator knows about people right now.

    Attributes:
        same_person: maps a voter's handle (`slack.U0123`) to the person's Kubernetes user name or to another handle,
            from the administrator's ConfigMap; handles that are absent stand for themselves.
        slack_group_members: user group id → Slack user ids, read by the bot within the last hour; None when the list
            is older or missing, so that groups can only be trusted as attested at the vote.
        mapping: the place of `same_person`.
    """

    same_person: Mapping[str, str]
    slack_group_members: Mapping[str, frozenset[str]] | None = None
    mapping: str = "the identities ConfigMap"

    @property
    def named(self) -> frozenset[str]:
        """The people whom the mapping names."""
        return frozenset(map(self._person, self.same_person))

    def person(self, voter: Voter) -> str:
        """Return the handle that stands for the human behind `voter`, the same for every channel."""
        return self._person(voter.handle)

    def _person(self, handle: str) -> str:
        passed = {handle}
        while target := self.same_person.get(handle):
            # A plain name is a Kubernetes user: `slack.U0123: alice` makes one person of the click and of `k8s.alice`.
            handle = target if target.startswith(_HANDLES) else f"k8s.{target}"
            if handle in passed:
                # A circle in the mapping still stands for one person: the first of its names.
                return min(passed)
            passed.add(handle)
        return handle


def eligible_by(voter: Voter, approvers: Iterable[Approver], electorate: Electorate) -> Approver | None:
    """Return the line of the terms that lets `voter` vote, or None.

    A Slack user group counts when the bot attested it at the vote and, where a fresh member list is at hand, the
    person is still in it.
    """
    for approver in approvers:
        if voter.source == "slack":
            if approver.slack_user and approver.slack_user == voter.slack_user:
                return approver
            group = approver.slack_user_group
            if group and group in voter.groups:
                members = electorate.slack_group_members
                if members is None or voter.slack_user in members.get(group, frozenset()):
                    return approver
        elif voter.source == "kubernetes":
            if approver.kubernetes_user and approver.kubernetes_user == voter.username:
                return approver
            if approver.kubernetes_group and approver.kubernetes_group in voter.groups:
                return approver
    return None


@dataclass(frozen=True, slots=True)
class Tally:
    """The standing of a request: who counts, and what follows; `note` says why an approval is left out, if one is.

    `mapped` are handles of approvals whose people the identities name; `people` is who each voter was at that moment.
    """

    approvals: tuple[Vote, ...]
    denials: tuple[Vote, ...]
    required: int
    note: str = ""
    snoozes: tuple[Vote, ...] = ()
    mapped: tuple[str, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)

    @property
    def trigger(self) -> Trigger | None:
        """A denial outweighs any number of approvals, and so does a snooze."""
        if self.denials:
            return Trigger.DENIED
        if self.snoozes:
            return Trigger.SNOOZED
        if len(self.approvals) >= self.required:
            return Trigger.QUORUM_REACHED
        return None


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a vote is judged against.

    Attributes:
        undo_until: until when the act can be asked to be undone, by the ledger; None when there is nothing to undo.
    """

    uid: str
    plan_hash: str
    state: State
    terms: Terms
    destructive: bool = False
    undo_until: datetime | None = None


def judge(vote: Vote, request: RequestFacts, counted: Iterable[Vote], electorate: Electorate, now: datetime) -> Verdict:
    """Decide whether one new vote counts.

    `counted` are the votes already counted on this request, in the order in which they were counted.
    """
    earlier = tuple(counted)
    refusal = _refusal(vote, request, earlier, electorate, now)
    if refusal is not None:
        return Verdict(VoteResult.REFUSED, refusal[0], refusal[1])
    if vote.choice is Choice.UNDO:
        return Verdict(VoteResult.COUNTED, vote.choice.value, f"Undo counted. {_ASKED}")
    note = tally((*earlier, vote), request, electorate).note if vote.choice is Choice.APPROVE else ""
    return Verdict(VoteResult.COUNTED, vote.choice.value, f"{vote.choice.value} counted. {note}".rstrip())


def _refusal(
    vote: Vote, request: RequestFacts, counted: Iterable[Vote], electorate: Electorate, now: datetime
) -> tuple[RefusalReason, str] | None:
    terms = request.terms
    if wrong := misplaced(vote, request):
        return wrong
    if vote.choice is Choice.UNDO:
        return _undo_refusal(vote, request, electorate, now)
    if not _may_decide_now(vote.choice, request.state):
        return RefusalReason.ALREADY_DECIDED, f"The request is already {request.state.value}; the vote changes nothing."
    # The API server stamped the vote: both instants come from the cluster, not from the voter.
    if request.state is State.PENDING and (vote.at >= terms.expires_at or now >= terms.expires_at):
        return RefusalReason.EXPIRED, f"The request expired at {terms.expires_at:%Y-%m-%d %H:%M} UTC."
    if own := _own_refusal(vote, request, counted, electorate):
        return own
    return _unusable_date(vote, now) or reason_missing(vote, terms.require_reason)


def _own_refusal(
    vote: Vote, request: RequestFacts, counted: Iterable[Vote], electorate: Electorate
) -> tuple[RefusalReason, str] | None:
    """Return what this person's earlier votes, or the terms, have against the vote."""
    person = electorate.person(vote.voter)
    own = [earlier for earlier in counted if electorate.person(earlier.voter) == person]
    standing = own[-1].choice if own else Choice.WITHDRAW
    if vote.choice is Choice.WITHDRAW:
        # Whoever has a vote may take it back, also after having left the group that gave the right to it.
        if standing is Choice.WITHDRAW:
            return RefusalReason.NOTHING_TO_WITHDRAW, f"{person} has no vote on this request that could be taken back."
    elif stranger := _not_eligible(vote, request.terms, electorate):
        return stranger
    elif standing is vote.choice and not _steps_up(vote, own[-1], request.terms):
        return RefusalReason.ALREADY_VOTED, f"{person} has already voted {vote.choice.value} on this request."
    return None


def _steps_up(vote: Vote, before: Vote, terms: Terms) -> bool:
    """Return whether a person approves outside Slack what they approved in Slack: that replaces it."""
    approves = vote.choice is Choice.APPROVE and terms.step_up
    return approves and vote.voter.source != "slack" and before.voter.source == "slack"


def _unusable_date(vote: Vote, now: datetime) -> tuple[RefusalReason, str] | None:
    if vote.choice is not Choice.SNOOZE or (vote.until is not None and now < vote.until <= now + LONGEST_SNOOZE):
        return None
    return (
        RefusalReason.UNUSABLE_DATE,
        f"A snooze ends in the future, at most {LONGEST_SNOOZE.days} days from now; choose another date.",
    )


def misplaced(vote: Vote, request: RequestFacts) -> tuple[RefusalReason, str] | None:
    """Return why a vote is not about this request, or from a source that is not known; None when nothing is wrong."""
    if vote.request_uid != request.uid:
        return RefusalReason.WRONG_REQUEST, "This vote names another request of the same name; read the new one."
    if vote.plan_hash != request.plan_hash:
        return RefusalReason.WRONG_PLAN, "This vote was for a different plan than the one proposed here."
    if vote.voter.source not in {"kubernetes", "slack"}:
        return RefusalReason.UNKNOWN_SOURCE, f"Votes from source {vote.voter.source!r} are not known here."
    return None


def reason_missing(vote: Vote, require_reason: str) -> tuple[RefusalReason, str] | None:
    """Return the refusal of a vote without the reason that `require_reason` asks for; None when it has one."""
    # A snooze is a denial for a while, and ends the request like one.
    needs_reason = require_reason == "Always" or (require_reason == "Deny" and vote.choice is not Choice.APPROVE)
    if needs_reason and not vote.reason.strip():
        return RefusalReason.REASON_MISSING, f"A reason is required to {vote.choice.value.lower()}."
    return None


def _undo_refusal(
    vote: Vote, request: RequestFacts, electorate: Electorate, now: datetime
) -> tuple[RefusalReason, str] | None:
    """Return why an act is not undone for this person: asking again is no mistake, an undo may have been denied."""
    until = request.undo_until
    if until is None:
        why = f"There is nothing to undo: the request is {request.state.value}."
        return RefusalReason.NOTHING_TO_UNDO, why if request.state is not State.SUCCEEDED else _NOT_CHANGED
    if vote.at >= until or now >= until:
        return RefusalReason.EXPIRED, f"It could be undone until {until:%Y-%m-%d %H:%M} UTC."
    return _not_eligible(vote, request.terms, electorate)


def _not_eligible(vote: Vote, terms: Terms, electorate: Electorate) -> tuple[RefusalReason, str] | None:
    if eligible_by(vote.voter, terms.approvers, electorate) is not None:
        return None
    who = named(terms.approvers)
    return RefusalReason.NOT_ELIGIBLE, f"{vote.voter.handle} is not an approver of this policy. Approvers: {who}."


def named(approvers: tuple[Approver, ...]) -> str:
    """Return the approvers' names as far as a sentence holds them: fifty groups may have 256 characters each."""
    names: list[str] = []
    for name in map(str, approvers):
        if names and sum(map(len, names)) + len(name) > _NAMES_CHARACTERS:
            break
        names.append(name)
    left = len(approvers) - len(names)
    return (", ".join(names) + (f" and {left} more" if left else "")) or "nobody"


def _may_decide_now(choice: Choice, state: State) -> bool:
    # Withdraw takes a vote back as long as nothing was called; Approve and Deny decide only what is undecided.
    return state in BEFORE_ACT if choice is Choice.WITHDRAW else state in UNDECIDED


def tally(votes: Iterable[Vote], request: RequestFacts, electorate: Electorate) -> Tally:
    """Count votes again from scratch: one vote per person, the last one wins, approvals only of eligible people.

    Withdraw takes the person's earlier vote back, and a denial that was counted stands, whoever may vote by now. Used
    at decision time and again before the first changing call, when someone may have left a group or changed their mind.
    Approvals of a destructive act count only as far as they are surely of different people; a denial always counts.
    Where the terms ask for a step up, approvals from Slack stay one short of the quorum until another one counts.

    Args:
        votes: in the order in which they were counted. The API server's stamps cannot order them: they have whole
            seconds, and several servers have several clocks.
        request: what the votes must be about, and its terms.
        electorate: who is who and who is in which group now.
    """
    last: dict[str, Vote] = {}
    people: dict[str, str] = {}
    for vote in votes:
        if vote.request_uid != request.uid or vote.plan_hash != request.plan_hash or vote.choice is Choice.UNDO:
            # Who asks for an undo says nothing about the act.
            continue
        may_vote = eligible_by(vote.voter, request.terms.approvers, electorate) is not None
        if not may_vote and vote.choice is Choice.APPROVE:
            continue
        person = people[vote.voter.handle] = electorate.person(vote.voter)
        last.pop(person, None)
        last[person] = vote
    approving = {person: vote for person, vote in last.items() if vote.choice is Choice.APPROVE}
    # Channels matter only where something would be destroyed.
    by = {person: vote.voter.source for person, vote in approving.items() if request.destructive}

    def worth(people: frozenset[str]) -> int:
        # A larger part from Slack alone must not take the quorum from a smaller one that has the step up.
        return len(_without_step_up(tuple(vote for one, vote in approving.items() if one in people), request.terms))

    counting, note = together(by, electorate.named, electorate.mapping, worth)
    approvals = tuple(vote for person, vote in approving.items() if person in counting or not by)
    denials = tuple(vote for vote in last.values() if vote.choice is Choice.DENY)
    snoozes = tuple(vote for vote in last.values() if vote.choice is Choice.SNOOZE)
    enough = _without_step_up(approvals, request.terms)
    note = note if enough == approvals else f"{note} {STEP_UP_MISSING}".lstrip()
    mapped = tuple(vote.voter.handle for vote in enough if electorate.person(vote.voter) in electorate.named)
    return Tally(enough, denials, request.terms.required, note, snoozes, mapped, people)


def _without_step_up(approvals: tuple[Vote, ...], terms: Terms) -> tuple[Vote, ...]:
    """Return the approvals that count: those of Slack alone never suffice where one from elsewhere is asked for."""
    if terms.step_up and all(vote.voter.source == "slack" for vote in approvals):
        return approvals[: terms.required - 1]
    return approvals
