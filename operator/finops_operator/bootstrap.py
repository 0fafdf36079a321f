"""The composition root of the operator: makes every part, joins them, runs them, stops them in order.

The only place where settings become parts, group by group (`parts`). Threads: scheduler (scans), requests (decisions
and acts), watches, lease, housekeeping, what-ifs; the event loop belongs to kopf alone.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Final

from finops.errors import FinopsError, InvalidInput
from finops.health import HealthServer
from finops.k8s.access import Access
from finops.k8s.connection import Connection, connect
from finops.k8s.deployment import OwnDeployment
from finops.ports.clock import SystemClock
from finops.settings import Settings
from finops.store.address import require_password
from finops.store.connection import check_server, open_store
from finops.store.space import measure, too_full
from finops_operator.background import Background, start_loop
from finops_operator.cluster.handlers.serving import serve
from finops_operator.cluster.restored import begin_restored
from finops_operator.killpoint import arm
from finops_operator.parts.authority import make_authority
from finops_operator.parts.cloud import make_cloud, make_ledger_bucket
from finops_operator.parts.cluster import make_cluster
from finops_operator.parts.duties import duties, make_audit_notes, paused_acts
from finops_operator.parts.ending import Ending
from finops_operator.parts.judgement import make_judgement
from finops_operator.parts.loops import LoopMaker
from finops_operator.rules.paused import in_one_line
from finops_operator.upkeep.housekeeping import Housekeeping
from finops_operator.upkeep.wanted_groups import WantedGroups

KINDS: Final = ("scanpolicies", "awsaccounts", "actionrequests", "approvals", "budgets")
_CANARY_GRACE: Final = 2.5
"""A write unseen for this many canary periods means that the watch is dead."""


class Operator:
    """All parts, made and joined; `run` serves until `stop` is set."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        if not settings.redis_url:
            raise InvalidInput(
                "no store is named", field="FINOPS_REDIS_URL", hint="set it to redis://USER:PASSWORD@HOST:6379/0"
            )
        require_password(settings.redis_url, allow_unauthenticated=settings.store_allow_unauthenticated)
        arm(settings.kill_point)
        self.stop = threading.Event()
        self._ready = threading.Event()
        self._settings, clock = settings, SystemClock()
        holder = settings.pod_name or socket.gethostname()
        store = open_store(settings.redis_url, prefix=settings.redis_prefix)
        self._cluster = cluster = make_cluster(settings, connection, clock, holder)
        self._cloud = make_cloud(settings, store, clock)
        bucket = make_ledger_bucket(settings, self._cloud.sdk, clock)
        self._authority = authority = make_authority(settings, cluster, store, clock, holder, self._take_over, bucket)
        self._audit_notes = make_audit_notes(authority)
        self._judgement = judgement = make_judgement(settings, cluster, authority, clock)
        self._loops = LoopMaker(settings, cluster, authority, self._cloud, judgement, clock, self.stop).make()
        self._housekeeping = Housekeeping(
            WantedGroups(cluster.cache, judgement.groups),
            tuple(duties(settings, cluster, authority, self._cloud, self._audit_notes, self._loops.recovery, clock)),
            clock,
            authority.keeper.may_write,
            settings.canary_seconds,
            Background(cluster.telemetry, clock),
        )

    def _take_over(self) -> None:
        begin_restored(self._authority.store, self._authority.ledger, self._cluster.freeze)
        self._audit_notes.start_again()
        self._judgement.decider.start_again()
        self._authority.protection.start_again()
        own = OwnDeployment(self._cluster.connection, self._settings.namespace, self._settings.release)
        self._cluster.freeze.begin(self._cluster.requests.found(), own.uid())
        self._loops.recovery.from_ledger()

    def run(self) -> int:
        """Serve until `stop` is set; returns when every loop has ended, or a second later without those that hang.

        Returns the exit code of the process: 1 when a loop died of a defect, the one that ends the others among them.

        Raises:
            InvalidInput: one of our kinds is not served by this cluster.
            Refused, ClusterUnavailable: the API server does not answer.
        """
        missing = Access(self._cluster.connection).missing_kinds(KINDS)
        if missing:
            raise InvalidInput(
                f"the cluster does not serve {', '.join(missing)} of finops.dev/v1alpha1",
                field="kinds",
                hint="install the chart with crds.install=true, or kubectl apply -f crds/",
            )
        self._loops.last_handover.start()
        health = self._health()
        health.start()
        died = threading.Event()
        ending = self._start_loops(died)
        try:
            asyncio.run(serve(self._cluster.cache, self._settings.watch_namespaces, self.stop, self._ready))
        finally:
            self.stop.set()
            ending.join()
            health.stop()
        return int(died.is_set())

    def _start_loops(self, dead: threading.Event) -> threading.Thread:
        """Start every loop; return the thread that ends them once `stop` is set, whatever the event loop still does.

        A loop that dies sets `dead`, and then `stop`.
        """
        stop, cluster, authority, loops = self.stop, self._cluster, self._authority, self._loops

        def died() -> None:
            dead.set()
            stop.set()

        anchoring_stop, lease_stop = threading.Event(), threading.Event()
        ending = Ending(
            handover=loops.last_handover,
            requests=start_loop("requests", lambda: loops.requests.run(stop), died),
            anchoring=start_loop("anchoring", lambda: authority.anchoring.run(anchoring_stop), died),
            stop_anchoring=anchoring_stop,
            lease=start_loop("lease", lambda: authority.keeper.run(lease_stop), died),
            stop_lease=lease_stop,
            rest=(
                start_loop("scheduler", lambda: loops.scheduler.run(stop), died),
                start_loop("housekeeping", lambda: self._housekeeping.run(stop), died),
                start_loop("watches", lambda: loops.watching.run(stop), died),
                start_loop("webhooks", lambda: loops.webhooks.run(stop), died),
                start_loop("what-ifs", lambda: loops.what_ifs.run(stop), died),
            ),
            give_up=authority.keeper.give_up,
            close=self._cloud.close,
        )

        def end() -> None:
            stop.wait()
            cluster.cache.ring()
            ending.run()

        return start_loop("ending", end, died)

    def _health(self) -> HealthServer:
        limit = self._settings.canary_seconds * _CANARY_GRACE
        return HealthServer(
            host=self._settings.metrics_host,
            port=self._settings.metrics_port,
            live={
                "watch": lambda: self._cluster.canary.problem(limit),
                "loops": lambda: "stopping" if self.stop.is_set() else "",
            },
            ready={
                "store": self._store_problem,
                "watch": lambda: "" if self._ready.is_set() else "not synced yet",
                "protection": self._authority.protection.problem,
                "ledger": lambda: self._authority.ledger.problem or self._authority.keeper.unusable,
            },
            notes={"freeze": self._frozen, "acts": self._paused},
            registry=self._cluster.telemetry.registry,
        )

    def _paused(self) -> str:
        return in_one_line(paused_acts(self._cluster, self._loops.recovery))

    def _frozen(self) -> str:
        try:
            return self._cluster.freeze.reason()
        except FinopsError as error:
            return str(error)

    def _store_problem(self) -> str:
        try:
            check_server(self._authority.store, allow_volatile=self._settings.store_allow_volatile)
            return too_full(measure(self._authority.store))
        except FinopsError as error:
            return str(error)


def make_operator(settings: Settings) -> Operator:
    """Connect and make all parts; nothing runs yet.

    Raises:
        InvalidInput: a setting or the Kubernetes configuration cannot be used.
    """
    return Operator(settings, connect())
