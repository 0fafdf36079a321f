"""From Kubernetes objects to the values that decisions are made of, and back to a status. Pure.

Used by the decider, by the gate before an act, and by the command line when it shows who has voted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.approver import Approver as ApproverEntry
from finops.crds.policy_actions import Approval as PolicyTerms
from finops.domain.audit import Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import NO_VOTES, Approver, Choice, RequestFacts, State, Tally, Terms, Vote, Voter

_ORDER: Final = {
    Choice.APPROVE: 0,
    Choice.DENY: 1,
    Choice.WITHDRAW: 2,
    Choice.SNOOZE: 3,
    Choice.RESUME: 4,
    Choice.WAKE: 5,
    Choice.UNDO: 6,
}
_NEVER_STAMPED: Final = datetime.max.replace(tzinfo=UTC)


def request_facts(request: ActionRequest) -> RequestFacts:
    """Return what votes on `request` are judged against; a request without a state counts as pending."""
    spec = request.spec
    terms = Terms(
        domain_approvers(spec.approval.approvers),
        spec.approval.required,
        spec.approval.require_reason.value,
        spec.expires_at,
        spec.approval.step_up,
    )
    return RequestFacts(request.metadata.uid or "", spec.plan_hash, state_of(request), terms, spec.destructive)


def facts_at_act(request: ActionRequest, terms: PolicyTerms) -> RequestFacts:
    """Return what votes are judged against right before the act: the stricter terms of request and policy."""
    facts = request_facts(request)
    required, step_up = terms.required, facts.terms.step_up
    if facts.destructive:
        required, step_up = terms.destructive.required, step_up or terms.destructive.step_up
    stricter = replace(facts.terms, required=max(facts.terms.required, required), step_up=step_up)
    return replace(facts, terms=stricter)


def domain_approvers(approvers: Iterable[ApproverEntry]) -> tuple[Approver, ...]:
    """Return the terms' entries as the domain knows them."""
    return tuple(
        Approver(
            slack_user=one.slack_user or "",
            slack_user_group=one.slack_user_group or "",
            kubernetes_user=one.kubernetes_user or "",
            kubernetes_group=one.kubernetes_group or "",
        )
        for one in approvers
    )


def state_of(request: ActionRequest) -> State:
    """Return the state in the domain's words."""
    return request.status.state or State.PENDING


def vote_of(approval: Approval) -> Vote:
    """Return the vote an Approval object casts; its instant is the API server's stamp, never the voter's."""
    spec = approval.spec
    who = spec.approver
    return Vote(
        uid=approval.metadata.uid or "",
        name=approval.metadata.name,
        request_uid=spec.request.uid,
        plan_hash=spec.plan_hash,
        choice=spec.decision,
        reason=spec.reason or "",
        voter=Voter(
            source=who.source.value,
            username=who.username or "",
            groups=tuple(who.groups),
            slack_team=who.slack_team or "",
            slack_user=who.slack_user or "",
        ),
        # Every object of an API server has a stamp; one without comes too late for everything.
        at=approval.metadata.creation_timestamp or _NEVER_STAMPED,
        until=spec.until,
    )


def is_about(raw: Mapping[str, Any], uid: str) -> bool:
    """Return whether an Approval as the API server has it may be about a request; one that names none may."""
    spec = raw.get("spec")
    request = spec.get("request") if isinstance(spec, Mapping) else None
    return not isinstance(request, Mapping) or request.get("uid") == uid


def votes_of(approvals: Iterable[Approval]) -> tuple[Vote, ...]:
    """Return the votes of several Approvals in the order in which they are judged: as the API server stamped them.

    Stamps have whole seconds. Within one, what takes a permission away comes last, so that it has the last word.
    """
    return tuple(sorted(map(vote_of, approvals), key=lambda vote: (vote.at, _ORDER[vote.choice], vote.uid)))


def voter_detail(voter: Voter) -> dict[str, Json]:
    """Return the whole voter for the ledger, where the short handle is not enough."""
    detail: dict[str, Json] = {"source": voter.source, "handle": voter.handle, "groups": list(voter.groups)}
    if voter.source == "slack":
        detail |= {"slackTeam": voter.slack_team, "slackUser": voter.slack_user}
    else:
        detail["username"] = voter.username
    return detail


def vote_id(uid: str) -> str:
    """Return the operation id under which the ledger records the verdict on a vote."""
    return f"vote:{uid}"


def recorded_vote(record: Record) -> Vote:
    """Return the vote that a record of kind `voted` holds; its instant is that of the record."""
    entry = record.entry
    detail: Mapping[str, Any] = entry.detail
    voter = detail["voter"]
    return Vote(
        uid=entry.operation_id.removeprefix("vote:"),
        name=str(detail["approval"]),
        request_uid=entry.request.rpartition("/")[2],
        plan_hash=entry.plan_hash,
        choice=Choice(str(detail["choice"])),
        reason=str(detail["reason"]),
        voter=Voter(
            source=str(voter["source"]),
            username=str(voter.get("username", "")),
            groups=tuple(str(group) for group in voter["groups"]),
            slack_team=str(voter.get("slackTeam", "")),
            slack_user=str(voter.get("slackUser", "")),
        ),
        at=record.time,
        until=datetime.fromisoformat(str(detail["until"])) if "until" in detail else None,
    )


def counted_votes(records: Iterable[Record], present: Collection[str]) -> tuple[Vote, ...]:
    """Return the votes on a request that the ledger counted, in the ledger's order.

    Resume and Wake are no votes on the request. An approval counts only while its object exists. What takes a
    permission away counts permanently: whoever deletes the object of a Withdraw or Deny must not bring the permission
    back.

    Args:
        records: the ledger's about the request.
        present: uids of the Approval objects that exist.
    """
    counted = [one for one in records if one.entry.kind is RecordKind.VOTED and one.entry.result == "counted"]
    votes = map(recorded_vote, sorted(counted, key=lambda record: record.sequence))
    on_it = (vote for vote in votes if vote.choice not in NO_VOTES)
    return tuple(vote for vote in on_it if vote.choice is not Choice.APPROVE or vote.uid in present)


def tally_of_decision(decision: Record, counted: Iterable[Vote]) -> Tally:
    """Return the tally that a record of kind `decided` holds.

    Args:
        decision: the record.
        counted: the votes that the ledger counted, in its order, whatever became of their objects.
    """
    detail: Mapping[str, Any] = decision.entry.detail
    last = {(vote.choice, vote.voter.handle): vote for vote in counted}

    def named(key: str, choice: Choice) -> tuple[Vote, ...]:
        return tuple(last[choice, handle] for handle in detail[key] if (choice, handle) in last)

    return Tally(named("approvals", Choice.APPROVE), named("denials", Choice.DENY), int(detail["required"]))


def request_reference(request: ActionRequest) -> str:
    """Return `namespace/name/uid`, the ledger's name of a request."""
    metadata = request.metadata
    return f"{metadata.namespace}/{metadata.name}/{metadata.uid}"
