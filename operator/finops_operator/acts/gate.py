"""May this act begin? Everything is read again: freeze, request, votes, people, policy, pauses, grants, expiry.

Asked by the request loop before an act is scheduled and by the executor right before the first changing call. After
that call nobody asks again: the way to a safe end is never closed. If any dependency is unreachable, the act
waits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.crds.aws_account import AwsAccount
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Record
from finops.domain.decision import Choice, Electorate, State, Vote, eligible_by
from finops.domain.execution import Stop, StopKind
from finops.errors import InvalidInput, Refused, Unavailable
from finops.k8s.kinds import KindApi
from finops.ports.act import ActRequest
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops.store.space import NEARLY_FULL
from finops_operator.acts.first_acts import FirstActs
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.protection import Protected
from finops_operator.decisions.act_stage import has_begun
from finops_operator.decisions.freezes import Freezes
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.pauses import Pauses, held_by, paused_sentence
from finops_operator.rules.origin import created_id, is_older, spec_hash
from finops_operator.rules.standing import ending_record, standing
from finops_operator.rules.undoing import undo_until
from finops_operator.rules.votes import domain_approvers, facts_at_act, is_about, vote_of
from finops_operator.rules.windows import is_open, next_opening

LAST_CALL_BEFORE_EXPIRY: Final = timedelta(seconds=30)
"""Between the gate's answer and the call the intent is written to two disks: an act that begins later could call after
its expiry."""
FARTHEST_CLOCK: Final = timedelta(minutes=4)
"""So far may the records of a request lie ahead of the clock. AWS refuses what a clock signs that is five minutes off,
and `finops audit verify` finds a call that is dated further back."""


@dataclass(frozen=True, slots=True)
class OperatorGate:
    """Implements finops.ports.act.Gate."""

    freeze: Freeze
    policies: KindApi[ScanPolicy]
    accounts: KindApi[AwsAccount]
    requests: KindApi[ActionRequest]
    approvals: KindApi[Approval]
    people: Identities
    ledger: Ledger
    clock: Clock
    protection: Protected
    of_store: Callable[[], Stop | None]
    """Why the store must not be relied upon for a new act, None when it is durable and has room."""

    def may_start(self, request: ActRequest) -> Stop | None:
        """Return why the act may not be scheduled now."""
        return self._judge(request)

    def still_allowed(self, request: ActRequest) -> Stop | None:
        """Return why the act may not make its first changing call."""
        return self._judge(request)

    def may_call(self, request: ActRequest) -> Stop | None:
        """Return why an announced call is not made: all acts were frozen, or the policy suspended, while it was."""
        try:
            frozen = self.freeze.reason()
            policy = self.policies.get(request.tenant.namespace, request.tenant.policy)
        except InvalidInput as error:
            return Stop(StopKind.HOLD, "Invalid", f"Waiting: {error}")
        except (Unavailable, Refused) as error:
            return Stop(StopKind.HOLD, error.code, f"Waiting: {error}")
        if frozen:
            return Stop(StopKind.HOLD, "Frozen", f"All acts are frozen: {frozen}")
        if policy is None or policy.spec.suspend:
            why = f"Policy {request.tenant.policy} was suspended or deleted."
            return Stop(StopKind.HOLD, "Suspended", why)
        return None

    def _judge(self, request: ActRequest) -> Stop | None:
        try:
            return self._switches(request) or self._request(request) or self._paused(request)
        except InvalidInput as error:
            return Stop(StopKind.HOLD, "Invalid", f"Waiting: {error}")
        except (Unavailable, Refused) as error:
            return Stop(StopKind.HOLD, error.code, f"Waiting: {error}")

    def _switches(self, request: ActRequest) -> Stop | None:
        unreliable = self.of_store()
        # The last of the room is kept for acts under way: one that waited in the middle would only cost more of it.
        if unreliable is not None and not (unreliable.code == NEARLY_FULL and has_begun(self.ledger, request.uid)):
            return unreliable
        unprotected = self.protection.problem(fresh=True)
        if unprotected:
            return Stop(StopKind.HOLD, "Unprotected", f"Waiting: {unprotected}")
        frozen = self.freeze.reason()
        if frozen:
            return Stop(StopKind.HOLD, "Frozen", f"All acts are frozen: {frozen}")
        if Freezes(self.ledger).reason():
            return Stop(
                StopKind.HOLD, "Frozen", "Waiting: the freeze is lifted, and the ledger does not hold that yet."
            )
        return None

    def _paused(self, request: ActRequest) -> Stop | None:
        scope = held_by(request, self.ledger)
        if scope is None:
            return None
        # An act in trouble does not wait for itself.
        others = tuple(pause for pause in Pauses(self.ledger).in_force(scope) if pause.uid != request.uid)
        if not others:
            return None
        why = paused_sentence(scope, others, request.name)
        return Stop(StopKind.HOLD, f"Paused{others[-1].number}", f"Waiting: {why}")

    def _request(self, request: ActRequest) -> Stop | None:
        namespace = request.tenant.namespace
        found = self.requests.get(namespace, request.name)
        if found is None or found.metadata.uid != request.uid:
            return Stop(StopKind.WITHDRAWN, "RequestGone", "The request was deleted before it was carried out.")
        origin = self.ledger.find(created_id(request.uid))
        if (
            origin is None
            or origin.entry.detail.get("specHash") != spec_hash(found.spec)
            or not found.spec.plan_is_intact
            or found.spec.plan_hash != request.plan_hash
        ):
            return Stop(StopKind.WITHDRAWN, "NotProposed", "The ledger does not know this request as proposed.")
        if is_older(found, self.protection.since()):
            return Stop(StopKind.WITHDRAWN, "Unprotected", "Made before the admission policies were in force.")
        records = self.ledger.of_request(request.uid)
        ended = _decided_otherwise(records)
        if ended is not None:
            return ended
        # A clock that was put back gains nothing: what is written next is no earlier than what was written last.
        now, latest = self.clock.now(), max(record.time for record in (origin, *records))
        if max(now, latest) >= found.spec.expires_at - LAST_CALL_BEFORE_EXPIRY:
            return Stop(StopKind.EXPIRED, "Expired", "Expired before it was carried out.")
        if latest - now > FARTHEST_CLOCK:
            behind = (
                f"Waiting: the clock is behind the request's last record, which is of {latest:%Y-%m-%d %H:%M:%S %Z}."
            )
            return Stop(StopKind.HOLD, "ClockBehind", behind)
        undoes = found.spec.undoes
        if undoes is not None and undo_until(self.ledger.of_request(undoes.uid)) is None:
            return Stop(StopKind.WITHDRAWN, "NothingToUndo", f"The act of {undoes.name} was undone already.")
        policy = self.policies.get(namespace, found.spec.policy)
        return (
            self._policy(found, policy)
            or self._account(found)
            or self._votes(found, policy, records)
            or self._first_acts.stop(found, policy)
        )

    def goes_alone(self, request: ActRequest) -> bool:
        """Return whether the act, which may start, is the first of its kind: the policy lets the others wait for it."""
        found = self.requests.get(request.tenant.namespace, request.name)
        policy = self.policies.get(request.tenant.namespace, request.tenant.policy)
        return found is not None and self._first_acts.goes_alone(found, policy)

    @property
    def _first_acts(self) -> FirstActs:
        return FirstActs(self.requests, self.ledger, self.clock)

    def _policy(self, request: ActionRequest, policy: ScanPolicy | None) -> Stop | None:
        if policy is None:
            return Stop(StopKind.WITHDRAWN, "PolicyGone", f"Policy {request.spec.policy} no longer exists.")
        actions = policy.spec.actions
        if policy.spec.suspend:
            return Stop(StopKind.HOLD, "Suspended", f"Policy {request.spec.policy} is suspended.")
        if actions.mode is Mode.RECOMMEND or request.spec.action not in actions.allowed:
            return Stop(StopKind.WITHDRAWN, "NotAllowed", f"The policy no longer allows {request.spec.action}.")
        if actions.mode is Mode.DRY_RUN and not request.spec.dry_run:
            return Stop(StopKind.WITHDRAWN, "DryRunOnly", "The policy was set to DryRun after this was proposed.")
        if request.spec.account not in {reference.name for reference in policy.spec.accounts}:
            why = f"Policy {request.spec.policy} no longer names account {request.spec.account}."
            return Stop(StopKind.WITHDRAWN, "AccountNotNamed", why)
        now = self.clock.now()
        undoes = request.spec.undoes
        # People have read that it does not wait, and approved it with that.
        if not (undoes is not None and undoes.outside_windows) and not is_open(actions.windows, now):
            opening = next_opening(actions.windows, now)
            when = f" It opens at {opening:%Y-%m-%d %H:%M %Z}." if opening is not None else ""
            return Stop(StopKind.HOLD, "OutsideWindow", f"Waiting for the policy's window.{when}")
        return None

    def _account(self, request: ActionRequest) -> Stop | None:
        account = self.accounts.get("", request.spec.account)
        if account is None or account.spec.account_id != request.spec.resource.account_id:
            return Stop(StopKind.WITHDRAWN, "AccountGone", f"Account {request.spec.account} is no longer the same.")
        granted = account.spec.actions_for(request.metadata.namespace or "")
        if granted is None or request.spec.action not in granted or not account.spec.executor_role_arn:
            return Stop(
                StopKind.WITHDRAWN,
                "NotGranted",
                f"Account {request.spec.account} no longer grants {request.spec.action} to this namespace.",
            )
        return None

    def _votes(self, request: ActionRequest, policy: ScanPolicy | None, records: tuple[Record, ...]) -> Stop | None:
        if policy is None:
            raise AssertionError("the policy was judged before")
        terms = policy.spec.approval
        uid = request.metadata.uid or ""
        since = self.protection.since()
        # A vote that does not parse may be a denial: it holds the act until somebody has checked it.
        found_now = self.approvals.list_wanted(request.metadata.namespace, lambda raw: is_about(raw, uid))
        present = [vote for vote in map(vote_of, found_now) if vote.at > since]
        facts = facts_at_act(request, terms)
        # Only groups that a vote leans on must be fresh: a quorum of other voters need not wait for Slack.
        votes = standing(records, present, Electorate({}), facts).votes
        leaned_on = {group for vote in votes if vote.voter.source == "slack" for group in vote.voter.groups}
        named = {one.slack_user_group for one in (*request.spec.approval.approvers, *terms.approvers)}
        electorate, waiting = self.people.at_act(leaned_on & {group for group in named if group})
        found = standing(records, present, electorate, facts, still_approver=_named_by(policy, electorate))
        if found.objection is not None:
            return _stop_of(found.objection)
        if waiting:
            return Stop(StopKind.HOLD, "MembersStale", f"Waiting: {waiting}.")
        people = {electorate.person(vote.voter) for vote in found.votes}
        if any(electorate.person(vote.voter) in people for vote in found.unread):
            return Stop(StopKind.HOLD, "VoteUnread", "Waiting: an approver has just voted again.")
        count, required = len(found.tally.approvals), found.tally.required
        if count < required:
            return Stop(
                StopKind.WITHDRAWN,
                "QuorumLost",
                f"Only {count} of {required} approvals still count: a vote was taken back or an approver is no longer "
                f"one. {found.tally.note}".rstrip(),
            )
        return None


def _decided_otherwise(records: tuple[Record, ...]) -> Stop | None:
    # A decision is final once it is recorded, whatever the status says and whether or not its cause is still there.
    record = ending_record(records)
    if record is None:
        return None
    kind = StopKind.EXPIRED if record.entry.result == State.EXPIRED else StopKind.WITHDRAWN
    return Stop(kind, f"Decided{record.entry.result}", str(record.entry.detail["message"]))


def _stop_of(objection: Vote) -> Stop:
    who, reason = objection.voter.handle, objection.reason
    if objection.choice is Choice.SNOOZE:
        until = f" until {objection.until:%Y-%m-%d %H:%M} UTC" if objection.until is not None else ""
        return Stop(StopKind.WITHDRAWN, "Snoozed", f"Snoozed{until} by {who}. {reason}".rstrip())
    return Stop(StopKind.WITHDRAWN, "Denied", f"Denied by {who}: {reason}" if reason else f"Denied by {who}.")


def _named_by(policy: ScanPolicy, electorate: Electorate) -> Callable[[Vote], bool]:
    approvers = domain_approvers(policy.spec.approval.approvers)
    return lambda vote: eligible_by(vote.voter, approvers, electorate) is not None
