"""From a click to an Approval: the one path by which Slack changes anything.

Shape and signature, once only, a person of this workspace, an open request with the plan that was shown, user groups
read fresh, then the Approval through the Kubernetes API. The operator judges; `verdicts` sends its verdict. What
fails before the Approval exists is answered "not recorded", and is true.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.domain.decision import NO_VOTES, Choice, VoteResult
from finops.errors import (
    ClusterUnavailable,
    FinopsError,
    InvalidInput,
    Refused,
    StoreUnavailable,
    StoreUnsafe,
)
from finops.k8s.ballots import TOO_MANY, ApprovalsApi, Ballot
from finops.ports.clock import Clock
from finops.store.slack_clicks import Clicks, OpenClick, Stage
from finops_slackbot.button_targets import ButtonTargets, ClickResult
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.guards.groups import Membership, VotingGroups
from finops_slackbot.guards.people import People
from finops_slackbot.killpoint import KillPoint
from finops_slackbot.mirror import Mirror, approvers_of
from finops_slackbot.outbox.projection import now_ms
from finops_slackbot.slack_calls import Identity
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable
from finops_slackbot.text import plain
from finops_slackbot.views import answers

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Click:
    """A click or a submitted modal, as Slack sent it; every field is untrusted but for the socket it came through.

    Attributes:
        identities: what makes the click the same click when Slack delivers it twice.
        value: the button's signed value.
    """

    identities: tuple[str, ...]
    user: str
    username: str
    team: str
    channel: str
    value: str
    decision: Choice
    reason: str
    response_url: str
    until: datetime | None = None


class VoteTaker:
    """Takes votes by click.

    Attributes:
        targets: what buttons lead to.
    """

    def __init__(
        self,
        *,
        instance: str,
        buttons: Buttons,
        clicks: Clicks,
        targets: ButtonTargets,
        mirror: Mirror,
        approvals: ApprovalsApi,
        people: People,
        groups: VotingGroups,
        clock: Clock,
        killpoint: KillPoint,
    ) -> None:
        self._instance = instance
        self._buttons = buttons
        self._clicks = clicks
        self.targets = targets
        self._mirror = mirror
        self._approvals = approvals
        self._people = people
        self._groups = groups
        self._clock = clock
        self._killpoint = killpoint

    def take(self, click: Click, identity: Identity) -> ClickResult | None:
        """Record a vote. Returns None for a click that was taken before: it has or gets its answer elsewhere."""
        button = self._buttons.read(click.value)
        if button is None:
            return ClickResult(answers.unknown_button(), "forged")
        entry = OpenClick(
            id=secrets.token_hex(12),
            owner=self._instance,
            user=click.user,
            channel=click.channel,
            request_uid=button.uid,
            decision=click.decision.value,
            at_ms=now_ms(self._clock),
        )
        try:
            if not self._clicks.claim(entry, click.identities):
                return None
            result = self._judge(click, entry, identity)
        except (StoreUnavailable, StoreUnsafe) as error:
            _LOG.warning("click not recorded", extra={"user": click.user, "error": str(error)})
            return ClickResult(answers.store_down(), "store-down")
        if not result.recorded and result.outcome != "cluster-down":
            try:
                self._clicks.close(entry.id)
            except StoreUnavailable as error:
                _LOG.warning("click stays open", extra={"user": click.user, "error": str(error)})
        return replace(result, click_id=entry.id)

    def _judge(self, click: Click, entry: OpenClick, identity: Identity) -> ClickResult:
        try:
            objection = self._people.objection(click.user, click.team, identity)
            if objection:
                return ClickResult(answers.not_a_person(objection), "not-a-person")
            facts = self.targets.facts_behind(click.value)
            if isinstance(facts, ClickResult):
                return facts
            if closed := self.targets.closed(facts, click.decision):
                return closed
            membership = self._membership(click, facts)
        except (SlackRateLimited, SlackUnavailable, SlackRefused) as error:
            _LOG.warning("click not recorded", extra={"user": click.user, "error": str(error)})
            return ClickResult(answers.slack_down(), "slack-down")
        attested_at = self._clock.now()
        request = self._mirror.request(facts.uid)
        if request is None:
            return ClickResult(answers.unknown_request(), "unknown")
        approval = _approval(click, request, membership, identity, attested_at)
        return self._record(approval, facts, entry, membership)

    def _membership(self, click: Click, facts: CardFacts) -> Membership:
        approvers = set(facts.approvers)
        if click.decision in {*NO_VOTES, Choice.UNDO}:
            # The policy as it is now judges these, and may name other groups than when this request was made.
            approvers |= approvers_of(self._mirror, facts.namespace, facts.policy)
        wanted = [approver.slack_user_group for approver in approvers if approver.slack_user_group]
        try:
            return self._groups.of(click.user, wanted)
        except (SlackRateLimited, SlackUnavailable):
            # Somebody named in person needs no group.
            if any(approver.slack_user == click.user for approver in approvers):
                return Membership(())
            raise

    def _record(self, approval: Approval, facts: CardFacts, entry: OpenClick, membership: Membership) -> ClickResult:
        # Who may end a pause or a snooze, the policy says as it is now; the request does not show it.
        known = approval.spec.decision in NO_VOTES or self._listed(entry.user, facts, membership)
        hint = "" if known else answers.not_listed(facts)
        entry = replace(entry, namespace=facts.namespace, hint=hint)

        def about_to_create(vote: Approval) -> None:
            # Before the Approval can exist it must be known whom its verdict is for.
            self._clicks.save(replace(entry, approval=vote.metadata.name))
            self._killpoint("bot.click.received")

        ballot = Ballot(self._approvals, approval, lambda: self._others(facts.uid), about_to_create)
        try:
            sent = ballot.cast()
        except ClusterUnavailable as error:
            _LOG.warning("vote not recorded", extra={"request": facts.name, "error": str(error)})
            return self._unsure(ballot, facts, entry)
        except (Refused, InvalidInput) as error:
            if error.code == TOO_MANY:
                return ClickResult(answers.closed_to_you(facts), "refused-often")
            _LOG.error("Kubernetes refused a vote", extra={"request": facts.name, "error": str(error)})
            return ClickResult(answers.cluster_refused(error.message), "cluster-refused")
        except FinopsError as error:
            # The kind or the namespace is gone.
            _LOG.warning("vote not recorded", extra={"request": facts.name, "error": str(error)})
            return ClickResult(answers.unknown_request(), "unknown")
        if sent.earlier and sent.approval.status.result is VoteResult.COUNTED:
            return ClickResult(answers.already(facts, entry.decision), "already")
        # An earlier one without a verdict yet: this click waits for the same one.
        self._killpoint("bot.approval.created")
        self._note(replace(entry, stage=Stage.RECORDED, approval=sent.approval.metadata.name))
        return ClickResult("", "recorded", recorded=True)

    def _others(self, uid: str) -> tuple[Approval, ...] | None:
        return None if self._mirror.problem() else self._mirror.votes(uid)

    def _note(self, entry: OpenClick) -> None:
        """Note how far a click came once its Approval may exist: from then on a lost store changes no answer."""
        try:
            self._clicks.save(entry)
        except StoreUnavailable as error:
            _LOG.warning("click not noted", extra={"user": entry.user, "error": str(error)})

    def _unsure(self, ballot: Ballot, facts: CardFacts, entry: OpenClick) -> ClickResult:
        """Kubernetes did not answer: read once, and leave the click open in case the vote shows up later."""
        try:
            found = ballot.recorded()
        except FinopsError:
            found = None
        tried = found or ballot.tried
        entry = replace(entry, approval=tried.metadata.name if tried else "")
        if found is None:
            self._note(replace(entry, stage=Stage.ASKED_TO_WAIT))
            return ClickResult(answers.cluster_down(facts, entry.decision.lower()), "cluster-down")
        self._note(replace(entry, stage=Stage.RECORDED))
        return ClickResult("", "recorded", recorded=True)

    def _listed(self, user: str, facts: CardFacts, membership: Membership) -> bool:
        return any(
            approver.slack_user == user or approver.slack_user_group in membership.groups
            for approver in facts.approvers
        )


def _approval(
    click: Click, request: ActionRequest, membership: Membership, identity: Identity, attested_at: datetime
) -> Approval:
    spec = ApprovalSpec(
        request=RequestReference(name=request.metadata.name, uid=request.metadata.uid or ""),
        plan_hash=request.spec.plan_hash,
        decision=click.decision,
        reason=click.reason.strip()[:2000] or None,
        until=click.until,
        approver=Voter(
            source=Source.SLACK,
            username=plain(click.username, 100) or None,
            groups=membership.groups,
            slack_team=identity.team,
            slack_user=click.user,
            attested_at=attested_at,
        ),
    )
    return Approval.of(request.metadata.namespace or "", spec)
