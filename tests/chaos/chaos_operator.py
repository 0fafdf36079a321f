"""One operator of a chaos run: the production parts, joined around a fast clock, in a process that can be stopped.

Left out is only what has no boundary of an act: scans, and kopf's watches, in whose place the objects are read again
several times a second. The lease runs in real time and is short, everything else on a clock that runs fast.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from tests.support.act_world import FastClock, make_sessions
from tests.support.ledger_keys import KEYS, MEMBERSHIP_KEY
from tests.support.operator_estate import SYSTEM

from finops.crds.admission import policies
from finops.domain.decision import Tally, tally
from finops.errors import FinopsError
from finops.k8s.connection import connect
from finops.k8s.lease import Lease
from finops.k8s.protection import AdmissionPolicies
from finops.k8s.witness import ClusterWitness
from finops.ledger.durable import open_ledger
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_steps import ExecutorSessions, Reader, StepClient
from finops.ports.clock import SystemClock
from finops.settings import Settings
from finops.store.connection import open_ledger_connection, open_store
from finops.store.realized import StoredSavings
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.executor import Executor
from finops_operator.acts.gate import OperatorGate
from finops_operator.acts.progress import ActSettings
from finops_operator.acts.recovery import Recovery
from finops_operator.acts.report import StatusReporter
from finops_operator.acts.undos import RecordedUndos
from finops_operator.aws.session import SdkSessions
from finops_operator.background import Background
from finops_operator.cluster.anchoring import Anchoring
from finops_operator.cluster.lease import LeaseKeeper
from finops_operator.cluster.predecessor import PredecessorLock
from finops_operator.cluster.protection import Protection
from finops_operator.killpoint import killpoint
from finops_operator.parts.authority import Authority
from finops_operator.parts.cluster import ClusterParts, make_cluster
from finops_operator.parts.judgement import make_judgement
from finops_operator.plugins.loaded import plugins
from finops_operator.requests.loop import RequestLoop
from finops_operator.requests.undo_proposals import UndoProposals
from finops_operator.requests.undoing import Undoing
from finops_operator.rules import standing
from finops_operator.rules.access import access_of

LEASE_SECONDS: Final = 7
RELEASE: Final = "finops-operator"
OPERATOR: Final = f"system:serviceaccount:{SYSTEM}:finops-operator"
ATTESTER: Final = f"system:serviceaccount:{SYSTEM}:finops-slackbot"
_POLL_SECONDS: Final = 0.1
_REFRESH_SECONDS: Final = 0.3
_SETTINGS: Final = ActSettings(
    call_seconds=2.0, lease_margin_seconds=0.3, minimum_call_seconds=2.0, longest_gap_seconds=900.0
)
"""In proportion to the lease, which is shorter than in production, and to the clock, which runs fast.
It is long enough for a refusal to be dated clearly before the deadline of its session, in whole seconds."""
SENDING: Final = "aws.sending"
"""The last instant before a step's call leaves: it is signed already. Only chaos runs have this boundary."""


@dataclass(frozen=True, slots=True)
class Order:
    """What one operator is started with.

    Attributes:
        control: unix socket on which it reports that it came to `stop_at`, and waits there for an answer.
        stop_at: boundary and passage, `aws.sent:2`; empty: it passes all of them.
        folder: the pod's own folder; a process that is started with the same one is a restarted container.
        without: the guard that is taken out, to prove that the checker finds what follows; empty: none.
    """

    control: str
    kubeconfig: str
    redis: str
    prefix: str
    ledger: str
    namespace: str
    case: str
    base: float
    speed: float
    folder: str
    stop_at: str = ""
    without: str = ""


@dataclass(slots=True)
class Boundaries:
    """Counts boundaries; at the one that was asked for it reports and stands still until it is answered."""

    stop_at: str
    control: socket.socket
    met: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str) -> None:
        with self.lock:
            self.met[name] += 1
            here = f"{name}:{self.met[name]}" == self.stop_at
        if here:
            self.say({"reached": self.stop_at})
            self.control.recv(1)

    def say(self, document: dict[str, Any]) -> None:
        self.control.sendall(json.dumps(document).encode() + b"\n")


@dataclass(slots=True)
class Everlasting:
    """A lease guard without its guard: once it was held it is held for ever, whoever else holds it."""

    keeper: LeaseKeeper
    fence: int = 0
    remaining_seconds: float = 30.0

    def check(self) -> None:
        """Ask while the lease was never held, and nothing afterwards."""
        self.fence = self.fence or self.keeper.fence


