"""The composition root of the operator: makes every part, joins them, runs them, stops them in order.

The only place where settings become parts. Threads: scheduler (scans), requests (decisions and acts), lease; the event
loop belongs to kopf alone.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import kopf

from finops.domain.report import ScanSummary
from finops.errors import FinopsError, InvalidInput, StoreUnsafe
from finops.health import HealthServer
from finops.k8s.access import Access
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import Connection, connect
from finops.k8s.events import Events
from finops.k8s.kinds import action_requests, approvals, aws_accounts, scan_policies
from finops.k8s.lease import Lease
from finops.kinds.scan_policy import ScanPolicy
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock, SystemClock
from finops.settings import Settings
from finops.store.caps import StoredCaps
from finops.store.connection import check_server, open_ledger_connection, open_store
from finops.store.inventory import InventoryStore
from finops.store.limits import SharedRateLimits
from finops.store.realized import StoredSavings
from finops.store.recommendations import RecommendationStore
from finops.store.slack_groups import SlackGroups
from finops_operator.access import access_of
from finops_operator.account_status import AccountStatuses
from finops_operator.acting.records import in_flight
from finops_operator.aws.clients import AwsReaders
from finops_operator.aws.counting import CallCounter
from finops_operator.aws.executor import StsExecutorSessions
from finops_operator.aws.reader import Patience
from finops_operator.aws.session import SdkSessions
from finops_operator.canary import Canary
from finops_operator.catalog import plugins
from finops_operator.deciding import Decider
from finops_operator.freeze import Freeze
from finops_operator.gate import OperatorGate
from finops_operator.handlers import action_request as action_request_events
from finops_operator.handlers import approval as approval_events
from finops_operator.handlers import aws_account as aws_account_events
from finops_operator.handlers import scan_policy as scan_policy_events
from finops_operator.killpoint import arm, killpoint
from finops_operator.lease_keeper import LeaseKeeper
from finops_operator.objects import Objects
from finops_operator.people import People
from finops_operator.pipeline import ScanDependencies, scan
from finops_operator.proposing import Proposer
from finops_operator.reporting import StatusReporter
from finops_operator.request_loop import RequestLoop
from finops_operator.scheduler import Scheduler
from finops_operator.stages.act import Executor
from finops_operator.stages.policy_status import Standing
from finops_operator.telemetry import Telemetry
from finops_operator.world import World

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
            raise InvalidInput("no store is named", field="FINOPS_REDIS_URL", hint="set it to redis://host:6379/0")
        arm(settings.kill_point)
        self.telemetry, self.world, self.canary = Telemetry(), World(), Canary(clock)
        holder = settings.pod_name or socket.gethostname()
        self.events = Events(connection, component="operator", instance=holder)
        self.store = open_store(settings.redis_url, prefix=settings.redis_prefix)
        self.policies = Objects(scan_policies(connection), self.world.policies, self.canary)
        self.accounts = Objects(aws_accounts(connection), self.world.accounts, self.canary)
        self.requests = Objects(action_requests(connection), self.world.requests, self.canary)
        self.approvals = Objects(approvals(connection), self.world.approvals, self.canary)
        switches = ConfigMaps(connection, settings.namespace)
        self.freeze = Freeze(switches, f"{settings.release}-freeze")
        self.keeper = LeaseKeeper(
            lease=Lease(
                connection,
                namespace=settings.namespace,
                name=f"{settings.release}-executor",
                holder=holder,
                seconds=settings.lease_seconds,
                clock=clock,
            ),
            freeze=self.freeze,
            telemetry=self.telemetry,
            clock=clock,
            on_held=self._take_over,
        )
        self.ledger = self._open_ledger()
        self.keeper.ledger = self.ledger
        self.groups = SlackGroups(self.store)
        self.people = People(
            switches=switches, identities=f"{settings.release}-identities", groups=self.groups, clock=clock
        )
        self._make_aws()
        self._make_loops()

    def _open_ledger(self) -> DurableLedger:
        settings = self.settings
        path = Path(settings.ledger_path) if settings.ledger_path else None
        if path is None:
            logger.warning("the ledger has no second sink (FINOPS_LEDGER_PATH): nothing will be acted upon")
        connection = open_ledger_connection(settings.redis_url, prefix=settings.redis_prefix)
        return open_ledger(connection, path, clock=self.clock, fence=lambda: self.keeper.fence, passage=killpoint)

    def _make_aws(self) -> None:
        counter = CallCounter()
        sdk = SdkSessions(counter, demo=self.settings.demo)
        patience = Patience(SharedRateLimits(self.store), self.clock)
        self.readers = AwsReaders(sdk, patience, process_counter=counter)
        self.sessions = StsExecutorSessions(sdk, self.readers, self.clock)
        self.savings = StoredSavings(self.store)
        self.recommendations = RecommendationStore(self.store)
        self.inventory = InventoryStore(self.store)
        self.plugins = plugins()
        self.aws_pool = ThreadPoolExecutor(self.settings.scan_workers, thread_name_prefix="aws")
        self.account_statuses = AccountStatuses(
            self.accounts,
            lambda access, tenant: self.readers.reader(access, access.home_region, tenant).once(
                "sts:GetCallerIdentity", {}
            ),
            self.clock,
        )

    def _make_loops(self) -> None:
        settings, world, clock = self.settings, self.world, self.clock
        self.decider = Decider(
            self.ledger,
            self.requests,
            self.approvals,
            world.approvals_of,
            self.people,
            clock,
            lambda: self.keeper.fence,
        )
        self.gate = OperatorGate(
            self.freeze,
            self.policies.api,
            self.accounts.api,
            self.requests.api,
            self.approvals.api,
            self.people,
            self.ledger,
            clock,
            self._volatile,
        )
        self.executor = Executor(
            actions=self.plugins.actions,
            sessions=self.sessions,
            ledger=self.ledger,
            gate=self.gate,
            lease=self.keeper,
            status=StatusReporter(
                self.requests, world.requests.get, self.events, self.telemetry, lambda: self.keeper.fence
            ),
            caps=StoredCaps(self.store),
            savings=self.savings,
            clock=clock,
        )
        self.proposer = Proposer(
            requests=self.requests,
            all_requests=world.requests.all,
            accounts=world.accounts.all,
            recommendations=lambda policy: self.recommendations.stream(_key(policy)),
            actions=self.plugins.actions,
            sessions=self.sessions,
            access=access_of,
            ledger=self.ledger,
            decider=self.decider,
            clock=clock,
            may_write=self.keeper.may_write,
        )
        self.scheduler = Scheduler(
            world=world,
            policies=self.policies,
            scan=self._scan,
            follow_up=self._follow_up,
            events=self.events,
            telemetry=self.telemetry,
            clock=clock,
            concurrency=settings.scan_concurrency,
        )
        self.request_loop = RequestLoop(
            world=world,
            requests=self.requests,
            decider=self.decider,
            gate=self.gate,
            act=self.executor.run,
            access=access_of,
            fleet=self._fleet,
            freeze=self.freeze,
            telemetry=self.telemetry,
            clock=clock,
            may_write=self.keeper.may_write,
            fence=lambda: self.keeper.fence,
            poll_seconds=settings.request_poll_seconds,
        )

    def _volatile(self) -> str:
        if not self.ledger.has_second_sink:
            return "The ledger has no second sink, so nothing may be acted upon."
        try:
            check_server(self.store, allow_volatile=False)
        except StoreUnsafe as error:
            return str(error)
        return ""

    def _scan(self, policy: ScanPolicy) -> ScanSummary:
        check_server(self.store, allow_volatile=self.settings.store_allow_volatile)
        accounts = {account.metadata.name: account for account in self.world.accounts.all()}
        deps = ScanDependencies(
            readers=self.readers,
            store=self.store,
            kinds=self.plugins.kinds,
            checks=self.plugins.checks,
            price_sources=self.plugins.price_sources,
            catalog=self.plugins.catalog,
            pool=self.aws_pool,
        )
        return scan(policy, accounts, deps, self.clock).summary

    def _follow_up(self, policy: ScanPolicy, summary: ScanSummary) -> Standing:
        namespace, name = _key(policy)
        granted = tuple(
            account.metadata.name
            for account in self.world.accounts.all()
            if account.spec.actions_for(namespace) is not None
            and account.metadata.name in {reference.name for reference in policy.spec.accounts}
        )
        self.account_statuses.refresh(granted, Tenant(namespace=namespace, policy=name))
        try:
            opened = self.proposer.follow_up(policy, summary)
        except FinopsError as error:
            # The scan's figures stand whatever became of its requests; the next scan looks at them again.
            logger.warning("requests not brought up to date: %s", error, extra={"policy": name})
            opened = len(self.proposer.open_of(policy))
        return Standing(open_requests=opened, realized_monthly_savings=self._realized(namespace, name))

    def _realized(self, namespace: str, name: str) -> Decimal:
        return sum(
            (
                Decimal(entry["monthlySavings"])
                for entry in self.savings.read()
                if entry.get("namespace") == namespace and entry.get("policy") == name
            ),
            Decimal(0),
        )

    def _fleet(self, policy: ScanPolicy, kind: str) -> int:
        """Return how many resources of `kind` the policy's last scan saw; the cap by share of the fleet counts them."""
        head = self.recommendations.head(_key(policy))
        if head is None:
            return 0
        heads = [self.inventory.head(shard) for shard, _ in head.shards if shard.kind == kind]
        return sum(found.count for found in heads if found is not None)

    def _take_over(self) -> None:
        """Adopt the acts that a dead process left in the middle, objects or not."""
        acts = []
        for one in in_flight(self.ledger):
            account = self.accounts.api.get("", one.account)
            if account is None:
                logger.error("act %s/%s cannot go on: AwsAccount %s is gone", one.namespace, one.name, one.account)
                continue
            acts.append(
                ActRequest(
                    uid=one.uid,
                    name=one.name,
                    tenant=Tenant(namespace=one.namespace, policy=one.policy),
                    access=access_of(account),
                    plan=one.plan,
                    plan_hash=one.plan_hash,
                    deciders=one.deciders,
                    dry_run=one.dry_run,
                    estimate=one.estimate,
                    limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=0),
                )
            )
        self.request_loop.adopt(acts)

    def run(self) -> None:
        """Serve until `stop` is set; returns after every loop has come to its safe point.

        Raises:
            InvalidInput: one of the four kinds is not served by this cluster.
            Refused, ClusterUnavailable: the API server cannot be asked.
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
        threads = [
            self._thread("scheduler", self.scheduler.run),
            self._thread("requests", self.request_loop.run),
            self._thread("housekeeping", self._keep_house),
        ]
        lease_stop = threading.Event()
        lease = self._thread("lease", lambda _stop: self.keeper.run(lease_stop))
        try:
            asyncio.run(self._serve_kopf())
        finally:
            self.stop.set()
            self.world.ring()
            for thread in threads:
                thread.join()
            # Acts end under the lease; it goes last.
            lease_stop.set()
            lease.join()
            self.aws_pool.shutdown(cancel_futures=True)
            health.stop()

    def _thread(self, name: str, work: Callable[[threading.Event], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work(self.stop)
            except BaseException:
                # A loop that died would leave an operator that looks alive: end the process, the pod starts again.
                logger.critical("loop %s died", name, exc_info=True)
                self.stop.set()
                raise

        thread = threading.Thread(target=guarded, name=name)
        thread.start()
        return thread

    def _keep_house(self, stop: threading.Event) -> None:
        period = self.settings.canary_seconds
        while not stop.wait(min(10.0, period / 2)):
            stamp = self.clock.now().isoformat(timespec="seconds")
            for objects in (self.policies, self.accounts, self.requests, self.approvals):
                try:
                    objects.touch_when_idle(period, stamp)
                except FinopsError as error:
                    logger.info("canary: %s", error)
            for kind, age in self.canary.oldest_unseen_seconds().items():
                self.telemetry.canary_age.labels(kind).set(age)
            self._publish_groups()

    def _publish_groups(self) -> None:
        """Tell the bot which user groups matter, and show whether acts are frozen."""
        wanted = {
            approver.slack_user_group
            for policy in self.world.policies.all()
            for approver in policy.spec.approval.approvers
            if approver.slack_user_group
        }
        try:
            if wanted != self.groups.wanted():
                self.groups.want(wanted)
            self.telemetry.frozen.set(1 if self.freeze.reason() else 0)
            self.telemetry.ledger_sequence.set(self.ledger.head().sequence)
        except FinopsError as error:
            logger.info("housekeeping: %s", error)

    def _health(self) -> HealthServer:
        limit = self.settings.canary_seconds * _CANARY_GRACE
        return HealthServer(
            host="0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside the pod
            port=self.settings.metrics_port,
            live={
                "watch": lambda: self.canary.problem(limit),
                "loops": lambda: "stopping" if self.stop.is_set() else "",
            },
            ready={"store": self._store_problem, "watch": lambda: "" if self.ready.is_set() else "not synced yet"},
            registry=self.telemetry.registry,
        )

    def _store_problem(self) -> str:
        try:
            check_server(self.store, allow_volatile=self.settings.store_allow_volatile)
        except FinopsError as error:
            return str(error)
        return ""

    def _relay_stop(self, loop: asyncio.AbstractEventLoop, stopped: asyncio.Event) -> None:
        self.stop.wait()
        # After a signal kopf ends by itself, and its loop with it.
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopped.set)

    async def _serve_kopf(self) -> None:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
            return kopf.login_via_client(**kwargs)

        for events in (scan_policy_events, aws_account_events, action_request_events, approval_events):
            events.register(registry, self.world)
        namespaces = self.settings.watch_namespaces
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()
        # kopf would wait for a threading.Event in a pool thread that nothing wakes when it is stopped by a signal.
        relay = threading.Thread(target=self._relay_stop, args=(loop, stopped), name="stop relay", daemon=True)
        relay.start()
        await kopf.operator(
            registry=registry,
            settings=_kopf_settings(),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stopped,
            ready_flag=self.ready,
        )


def _kopf_settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    # The four kinds are there when we start (`run` refuses otherwise): watching CRDs would need rights for nothing.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.watching.server_timeout = 300
    settings.watching.connect_timeout = 30
    settings.queueing.worker_limit = 50
    return settings


def _key(policy: ScanPolicy) -> tuple[str, str]:
    return policy.metadata.namespace or "default", policy.metadata.name


def make_operator(settings: Settings) -> Operator:
    """Connect and make all parts; nothing runs yet.

    Raises:
        InvalidInput: a setting or the Kubernetes configuration cannot be used.
    """
    return Operator(settings, connect())
