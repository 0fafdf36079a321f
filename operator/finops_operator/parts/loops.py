"""The loops: policies are scanned and become requests, these are decided and become acts, acts are watched."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from finops.k8s.connection import Connection
from finops.k8s.deployment import OwnDeployment
from finops.k8s.scan_guard import ScanGuard
from finops.k8s.scan_jobs import ScanJobs
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.inventory import InventoryStore
from finops.store.realized import StoredSavings
from finops.store.recommendations import RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.executor import Executor
from finops_operator.acts.last_handover import LastHandover, is_parted, strands
from finops_operator.acts.recovery import Recovery
from finops_operator.acts.report import StatusReporter
from finops_operator.acts.undos import RecordedUndos
from finops_operator.aws.own_identity import region_of
from finops_operator.background import Background
from finops_operator.parts.authority import Authority
from finops_operator.parts.cloud import CloudParts
from finops_operator.parts.cluster import ClusterParts
from finops_operator.parts.judgement import Judgement
from finops_operator.parts.webhooks import make_webhooks
from finops_operator.parts.what_ifs import make_what_ifs
from finops_operator.policies.account_status import AccountStatuses
from finops_operator.policies.run import PolicyScans, StopWhen, key_of
from finops_operator.policies.saved_hours import SavedHours
from finops_operator.policies.scheduler import Scheduler
from finops_operator.requests.loop import RequestLoop
from finops_operator.requests.proposer import Proposer
from finops_operator.requests.undo_proposals import UndoProposals
from finops_operator.requests.undoing import Undoing
from finops_operator.requests.watching import Watching
from finops_operator.rules.access import access_of
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.upkeep.what_ifs import AnsweredWhatIfs
from finops_operator.webhooks.sending import Webhooks


def scan_guard(settings: Settings, connection: Connection) -> ScanGuard | None:
    """Return what bounds the pods of scans, None where the installation makes none."""
    if not settings.scan_job_template:
        return None
    return ScanGuard(connection, Path(settings.scan_job_admission))


@dataclass(frozen=True, slots=True)
class Loops:
    """The loops, what takes over the acts that another process left behind, and what leaves none behind at the end."""

    scheduler: Scheduler
    requests: RequestLoop
    watching: Watching
    recovery: Recovery
    last_handover: LastHandover
    webhooks: Webhooks
    what_ifs: AnsweredWhatIfs


@dataclass(frozen=True, slots=True)
class LoopMaker:
    """Joins the other parts into the loops; `stop` ends them."""

    settings: Settings
    cluster: ClusterParts
    authority: Authority
    cloud: CloudParts
    judgement: Judgement
    clock: Clock
    stop: threading.Event

    def make(self) -> Loops:
        """Make both loops; nothing runs yet."""
        savings = StoredSavings(self.authority.store)
        scans = self._scans(savings)
        executor = self._executor(savings)
        requests = self._requests(scans, executor)
        recovery = Recovery(
            self.authority.ledger, self.cluster.accounts.api, requests.adopt, self.cluster.freeze.freeze
        )
        handover = self._last_handover(requests, executor)
        webhooks = make_webhooks(self.settings, self.cluster, self.authority, self.clock)
        what_ifs = make_what_ifs(self.cluster, self.authority, self.cloud, self.clock)
        return Loops(self._scheduler(scans), requests, self._watching(), recovery, handover, webhooks, what_ifs)

    def _last_handover(self, requests: RequestLoop, executor: Executor) -> LastHandover:
        settings, actions = self.settings, self.cloud.plugins.actions
        return LastHandover(
            OwnDeployment(self.cluster.connection, settings.namespace, settings.release).replicas,
            requests.under_way,
            executor.run,
            lambda act: strands(actions.get(act.plan.action)),
            lambda act: is_parted(actions.get(act.plan.action), act, self.authority.ledger),
            Background(self.cluster.telemetry, self.clock),
            self.clock,
            settings.termination_seconds,
        )

    def _executor(self, savings: StoredSavings) -> Executor:
        cluster, authority = self.cluster, self.authority
        return Executor(
            actions=self.cloud.plugins.actions,
            sessions=self.cloud.sessions,
            ledger=authority.ledger,
            gate=self.judgement.gate,
            lease=authority.keeper,
            status=StatusReporter(
                cluster.requests,
                cluster.cache.requests.get,
                cluster.events,
                cluster.telemetry,
                authority.fence,
                self._undos().of,
            ),
            caps=self.judgement.caps,
            savings=savings,
            clock=self.clock,
        )

    def _proposer(self, recommendations: RecommendationStore) -> Proposer:
        cluster, authority, plugins = self.cluster, self.authority, self.cloud.plugins
        return Proposer(
            requests=cluster.requests,
            accounts=cluster.cache.accounts.all,
            recommendations=lambda policy: recommendations.stream(key_of(policy)),
            kinds=plugins.kinds,
            correct=lambda policy, changed: recommendations.correct(key_of(policy), changed),
            actions=plugins.actions,
            sessions=self.cloud.sessions,
            access=access_of,
            ledger=authority.ledger,
            decider=self.judgement.decider,
            clock=self.clock,
            may_write=authority.may_decide,
            policy_now=cluster.policies.api.get,
            stopping=self.stop.is_set,
        )

    def _scans(self, savings: StoredSavings) -> PolicyScans:
        cluster, cloud, store = self.cluster, self.cloud, self.authority.store
        recommendations = RecommendationStore(store)
        deps = ScanDependencies(
            readers=cloud.readers,
            store=store,
            kinds=cloud.plugins.kinds,
            checks=cloud.plugins.checks,
            price_sources=cloud.plugins.price_sources,
            actions=cloud.plugins.actions,
            pool=cloud.pool,
            metric_requests=cloud.metric_pool,
            progress=StopWhen(self.stop),
            pods=self._pods(),
            own_region=region_of(os.environ),
        )
        statuses = AccountStatuses(
            cluster.accounts,
            lambda access, tenant: cloud.readers.reader(access, access.home_region, tenant).once(
                "sts:GetCallerIdentity", {}
            ),
            cloud.known,
            self.clock,
        )
        return PolicyScans(
            deps=deps,
            accounts=cluster.accounts,
            statuses=statuses,
            proposer=self._proposer(recommendations),
            recommendations=recommendations,
            hours=SavedHours(savings, InventoryStore(store), ResourceCostStore(store), cloud.plugins.actions),
            known=cloud.known,
            clock=self.clock,
            allow_volatile=self.settings.store_allow_volatile,
            may_write=self.authority.may_decide,
        )

    def _pods(self) -> ScanJobs | None:
        template, guard = self.settings.scan_job_template, scan_guard(self.settings, self.cluster.connection)
        if not template or guard is None:
            return None
        return ScanJobs(self.cluster.connection, self.settings.namespace, Path(template), guard.require)

    def _scheduler(self, scans: PolicyScans) -> Scheduler:
        cluster = self.cluster
        return Scheduler(
            cache=cluster.cache,
            policies=cluster.policies,
            scan=scans.scan,
            follow_up=scans.follow_up,
            events=cluster.events,
            telemetry=cluster.telemetry,
            clock=self.clock,
            concurrency=self.settings.scan_concurrency,
            may_write=self.authority.may_decide,
            see_accounts=scans.see_accounts,
        )

    def _requests(self, scans: PolicyScans, executor: Executor) -> RequestLoop:
        cluster, authority, decider = self.cluster, self.authority, self.judgement.decider
        return RequestLoop(
            cache=cluster.cache,
            requests=cluster.requests,
            decider=decider,
            gate=self.judgement.gate,
            act=executor.run,
            acts=ActRequests(
                cluster.requests.api,
                cluster.policies.api,
                cluster.accounts.api,
                decider.counted_approvals,
                access_of,
                scans.fleet,
            ),
            freeze=cluster.freeze,
            telemetry=cluster.telemetry,
            clock=self.clock,
            may_write=authority.keeper.may_write,
            fence=authority.fence,
            poll_seconds=self.settings.request_poll_seconds,
            undoing=self._undoing(),
            held_back=authority.keeper.held_back,
        )

    def _undoing(self) -> Undoing:
        cluster, authority, decider = self.cluster, self.authority, self.judgement.decider
        proposals = UndoProposals(
            requests=cluster.requests,
            policies=cluster.policies.api,
            accounts=cluster.accounts.api,
            kinds=self.cloud.plugins.kinds,
            actions=self.cloud.plugins.actions,
            sessions=self.cloud.sessions,
            ledger=authority.ledger,
            decider=decider,
            people=decider.people,
            freeze=cluster.freeze,
            clock=self.clock,
        )
        return Undoing(
            cache=cluster.cache,
            requests=cluster.requests,
            decider=decider,
            ledger=authority.ledger,
            clock=self.clock,
            fence=authority.fence,
            propose=proposals.make,
            undo_of=self._undos().of,
            background=Background(cluster.telemetry, self.clock),
        )

    def _watching(self) -> Watching:
        cluster, authority = self.cluster, self.authority
        return Watching(
            requests=cluster.requests,
            policy_of=cluster.policies.api.get,
            account_of=cluster.accounts.api.get,
            actions=self.cloud.plugins.actions,
            sessions=self.cloud.sessions,
            ledger=authority.ledger,
            events=cluster.events,
            clock=self.clock,
            fence=authority.fence,
            is_ours=self.judgement.decider.is_ours,
            may_write=authority.keeper.may_write,
            background=Background(cluster.telemetry, self.clock),
            seconds=self.settings.watch_seconds,
        )

    def _undos(self) -> RecordedUndos:
        return RecordedUndos(self.authority.ledger, self.cloud.plugins.actions, self.cluster.requests.api.get)