@dataclass(frozen=True, slots=True)
class Undated:
    """Sessions for acting without a deadline: AWS carries out whatever comes, however late."""

    sessions: ExecutorSessions

    def reader(self, account: AccountAccess, region: str, *, tenant: Tenant) -> Reader:
        return self.sessions.reader(account, region, tenant=tenant)

    def step_client(
        self,
        account: AccountAccess,
        region: str,
        *,
        tenant: Tenant,
        request_name: str,
        approver_handle: str,
        statements: Sequence[Mapping[str, Any]],
        timeout_seconds: float,
        afterwards: Sequence[Mapping[str, Any]] = (),
        lease_left: object = None,
    ) -> StepClient:
        """Make the session as ordered, whenever the lease ends."""
        assert lease_left is not None
        return self.sessions.step_client(
            account,
            region,
            tenant=tenant,
            request_name=request_name,
            approver_handle=approver_handle,
            statements=statements,
            timeout_seconds=timeout_seconds,
            afterwards=afterwards,
        )


class ChaosOperator:
    """All parts of one operator; `run` serves until SIGTERM."""

    def __init__(self, order: Order, passage: Boundaries, sdk: SdkSessions) -> None:
        self._order, self._clock = order, FastClock(order.base, order.speed)
        self._stop = threading.Event()
        self._settings = Settings(
            redis_url=order.redis,
            redis_prefix=order.prefix,
            release=RELEASE,
            namespace=SYSTEM,
            membership_key=MEMBERSHIP_KEY,
        )
        self._cluster = cluster = make_cluster(self._settings, connect(order.kubeconfig), self._clock, "chaos")
        cluster.cache.watches((order.namespace,))
        self._authority = authority = self._make_authority(cluster, passage)
        self._judgement = make_judgement(self._settings, cluster, authority, self._clock)
        self._requests = self._make_requests(self._executor(sdk, passage), sdk)
        self._recovery = Recovery(authority.ledger, cluster.accounts.api, self._requests.adopt, cluster.freeze.freeze)

    def run(self) -> None:
        """Serve until SIGTERM, then come to a safe point and give up the lease, in production's order."""
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        late = threading.Event()
        threads = [
            threading.Thread(target=self._requests.run, args=(self._stop,)),
            threading.Thread(target=self._refresh, args=(self._stop,)),
        ]
        last = [
            threading.Thread(target=self._authority.anchoring.run, args=(late,)),
            threading.Thread(target=self._authority.keeper.run, args=(late,)),
        ]
        for thread in (*threads, *last):
            thread.start()
        while not self._stop.wait(0.2):
            pass
        for thread in threads:
            thread.join()
        late.set()
        for thread in last:
            thread.join()

    def _make_authority(self, cluster: ClusterParts, passage: Boundaries) -> Authority:
        order, real = self._order, SystemClock()
        lease = Lease(
            cluster.connection,
            namespace=SYSTEM,
            name=f"executor-{order.case}",
            holder=Path(order.folder).name,
            process=f"{os.getpid()}",
            seconds=LEASE_SECONDS,
            clock=real,
        )
        lease.succeed(PredecessorLock(Path(order.folder) / "holder").take_over(lease.holder))
        keeper = LeaseKeeper(lease, cluster.freeze, cluster.telemetry, real, self._take_over, cluster.shown_fence)
        witness = ClusterWitness(
            cluster.connection,
            namespace=SYSTEM,
            lease_name=f"executor-{order.case}",
            config_map=f"anchor-{order.case}",
            lease=lease,
            events=cluster.events,
        )
        ledger = open_ledger(
            open_ledger_connection(order.redis, prefix=order.prefix),
            Path(order.ledger),
            keys=KEYS,
            clock=self._clock,
            fence=lambda: keeper.fence,
            passage=passage,
            witness=witness,
        )
        keeper.ledger = ledger
        admission = AdmissionPolicies(
            cluster.connection, policies(OPERATOR, {"slack": ATTESTER}, f"{RELEASE}-{SYSTEM}")
        )
        protection = Protection(admission.read, ledger, real, keeper.may_write)
        anchoring = Anchoring(ledger, keeper.may_write, cluster.telemetry, cluster.freeze.freeze)
        store = open_store(order.redis, prefix=order.prefix)
        return Authority(store, keeper, ledger, anchoring, protection)

    def _executor(self, sdk: SdkSessions, passage: Boundaries) -> Executor:
        cluster, authority, judgement = self._cluster, self._authority, self._judgement
        actions = dict(plugins().actions)
        if self._order.without == "rollback":
            actions = {
                name: replace(
                    action,
                    procedure=replace(
                        action.procedure, compensation=lambda _plan: (), restored=lambda _plan, _now: True
                    ),
                )
                for name, action in actions.items()
            }
        sessions = make_sessions(self._clock, sdk)
        return Executor(
            actions=actions,
            sessions=Undated(sessions) if self._order.without == "deadline" else sessions,
            ledger=authority.ledger,
            gate=judgement.gate,
            lease=Everlasting(authority.keeper) if self._order.without == "lease" else authority.keeper,
            status=StatusReporter(
                cluster.requests,
                cluster.cache.requests.get,
                cluster.events,
                cluster.telemetry,
                authority.fence,
                RecordedUndos(authority.ledger, actions, cluster.requests.api.get).of,
            ),
            caps=judgement.caps,
            savings=StoredSavings(authority.store),
            clock=self._clock,
            settings=_SETTINGS,
            passage=passage,
        )

    def _make_requests(self, executor: Executor, sdk: SdkSessions) -> RequestLoop:
        cluster, authority, judgement = self._cluster, self._authority, self._judgement
        return RequestLoop(
            cache=cluster.cache,
            requests=cluster.requests,
            decider=judgement.decider,
            gate=judgement.gate,
            act=executor.run,
            acts=ActRequests(
                cluster.requests.api,
                cluster.policies.api,
                cluster.accounts.api,
                judgement.decider.counted_approvals,
                access_of,
                lambda _policy, _kind: 100,
            ),
            freeze=cluster.freeze,
            telemetry=cluster.telemetry,
            clock=self._clock,
            may_write=authority.keeper.may_write,
            fence=authority.fence,
            poll_seconds=_POLL_SECONDS,
            undoing=self._undoing(sdk),
        )

    def _undoing(self, sdk: SdkSessions) -> Undoing:
        cluster, authority, judgement = self._cluster, self._authority, self._judgement
        proposals = UndoProposals(
            requests=cluster.requests,
            policies=cluster.policies.api,
            accounts=cluster.accounts.api,
            kinds=plugins().kinds,
            actions=plugins().actions,
            sessions=make_sessions(self._clock, sdk),
            ledger=authority.ledger,
            decider=judgement.decider,
            people=judgement.decider.people,
            freeze=cluster.freeze,
            clock=self._clock,
        )
        return Undoing(
            cluster.cache,
            cluster.requests,
            judgement.decider,
            authority.ledger,
            self._clock,
            authority.fence,
            proposals.make,
            RecordedUndos(authority.ledger, plugins().actions, cluster.requests.api.get).of,
            Background(cluster.telemetry, self._clock),
        )

    def _take_over(self) -> None:
        self._judgement.decider.start_again()
        self._authority.protection.start_again()
        self._cluster.freeze.begin(self._cluster.requests.found(), "")
        self._recovery.from_ledger()

    def _refresh(self, stop: threading.Event) -> None:
        """Stand in for the watches."""
        while not stop.wait(_REFRESH_SECONDS):
            try:
                self._cluster.requests.read_again()
                self._cluster.approvals.read_again()
            except FinopsError as error:
                logging.getLogger(__name__).info("not read again: %s", error)
            self._cluster.cache.ring()


