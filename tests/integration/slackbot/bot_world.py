"""A workspace, a cluster and a store around one or more bots, and an operator that only judges votes.

The doubles are the product's own; the store is a real server; the operator here runs the product's voting rules, so the
bot sees verdicts and states as in production.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from tests.support.ledger_keys import MEMBERSHIP_KEY
from tests.support.sample_requests import resize_request

from finops.crds.action_request import ActionRequest
from finops.crds.admission import policies
from finops.crds.approval import Approval
from finops.crds.metadata import Metadata
from finops.crds.request_status import Votes
from finops.domain.decision import (
    NO_VOTES,
    Choice,
    Electorate,
    RequestFacts,
    State,
    Tally,
    Terms,
    Vote,
    VoteResult,
    judge,
    tally,
)
from finops.domain.decision import Approver as DomainApprover
from finops.domain.decision import Voter as DomainVoter
from finops.domain.ending import EndTerms, judge_word
from finops.errors import FinopsError
from finops.k8s.connection import Connection, connect
from finops.k8s.kinds import KindApi, action_requests, approvals
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings
from finops.store.connection import Store, open_store
from finops_sandbox.kubernetes import KubernetesDouble
from finops_sandbox.slack import SlackControl, SlackDouble
from finops_slackbot.bootstrap import Bot

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
NAMESPACE = "team-a"
CHANNEL = "C0FINOPS01"
ALICE, BOB, CAROL, DAVE = "U0ALICE001", "U0BOB00001", "U0CAROL001", "U0DAVE0001"
OPERATOR = "system:serviceaccount:finops-system:finops-operator"
BOT = "system:serviceaccount:finops-system:finops-slackbot"


def _rbac(only: Sequence[str]) -> list[dict[str, Any]]:
    """Rights as the chart gives them: in the whole cluster, or the bot's in the namespaces `only`."""
    bot_rules = [
        {"apiGroups": ["finops.dev"], "resources": ["actionrequests"], "verbs": ["list", "watch"]},
        {"apiGroups": ["finops.dev"], "resources": ["approvals"], "verbs": ["create", "get", "list", "watch"]},
        {
            "apiGroups": ["finops.dev"],
            "resources": ["approvalsources"],
            "resourceNames": ["slack"],
            "verbs": ["attest"],
        },
    ]
    operator_rules = [
        {
            "apiGroups": ["finops.dev"],
            "resources": ["actionrequests", "actionrequests/status", "approvals", "approvals/status"],
            "verbs": ["get", "list", "watch", "create", "patch", "update", "delete"],
        }
    ]
    found: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in only or (NAMESPACE,)
    ]
    found += _grant("finops-operator", operator_rules)
    for namespace in only or ("",):
        found += _grant("finops-slackbot", bot_rules, namespace)
    return found


def _grant(name: str, rules: list[dict[str, Any]], namespace: str = "") -> list[dict[str, Any]]:
    group, kind = "rbac.authorization.k8s.io", "Role" if namespace else "ClusterRole"
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return [
        {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{group}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "finops-system"}],
        },
    ]


