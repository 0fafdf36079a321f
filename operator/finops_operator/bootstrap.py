"""The composition root of the operator: makes every part, joins them, runs them, stops them in order.

The only place where settings become parts. Threads: scheduler (scans), requests (decisions and acts), lease; the event
loop belongs to kopf alone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.admission import policies
from finops.crds.known_ids import KNOWN_IDS
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError, InvalidInput, StoreUnsafe
from finops.health import HealthServer
from finops.k8s.access import Access
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import Connection, connect
from finops.k8s.events import Events
from finops.k8s.kinds import action_requests, approvals, aws_accounts, scan_policies
from finops.k8s.lease import Lease
from finops.k8s.protection import AdmissionPolicies
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import Keyring
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings
from finops.store.address import require_password
from finops.store.caps import StoredCaps
from finops.store.connection import check_server, open_ledger_connection, open_store
from finops.store.limits import SharedRateLimits
from finops.store.outbox import Outbox
from finops.store.realized import StoredSavings
from finops.store.recommendations import RecommendationStore
from finops.store.slack_groups import SlackGroups
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.executor import Executor
from finops_operator.acts.gate import OperatorGate
from finops_operator.acts.recovery import Recovery
from finops_operator.acts.report import StatusReporter
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.limiter import share_of_published
from finops_operator.aws.reader import CallPacing
from finops_operator.aws.session import SdkSessions
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.handlers.serving import serve
from finops_operator.cluster.lease import LeaseKeeper
from finops_operator.cluster.objects import Objects
from finops_operator.cluster.predecessor import PredecessorLock
from finops_operator.cluster.protection import Protection
from finops_operator.decisions.decider import Decider
from finops_operator.decisions.identities import Identities
from finops_operator.killpoint import arm, killpoint
from finops_operator.plugins.loaded import known_ids, plugins
from finops_operator.policies.account_status import AccountStatuses
from finops_operator.policies.run import PolicyScans, key_of, stop_when
from finops_operator.policies.scheduler import Scheduler
from finops_operator.requests.loop import RequestLoop
from finops_operator.requests.proposer import Proposer
from finops_operator.rules.access import access_of
from finops_operator.scan.scan import ScanDependencies
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.audit_notes import AuditNotes
from finops_operator.upkeep.channels import SlackChannels
from finops_operator.upkeep.cleanup import Cleanup
from finops_operator.upkeep.housekeeping import Housekeeping
from finops_operator.upkeep.obstacles import Obstacles
from finops_operator.upkeep.published_ids import PublishedIds

logger = logging.getLogger(__name__)
KINDS: Final = ("scanpolicies", "awsaccounts", "actionrequests", "approvals")
_CANARY_GRACE: Final = 2.5
"""A write unseen for this many canary periods means that the watch is dead."""


@dataclass
class Operator:
    """All parts, made and joined; `run` serves until `stop` is set."""

    settings: Settings
    connection: Connection
    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    ready: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        settings, connection, clock = self.settings, self.connection, self.clock
        if not settings.redis_url:
            raise InvalidInput(
                "no store is named", field="FINOPS_REDIS_URL", hint="set it to redis://USER:PASSWORD@HOST:6379/0"
            )
        require_password(settings.redis_url, allow_unauthenticated=settings.store_allow_unauthenticated)
        arm(settings.kill_point)
        self.telemetry, self.cache, self.canary = Telemetry(), ClusterCache(), Canary(clock)
        holder = settings.pod_name or socket.gethostname()
        self.events = Events(connection, component="operator", instance=holder)
        self.store = open_store(settings.redis_url, prefix=settings.redis_prefix)
        self.policies = Objects(scan_policies(connection), self.cache.policies, self.canary)
        self.accounts = Objects(aws_accounts(connection), self.cache.accounts, self.canary)
        self.requests = Objects(action_requests(connection), self.cache.requests, self.canary)
        self.approvals = Objects(approvals(connection), self.cache.approvals, self.canary)
        self.switches = switches = ConfigMaps(connection, settings.namespace)
        self.freeze = Freeze(switches, f"{settings.release}-freeze")
        self.keeper = LeaseKeeper(
            lease=self._make_lease(holder),
            freeze=self.freeze,
            telemetry=self.telemetry,
            clock=clock,
            on_held=self._take_over,
            shown_fence=self._shown_fence,
        )
        self.ledger = self._open_ledger()
        self.keeper.ledger = self.ledger
        self.protection = self._watch_protection()
        self.caps = StoredCaps(self.store)
        self.groups, self.outbox = SlackGroups(self.store), Outbox(self.store)
        self.audit_notes = AuditNotes(self.ledger, self._posted)
        self.people = Identities(
            switches=switches, identities=f"{settings.release}-identities", groups=self.groups, clock=clock
        )
        self._make_aws()
        self._make_deciders()
        self._make_actors()
        self._make_loops()
        self._make_housekeeping()

    def _make_lease(self, holder: str) -> Lease:
        settings, clock = self.settings, self.clock
        lease = Lease(
            self.connection,
            namespace=settings.namespace,
            name=f"{settings.release}-executor",
            holder=holder,
            process=uuid.uuid4().hex[:12],
            seconds=settings.lease_seconds,
            clock=clock,
        )
        self.predecessor = PredecessorLock(Path(tempfile.gettempdir()) / f"{settings.release}-executor.holder")
        lease.succeed(self.predecessor.take_over(lease.holder))
        return lease

    def _watch_protection(self) -> Protection:
        settings = self.settings

        @cache
        def admission() -> AdmissionPolicies:
            operator, _ = Access(self.connection).username()
            bot = settings.slack_attester or f"system:serviceaccount:{settings.namespace}:{settings.release}-slackbot"
            prefix = f"{settings.release}-{settings.namespace}"
            expected = policies(operator, {"slack": bot}, prefix, settings.watch_namespaces)
            return AdmissionPolicies(self.connection, expected)

        return Protection(lambda: admission().read(), self.ledger, self.clock, self.keeper.may_write)

    def _open_ledger(self) -> DurableLedger:
        path = Path(self.settings.ledger_path) if self.settings.ledger_path else None
        if path is None:
            logger.warning("the ledger has no second sink (FINOPS_LEDGER_PATH): nothing will be acted upon")
        if not self.settings.ledger_signing_key:
            raise InvalidInput(
                "no key signs the ledger",
                field="FINOPS_LEDGER_SIGNING_KEY",
                hint="the chart makes one; by hand: openssl genpkey -algorithm ed25519",
            )
        keys = Keyring.of(self.settings.ledger_signing_key, self.settings.ledger_trusted_keys)
        connection = open_ledger_connection(self.settings.redis_url, prefix=self.settings.redis_prefix)
        return open_ledger(
            connection, path, keys=keys, clock=self.clock, fence=lambda: self.keeper.fence, passage=killpoint
        )

    def _make_aws(self) -> None:
        counter = CallCounter()
        sdk = SdkSessions(counter, demo=self.settings.demo)
        sdk.log_problem()
        pacing = CallPacing(
            SharedRateLimits(self.store), self.clock, quotas=share_of_published(self.settings.aws_quota_percent)
        )
        self.readers = AwsReaders(sdk, pacing, process_counter=counter)
        self.sessions = StsExecutorSessions(sdk, self.readers, self.clock)
        self.savings = StoredSavings(self.store)
        self.recommendations = RecommendationStore(self.store)
        self.plugins = plugins()
        self.known = known_ids(self.plugins)
        self.aws_pool = ThreadPoolExecutor(self.settings.scan_workers, thread_name_prefix="aws")
        self.metric_pool = ThreadPoolExecutor(self.settings.scan_workers, thread_name_prefix="cloudwatch")
        self.account_statuses = AccountStatuses(
            self.accounts,
            lambda access, tenant: self.readers.reader(access, access.home_region, tenant).once(
                "sts:GetCallerIdentity", {}
            ),
            self.known,
            self.clock,
        )

    def _make_deciders(self) -> None:
        self.decider = Decider(
            self.ledger,
            self.requests,
            self.approvals,
            self.cache.approvals_of,
            self.people,
            self.clock,
            self.protection,
            lambda: self.keeper.fence,
            lambda verdict: self.telemetry.votes.labels(verdict.result.value, verdict.reason).inc(),
            self._give_back,
        )
        self.gate = OperatorGate(
            self.freeze,
            self.policies.api,
            self.accounts.api,
            self.requests.api,
            self.approvals.api,
            self.people,
            self.ledger,
            self.clock,
            self.protection,
            self._volatile,
        )

    def _make_actors(self) -> None:
        cache, clock = self.cache, self.clock
        self.executor = Executor(
            actions=self.plugins.actions,
            sessions=self.sessions,
            ledger=self.ledger,
            gate=self.gate,
            lease=self.keeper,
            status=StatusReporter(
                self.requests, cache.requests.get, self.events, self.telemetry, lambda: self.keeper.fence
            ),
            caps=self.caps,
            savings=self.savings,
            clock=clock,
        )
        self.proposer = Proposer(
            requests=self.requests,
            accounts=cache.accounts.all,
            recommendations=lambda policy: self.recommendations.stream(key_of(policy)),
            kinds=self.plugins.kinds,
            correct=lambda policy, changed: self.recommendations.correct(key_of(policy), changed),
            actions=self.plugins.actions,
            sessions=self.sessions,
            access=access_of,
            ledger=self.ledger,
            decider=self.decider,
            clock=clock,
            may_write=lambda: self.keeper.may_write() and not self.protection.problem(),
            policy_now=self._policy_now,
            stopping=self.stop.is_set,
        )

    def _make_loops(self) -> None:
        settings, cache, clock = self.settings, self.cache, self.clock
        scans = self._make_scans()
        self.scheduler = Scheduler(
            cache=cache,
            policies=self.policies,
            scan=scans.scan,
            follow_up=scans.follow_up,
            events=self.events,
            telemetry=self.telemetry,
            clock=clock,
            concurrency=settings.scan_concurrency,
            may_write=self.keeper.may_write,
            see_accounts=scans.see_accounts,
        )
        self.request_loop = RequestLoop(
            cache=cache,
            requests=self.requests,
            decider=self.decider,
            gate=self.gate,
            act=self.executor.run,
            acts=ActRequests(
                self.requests.api,
                self.policies.api,
                self.accounts.api,
                self.decider.counted_approvals,
                access_of,
                scans.fleet,
            ),
            freeze=self.freeze,
            telemetry=self.telemetry,
            clock=clock,
            may_write=self.keeper.may_write,
            fence=lambda: self.keeper.fence,
            poll_seconds=settings.request_poll_seconds,
        )

    def _make_housekeeping(self) -> None:
        settings = self.settings
        self.recovery = Recovery(self.ledger, self.accounts.api, self.request_loop.adopt, self.freeze.freeze)
        self.housekeeping = Housekeeping(
            cache=self.cache,
            kinds=(self.policies, self.accounts, self.requests, self.approvals),
            requests=self.requests,
            canary=self.canary,
            groups=self.groups,
            freeze=self.freeze,
            ledger=self.ledger,
            audit_notes=self.audit_notes,
            telemetry=self.telemetry,
            clock=self.clock,
            may_write=self.keeper.may_write,
            take_over=self.recovery.again,
            slack_channels=SlackChannels(self.store, self.policies, self.events).refresh,
            publish_ids=PublishedIds(self.switches, f"{settings.release}-{KNOWN_IDS}", self.known, self.clock).publish,
            forget=Cleanup(self.store, self.policies, self.accounts, self.telemetry, self.clock).clean_up,
            show_obstacles=Obstacles(
                self.policies,
                self.events,
                self.telemetry,
                self.clock,
                {
                    "LedgerBroken": lambda: self.ledger.problem,
                    "Unprotected": self.protection.problem,
                    "Frozen": self.freeze.reason,
                },
            ).show,
            canary_seconds=self.settings.canary_seconds,
        )

    def _make_scans(self) -> PolicyScans:
        deps = ScanDependencies(
            readers=self.readers,
            store=self.store,
            kinds=self.plugins.kinds,
            checks=self.plugins.checks,
            price_sources=self.plugins.price_sources,
            actions=self.plugins.actions,
            pool=self.aws_pool,
            metric_requests=self.metric_pool,
            progress=stop_when(self.stop),
        )
        return PolicyScans(
            deps=deps,
            accounts=self.accounts,
            statuses=self.account_statuses,
            proposer=self.proposer,
            recommendations=self.recommendations,
            savings=self.savings,
            known=self.known,
            clock=self.clock,
            allow_volatile=self.settings.store_allow_volatile,
            may_write=self.keeper.may_write,
        )

    def _volatile(self) -> str:
        if not self.ledger.has_second_sink:
            return "The ledger has no second sink, so nothing may be acted upon."
        try:
            check_server(self.store, allow_volatile=False)
        except StoreUnsafe as error:
            return str(error)
        return ""

    def _give_back(self, request: ActionRequest) -> None:
        tenant = Tenant(namespace=request.metadata.namespace or "", policy=request.spec.policy)
        resource = request.spec.resource
        self.caps.give_back(request.metadata.uid or "", tenant, arn=resource.arn, kind=resource.kind)

    def _shown_fence(self) -> int:
        self.requests.complete_where_possible()
        return max((request.status.fence or 0 for request in self.cache.requests.all()), default=0)

    def _take_over(self) -> None:
        self.audit_notes.start_again()
        self.decider.start_again()
        self.protection.start_again()
        self.freeze.begin(self.requests.found())
        self.recovery.from_ledger()

    def _posted(self, uids: Iterable[str]) -> dict[str, tuple[str, str]]:
        found = ((uid, self.outbox.message(uid)) for uid in uids)
        return {uid: (ref.channel, ref.ts) for uid, ref in found if ref.ts}

    def _policy_now(self, policy: ScanPolicy) -> ScanPolicy | None:
        return self.policies.api.get(*key_of(policy))

    def run(self) -> None:
        """Serve until `stop` is set; returns after every loop has come to its safe point.

        Raises:
            InvalidInput: one of the four kinds is not served by this cluster.
            Refused, ClusterUnavailable: the API server does not answer.
        """
        missing = Access(self.connection).missing_kinds(KINDS)
        if missing:
            raise InvalidInput(
                f"the cluster does not serve {', '.join(missing)} of finops.dev/v1alpha1",
                field="kinds",
                hint="install the chart with crds.install=true, or kubectl apply -f crds/",
            )
        health = self._health()
        health.start()
        scheduler = self._thread("scheduler", self.scheduler.run)
        requests = self._thread("requests", self.request_loop.run)
        housekeeping = self._thread("housekeeping", self.housekeeping.run)
        lease_stop = threading.Event()
        lease = self._thread("lease", lambda _stop: self.keeper.run(lease_stop))
        try:
            asyncio.run(serve(self.cache, self.settings.watch_namespaces, self.stop, self.ready))
        finally:
            self.stop.set()
            self.cache.ring()
            # Acts come to their safe point under the lease. Then it goes at once: whoever takes over need not wait for
            # a scan that ends; without the lease nothing can be decided or proposed here any more.
            requests.join()
            lease_stop.set()
            lease.join()
            scheduler.join()
            housekeeping.join()
            # The threads of the first wait for those of the second.
            self.aws_pool.shutdown(cancel_futures=True)
            self.metric_pool.shutdown(cancel_futures=True)
            health.stop()

    def _thread(self, name: str, work: Callable[[threading.Event], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work(self.stop)
            except BaseException:
                # A loop that died would leave an operator that seems alive: end the process, the pod starts again.
                logger.critical("loop %s died", name, exc_info=True)
                self.stop.set()
                raise

        thread = threading.Thread(target=guarded, name=name)
        thread.start()
        return thread

    def _health(self) -> HealthServer:
        limit = self.settings.canary_seconds * _CANARY_GRACE
        return HealthServer(
            host=self.settings.metrics_host,
            port=self.settings.metrics_port,
            live={
                "watch": lambda: self.canary.problem(limit),
                "loops": lambda: "stopping" if self.stop.is_set() else "",
            },
            ready={
                "store": self._store_problem,
                "watch": lambda: "" if self.ready.is_set() else "not synced yet",
                "protection": self.protection.problem,
                "ledger": lambda: self.ledger.problem,
            },
            notes={"freeze": self._frozen},
            registry=self.telemetry.registry,
        )

    def _frozen(self) -> str:
        try:
            return self.freeze.reason()
        except FinopsError as error:
            return str(error)

    def _store_problem(self) -> str:
        try:
            check_server(self.store, allow_volatile=self.settings.store_allow_volatile)
        except FinopsError as error:
            return str(error)
        return ""


def make_operator(settings: Settings) -> Operator:
    """Connect and make all parts; nothing runs yet.

    Raises:
        InvalidInput: a setting or the Kubernetes configuration cannot be used.
    """
    return Operator(settings, connect())