def be_operator(order: Order, sdk: SdkSessions) -> None:
    """Be one operator until SIGTERM; called in a process of its own."""
    logging.basicConfig(
        filename=f"{order.folder}/log", level=logging.INFO, force=True, format="%(asctime)s %(name)s %(message)s"
    )
    control = socket.socket(socket.AF_UNIX)
    control.connect(order.control)
    boundaries = Boundaries(order.stop_at, control)
    boundaries.say({"pid": os.getpid()})
    _pass_to(boundaries)
    _meet_sending(sdk, boundaries)
    if order.without == "votes":
        _count_no_votes()
    ChaosOperator(order, boundaries, sdk).run()
    boundaries.say({"met": dict(boundaries.met)})


def _pass_to(boundaries: Boundaries) -> None:
    """Let every module that calls `killpoint` by name call `boundaries`; the process is a fork of its own."""
    for module in list(sys.modules.values()):
        if getattr(module, "killpoint", None) is killpoint:
            setattr(module, "killpoint", boundaries)  # noqa: B010 - a module has no such attribute for the type checker


def _meet_sending(sdk: SdkSessions, boundaries: Boundaries) -> None:
    """Meet a boundary when the SDK is about to send a step's call; production has none there."""
    make = sdk.with_keys

    def with_keys(key: str, secret: str, token: str) -> Any:
        session = make(key, secret, token)
        session.register("before-send", lambda **_ignored: boundaries(SENDING))
        return session

    # Only sessions for acting have fixed keys; the process is a fork of its own.
    setattr(sdk, "with_keys", with_keys)  # noqa: B010 - the type checker knows no method that is replaced


def _count_no_votes() -> None:
    """Take out both places that count votes: one approval is enough for any request, and nobody checks again."""

    def one_is_enough(*args: Any) -> Tally:
        return replace(tally(*args), required=1)

    setattr(standing, "tally", one_is_enough)  # noqa: B010 - as above
    setattr(OperatorGate, "_votes", lambda *_args: None)  # noqa: B010 - as above