@dataclass(slots=True)
class World:
    """Everything around the bots, and what tests do to it."""

    slack: SlackDouble
    cluster: KubernetesDouble
    valkey_url: str
    store: Store
    operator: Connection
    stopped: threading.Event = field(default_factory=threading.Event)
    judging: threading.Event = field(default_factory=threading.Event)
    same_person: dict[str, str] = field(default_factory=dict)

    @property
    def control(self) -> SlackControl:
        return self.slack.control

    @property
    def requests(self) -> KindApi[ActionRequest]:
        return action_requests(self.operator)

    @property
    def approvals(self) -> KindApi[Approval]:
        return approvals(self.operator)

    def settings(self, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "redis_url": self.valkey_url,
            "redis_prefix": self.store.keys.prefix,
            "store_allow_volatile": True,
            "metrics_host": "127.0.0.1",
            "metrics_port": 0,
            "slack_api_url": self.slack.api_url,
            "slack_bot_token": "xoxb-sandbox-finops",
            "slack_app_token": "xapp-sandbox-finops",
            "button_key": "a key for tests only",
            "membership_key": MEMBERSHIP_KEY,
            **changes,
        }
        return Settings(**values)

    @contextmanager
    def bot(self, clock: Clock | None = None, **changes: Any) -> Iterator[Bot]:
        """A bot that is connected and has read the cluster."""
        kubernetes = connect(str(self.cluster.kubeconfig), "bot")
        bot = Bot(self.settings(**changes), kubernetes, clock or SystemClock())
        bot.start()
        try:
            self.until(lambda: not bot.slack.problem() and not bot.mirror.problem())
            yield bot
        finally:
            self.end(bot)

    def end(self, bot: Bot) -> None:
        """Stop a bot for good: its watches sit in a read, and in one process they must not outlive the API server."""
        bot.stop()
        self.cluster.expire_watches()
        for thread in bot.threads:
            thread.join(10)

    def until(self, probe: Callable[[], T], seconds: float = 15.0) -> T:
        return self.control.wait_for(probe, seconds)

    def propose(self, **changes: Any) -> ActionRequest:
        """Make a request as the operator would."""
        number = uuid.uuid4().hex[:8]
        made = resize_request(
            **{
                "name": f"req-{number}",
                "resource_id": f"i-{number}",
                "created": None,
                "expires": datetime.now(UTC) + timedelta(hours=1),
                **changes,
            }
        )
        request = self.requests.create(
            ActionRequest(metadata=Metadata(name=made.metadata.name, namespace=NAMESPACE), spec=made.spec)
        )
        return self.set_status(request, state="Pending", votes=Votes.of(approve=0, deny=0, required=1).to_dict())

    def set_status(self, request: ActionRequest, **status: Any) -> ActionRequest:
        for _ in range(10):
            current = self.requests.get(NAMESPACE, request.metadata.name)
            assert current is not None
            merged = {**current.status.to_dict(), **status}
            try:
                return self.requests.replace_status(current, merged)
            except FinopsError as error:
                problem = error
        raise problem

    def card(self, request: ActionRequest, channel: str = CHANNEL) -> dict[str, Any]:
        """The one card of a request, or an empty dictionary."""
        uid = request.metadata.uid
        found = [
            message
            for message in self.control.observed.messages(channel=channel)
            if (message.get("metadata") or {}).get("event_type") == "finops_request"
            and message["metadata"]["event_payload"]["uid"] == uid
        ]
        assert len(found) <= 1, f"{len(found)} cards for one request"
        return found[0] if found else {}

    def shown(self, request: ActionRequest, text: str) -> dict[str, Any]:
        """Wait until the card shows a text."""

        def probe() -> dict[str, Any]:
            card = self.card(request)
            return card if card and text in str(card["blocks"]) else {}

        return self.until(probe)

    def click(self, request: ActionRequest, user: str, action: str = "finops_approve", **more: Any) -> dict[str, Any]:
        card = self.until(lambda: self.card(request))
        confirm = True if action == "finops_approve" else None
        return self.control.people.click(user=user, action=action, message=card["ts"], **{"confirm": confirm, **more})

    def answered(self, user: str, text: str, seconds: float = 15.0) -> str:
        """Wait until somebody got a text in answer, and return the whole sentence."""

        def probe() -> str:
            found = [one["text"] for one in self.control.observed.ephemerals(user=user)]
            return next((one for one in found if text in one), "")

        return self.until(probe, seconds)

    def votes(self) -> list[Approval]:
        return list(self.approvals.list(NAMESPACE))

    def said(self, request: ActionRequest, text: str) -> None:
        """Wait until the card's thread says a text."""
        self.until(lambda: text in self.thread(request))

    def thread(self, request: ActionRequest) -> str:
        card = self.card(request)
        return "\n".join(m["text"] for m in self.control.observed.messages(channel=CHANNEL, thread=card["ts"]))


