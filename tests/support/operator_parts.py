"""The operator's parts joined in-process around one ledger and one Kubernetes double, without its threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.fake_clock import FakeClock
from tests.support.ledger_keys import MEMBERSHIP_KEY
from tests.support.scan_samples import plan_of, policy, recommendation, reference, request

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec
from finops.domain.audit import Entry, RecordKind
from finops.domain.decision import State
from finops.errors import ClusterUnavailable
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import connect
from finops.k8s.events import Events
from finops.k8s.kinds import action_requests, approvals, aws_accounts, scan_policies
from finops.ledger.durable import DurableLedger
from finops.store.connection import Store
from finops.store.slack_groups import SlackGroups
from finops.store.slack_messages import SlackMessages
from finops.store.slack_status import SlackStatus
from finops.store.space import NEARLY_FULL, measure, too_full
from finops_operator.acts.gate import OperatorGate
from finops_operator.background import Background
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.decisions.identities import Identities
from finops_operator.decisions.pauses import Pauses
from finops_operator.parts.authority import stop_of_full
from finops_operator.rules.origin import intended_id, spec_hash
from finops_operator.rules.paused import paused
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.audit_notes import AuditNotes
from finops_operator.upkeep.channels import SlackChannels
from finops_operator.upkeep.cleanup import Cleanup
from finops_operator.upkeep.duty import Duty
from finops_operator.upkeep.finished_requests import FinishedRequests
from finops_operator.upkeep.freeze_notice import FreezeNotice
from finops_operator.upkeep.gauges import Gauges
from finops_operator.upkeep.housekeeping import Housekeeping
from finops_operator.upkeep.obstacles import LEDGER_BROKEN, Obstacles
from finops_operator.upkeep.paused_kinds import PausedKinds
from finops_operator.upkeep.paused_requests import PausedRequests
from finops_operator.upkeep.store_space import StoreSpace
from finops_operator.upkeep.stray_votes import StrayVotes
from finops_operator.upkeep.wanted_groups import WantedGroups
from finops_operator.upkeep.watch_upkeep import WatchUpkeep
from finops_sandbox.kubernetes import KubernetesDouble

NAMESPACE = "team-a"


@dataclass
class GivenProtection:
    """Admission policies that are as the test says."""

    why: str = ""
    began: datetime = datetime(2000, 1, 1, tzinfo=UTC)

    def problem(self, *, fresh: bool = False) -> str:
        return self.why

    def since(self) -> datetime:
        if self.why:
            raise ClusterUnavailable(self.why)
        return self.began


@dataclass
class Parts:
    """The operator's parts around one ledger, without its threads; the test moves the clock and feeds the world."""

    double: KubernetesDouble
    store: Store
    ledger: DurableLedger
    ledger_path: Path
    clock: FakeClock
    cache: ClusterCache = field(default_factory=ClusterCache)
    writable: bool = True
    fence: int = 1
    protection: GivenProtection = field(default_factory=GivenProtection)
    given_back: list[ActionRequest] = field(default_factory=list)
    actions: tuple[str, ...] = ("ec2_instance_resize", "ec2_instance_stop", "ebs_volume_delete")

    def __post_init__(self) -> None:
        self.connection = connect(str(self.double.kubeconfig))
        self.canary = canary = Canary(self.clock)
        self.requests = Objects(action_requests(self.connection), self.cache.requests, canary)
        self.approvals = Objects(approvals(self.connection), self.cache.approvals, canary)
        self.policies = Objects(scan_policies(self.connection), self.cache.policies, canary)
        self.maps = ConfigMaps(self.connection, "default")
        self.slack_messages = SlackMessages(self.store)
        self.people = Identities(
            switches=self.maps,
            identities="r-identities",
            groups=SlackGroups(self.store, MEMBERSHIP_KEY),
            clock=self.clock,
        )
        self.decider = Decider(
            self.ledger,
            self.requests,
            self.approvals,
            self.cache.approvals_of,
            self.people,
            self.clock,
            self.protection,
            self.policies.api.get,
            lambda: self.fence,
            ended=self.given_back.append,
        )
        self.gate = OperatorGate(
            Freeze(self.maps, "r-freeze"),
            self.policies.api,
            aws_accounts(self.connection),
            self.requests.api,
            self.approvals.api,
            self.people,
            self.ledger,
            self.clock,
            self.protection,
            lambda: stop_of_full(self.store),
        )
        self.audit_notes = AuditNotes(self.ledger, self._posted)
        self.groups = SlackGroups(self.store, MEMBERSHIP_KEY)
        events = Events(self.connection, component="operator", instance="operator-0")
        self.slack_channels = SlackChannels(self.store, self.policies, events)
        accounts = Objects(aws_accounts(self.connection), self.cache.accounts, canary)
        self.telemetry = Telemetry()
        self.cleanup = Cleanup(self.store, self.policies, accounts, self.telemetry, self.clock)
        self.obstacles = Obstacles(
            self.policies,
            events,
            self.telemetry,
            self.clock,
            {
                LEDGER_BROKEN: lambda: self.ledger.problem,
                "Unprotected": self.protection.problem,
                NEARLY_FULL: lambda: too_full(measure(self.store)),
                "Frozen": Freeze(self.maps, "r-freeze").reason,
            },
            lambda: self.writable,
        )
        self.store_space = StoreSpace(self.store, self.policies, events, self.telemetry, lambda: self.writable)
        self.paused_kinds = PausedKinds(
            self.policies, Pauses(self.ledger), self.actions, events, self.telemetry, self.clock
        )
        kinds = (self.policies, self.requests, self.approvals)
        watches = WatchUpkeep(kinds, canary, self.telemetry, self.clock, 60)
        freeze = Freeze(self.maps, "r-freeze")
        gauges = Gauges(self.ledger, freeze, self.telemetry, lambda: paused(self.cache.requests.all()))
        self.housekeeping = Housekeeping(
            WantedGroups(self.cache, self.groups),
            (
                *watches.duties(),
                Duty("gauges", gauges.show, writes=False),
                Duty(
                    "ledger",
                    lambda: self.audit_notes.note(
                        self.cache.policies.all(), self.cache.requests.all(), freeze.reason()
                    ),
                ),
                Duty(
                    "finished requests",
                    FinishedRequests(
                        self.cache, self.requests, self.ledger, self.policies.api.get, self.clock
                    ).remove_old,
                ),
                Duty("slack channels", self.slack_channels.refresh),
                Duty("freeze notice", FreezeNotice(freeze, SlackStatus(self.store)).show),
                Duty("what is gone", self.cleanup.clean_up),
                Duty("obstacles", self.obstacles.show_ours, writes=False),
                Duty("paused kinds", self.paused_kinds.show),
                Duty(
                    "paused requests",
                    PausedRequests(self.requests, Pauses(self.ledger), lambda: self.fence, self.clock).show,
                ),
                Duty("votes without owner", StrayVotes(self.approvals, self.clock).adopt),
            ),
            self.clock,
            lambda: self.writable,
            canary_seconds=60,
            background=Background(self.telemetry, self.clock),
        )

    def _posted(self, uids: Any) -> dict[str, tuple[str, str]]:
        found = ((uid, self.slack_messages.of(uid)) for uid in uids)
        return {uid: (ref.channel, ref.ts) for uid, ref in found if ref.ts}

    def propose(
        self,
        number: int,
        state: State | None = None,
        *,
        destructive: bool = False,
        resource: int | None = None,
        **spec: Any,
    ) -> ActionRequest:
        """Propose as the operator does, and advance it once; `resource` is the number of another resource."""
        by = policy(**spec)
        name = f"{id(self):x}-{number}"[-20:]
        item = recommendation(number, resource=reference(resource or number), id=name, destructive=destructive)
        wanted = request(item, None, by=by)
        expiry = self.clock.now() + timedelta(hours=72)
        wanted = wanted.model_copy(update={"spec": wanted.spec.model_copy(update={"expires_at": expiry})})
        assert wanted.spec.plan_hash == plan_of(item).hash
        self.ledger.append(
            Entry(
                intended_id(wanted),
                "operator",
                RecordKind.PROPOSED,
                request=f"{NAMESPACE}/{wanted.metadata.name}/",
                plan_hash=wanted.spec.plan_hash,
                result="intent",
                detail={"specHash": spec_hash(wanted.spec)},
            )
        )
        made = self.decider.advance(self.requests.create(wanted))
        if state is not None:
            made = self.requests.write_status(made, lambda now: {**now.status.to_dict(), "state": state.value})
        return made

    def vote(self, on: ActionRequest, person: str = "alice", **changes: Any) -> Approval:
        spec = ApprovalSpec.model_validate(
            {
                "request": {"name": on.metadata.name, "uid": on.metadata.uid},
                "plan_hash": on.spec.plan_hash,
                "decision": "Approve",
                "approver": {"source": "kubernetes", "username": person},
                **changes,
            }
        )
        made = Approval.of(NAMESPACE, spec)
        # Each vote of the same person is an object of its own, as by kubectl.
        name = f"{made.metadata.name[:40]}-{len(self.cache.approvals.all())}"
        return self.approvals.create(
            made.model_copy(update={"metadata": made.metadata.model_copy(update={"name": name})})
        )

    def kinds_of_records(self) -> list[tuple[str, str]]:
        return [(record.entry.kind.value, record.entry.result) for record in self.ledger.read()]