class Judge(threading.Thread):
    """The operator's decide stage and nothing else: verdicts on votes, and the state that follows from them."""

    def __init__(self, world: World) -> None:
        super().__init__(name="judge", daemon=True)
        self._world = world

    def run(self) -> None:
        while not self._world.stopped.is_set():
            if self._world.judging.wait(0.1):
                try:
                    self._look()
                except FinopsError:
                    self._world.stopped.wait(0.2)
            self._world.stopped.wait(0.05)

    def _look(self) -> None:
        world = self._world
        votes = world.votes()
        for approval in votes:
            if approval.status.result is not None:
                continue
            request = world.requests.get(NAMESPACE, approval.spec.request.name)
            if request is None:
                continue
            facts = _facts(request)
            counted = [
                _vote(one)
                for one in sorted(votes, key=lambda one: int(one.metadata.resource_version or 0))
                if one.status.result is VoteResult.COUNTED and one.spec.request.uid == request.metadata.uid
            ]
            electorate = Electorate(world.same_person)
            vote = _vote(approval)
            if vote.choice in NO_VOTES:
                terms = EndTerms(request.spec.policy, facts.terms.approvers, facts.terms.require_reason)
                verdict = judge_word(vote, facts, (terms,), electorate)
            else:
                verdict = judge(vote, facts, counted, electorate, datetime.now(UTC))
            answer = {"result": verdict.result.value, "reason": str(verdict.reason), "message": verdict.message}
            world.approvals.replace_status(approval, answer)
            # Making the request that undoes an act is the test's part.
            if verdict.result is VoteResult.COUNTED and vote.choice not in {*NO_VOTES, Choice.UNDO}:
                self._decide(request, tally([*counted, vote], facts, electorate))
            return

    def _decide(self, request: ActionRequest, result: Tally) -> None:
        votes = Votes.of(approve=len(result.approvals), deny=len(result.denials), required=result.required).to_dict()
        state = {"Denied": "Denied", "Snoozed": "Snoozed", "QuorumReached": "Approved"}.get(
            str(result.trigger), "Pending"
        )
        extra = {"decidedAt": datetime.now(UTC).isoformat()} if state != "Pending" else {}
        self._world.set_status(request, state=state, votes=votes, **extra)


def _facts(request: ActionRequest) -> RequestFacts:
    spec = request.spec
    approvers = tuple(
        DomainApprover(
            slack_user=one.slack_user or "",
            slack_user_group=one.slack_user_group or "",
            kubernetes_user=one.kubernetes_user or "",
            kubernetes_group=one.kubernetes_group or "",
        )
        for one in spec.approval.approvers
    )
    terms = Terms(approvers, spec.approval.required, spec.approval.require_reason.value, spec.expires_at)
    state = request.status.state or State.PENDING
    until = request.status.undo.until if request.status.undo else None
    return RequestFacts(request.metadata.uid or "", spec.plan_hash, state, terms, spec.destructive, until)


def _vote(approval: Approval) -> Vote:
    spec, voter, metadata = approval.spec, approval.spec.approver, approval.metadata
    assert metadata.creation_timestamp is not None
    return Vote(
        uid=metadata.uid or "",
        name=metadata.name,
        request_uid=spec.request.uid,
        plan_hash=spec.plan_hash,
        choice=spec.decision,
        reason=spec.reason or "",
        until=spec.until,
        voter=DomainVoter(
            source=voter.source.value,
            username=voter.username or "",
            groups=voter.groups,
            slack_team=voter.slack_team or "",
            slack_user=voter.slack_user or "",
        ),
        at=metadata.creation_timestamp,
    )


@contextmanager
def running_world(directory: Path, valkey_url: str, only: Sequence[str] = (), **slack: Any) -> Iterator[World]:
    """Start doubles and judge; a key prefix of its own keeps the shared server's tests apart.

    The bot has rights in the whole cluster, or in the namespaces `only`.
    """
    documents = [*_rbac(only), *policies(OPERATOR, {"slack": BOT}, "finops-test")]
    store = open_store(valkey_url, prefix=f"b-{uuid.uuid4().hex[:12]}:")
    with (
        SlackDouble(**slack) as workspace,
        KubernetesDouble(directory, crds=[ROOT / "crds"], manifests=documents) as cluster,
    ):
        world = World(workspace, cluster, valkey_url, store, connect(str(cluster.kubeconfig), "operator"))
        world.judging.set()
        judge_thread = Judge(world)
        judge_thread.start()
        try:
            yield world
        finally:
            world.stopped.set()
            judge_thread.join(10)
            store.client.close()
