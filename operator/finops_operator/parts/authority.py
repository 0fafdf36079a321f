"""What this process may write with: the lease, the ledger under its fence, and the cluster's admission policies."""

from __future__ import annotations

import logging
import sys
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from finops.crds.admission import policies
from finops.domain.execution import Stop, StopKind
from finops.errors import InvalidInput, StoreUnsafe
from finops.k8s.access import Access
from finops.k8s.lease import Lease
from finops.k8s.protection import AdmissionPolicies
from finops.k8s.witness import ClusterWitness
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.log_sink import LogSink
from finops.ledger.signing import Keyring
from finops.ports.bucket import LockedBucket
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.connection import Store, check_server, open_ledger_connection
from finops.store.space import NEARLY_FULL, measure, too_full
from finops_operator.cluster.anchoring import Anchoring
from finops_operator.cluster.lease import LeaseKeeper
from finops_operator.cluster.predecessor import PredecessorLock
from finops_operator.cluster.protection import Protection
from finops_operator.killpoint import killpoint
from finops_operator.parts.cluster import ClusterParts

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Authority:
    """Lease, ledger and protection; nothing is decided or acted upon unless all three agree."""

    store: Store
    keeper: LeaseKeeper
    ledger: DurableLedger
    anchoring: Anchoring
    protection: Protection

    def fence(self) -> int:
        """Return the token of the lease. Raises FenceLost when it is not held."""
        return self.keeper.fence

    def may_decide(self) -> bool:
        """Return whether this process may ask people and count their votes now."""
        return self.keeper.may_write() and not self.protection.problem()

    def of_store(self) -> Stop | None:
        """Return why a record could be lost or could not be written, so that no act may begin; None when none can.

        Raises:
            StoreUnavailable: it does not answer.
        """
        if not self.ledger.has_second_sink:
            why = "The ledger has no second sink, so nothing may be acted upon."
            return Stop(StopKind.HOLD, "StoreVolatile", why)
        try:
            check_server(self.store, allow_volatile=False)
        except StoreUnsafe as error:
            return Stop(StopKind.HOLD, "StoreVolatile", str(error))
        return stop_of_full(self.store)


def stop_of_full(store: Store) -> Stop | None:
    """Return that the store is too full for an act to begin, None when it is not. Raises StoreUnavailable."""
    why = too_full(measure(store))
    return Stop(StopKind.HOLD, NEARLY_FULL, f"Waiting: {why}.") if why else None


def make_authority(
    settings: Settings,
    cluster: ClusterParts,
    store: Store,
    clock: Clock,
    holder: str,
    on_held: Callable[[], None],
    bucket: LockedBucket | None = None,
) -> Authority:
    """Make them; `on_held` is called after each acquisition of the lease, `bucket` keeps the ledger besides.

    Raises:
        InvalidInput: no key signs the ledger, or it cannot be used.
    """
    keeper = LeaseKeeper(
        lease=_lease(settings, cluster, clock, holder),
        freeze=cluster.freeze,
        telemetry=cluster.telemetry,
        clock=clock,
        on_held=on_held,
        shown_fence=cluster.shown_fence,
    )
    keeper.ledger = ledger = _ledger(settings, cluster, keeper, clock, bucket)
    anchoring = Anchoring(ledger, keeper.may_write, cluster.telemetry, cluster.freeze.freeze)
    return Authority(store, keeper, ledger, anchoring, _protection(settings, cluster, ledger, clock, keeper))


def _lease(settings: Settings, cluster: ClusterParts, clock: Clock, holder: str) -> Lease:
    lease = Lease(
        cluster.connection,
        namespace=settings.namespace,
        name=f"{settings.release}-executor",
        holder=holder,
        process=uuid.uuid4().hex[:12],
        seconds=settings.lease_seconds,
        clock=clock,
    )
    predecessor = PredecessorLock(Path(tempfile.gettempdir()) / f"{settings.release}-executor.holder")
    lease.succeed(predecessor.take_over(lease.holder))
    return lease


def _ledger(
    settings: Settings, cluster: ClusterParts, keeper: LeaseKeeper, clock: Clock, bucket: LockedBucket | None
) -> DurableLedger:
    path = Path(settings.ledger_path) if settings.ledger_path else None
    if path is None and bucket is None:
        sinks = "FINOPS_LEDGER_PATH or FINOPS_LEDGER_S3"
        logger.warning("the ledger has no second sink (%s): nothing will be acted upon", sinks)
    if not settings.ledger_signing_key:
        raise InvalidInput(
            "no key signs the ledger",
            field="FINOPS_LEDGER_SIGNING_KEY",
            hint="the chart makes one; by hand: openssl genpkey -algorithm ed25519",
        )
    keys = Keyring.of(settings.ledger_signing_key, settings.ledger_trusted_keys)
    connection = open_ledger_connection(settings.redis_url, prefix=settings.redis_prefix)
    witness = ClusterWitness(
        cluster.connection,
        namespace=settings.namespace,
        lease_name=f"{settings.release}-executor",
        config_map=f"{settings.release}-ledger-anchor",
        lease=keeper.lease,
        events=cluster.events,
    )
    return open_ledger(
        connection,
        path,
        keys=keys,
        clock=clock,
        fence=lambda: keeper.fence,
        passage=killpoint,
        witness=witness,
        log=LogSink(sys.stdout.buffer) if settings.ledger_log else None,
        bucket=bucket,
    )


def _protection(
    settings: Settings, cluster: ClusterParts, ledger: DurableLedger, clock: Clock, keeper: LeaseKeeper
) -> Protection:
    @cache
    def admission() -> AdmissionPolicies:
        operator, _ = Access(cluster.connection).username()
        bot = settings.slack_attester or f"system:serviceaccount:{settings.namespace}:{settings.release}-slackbot"
        prefix = f"{settings.release}-{settings.namespace}"
        expected = policies(operator, {"slack": bot}, prefix, settings.watch_namespaces)
        return AdmissionPolicies(cluster.connection, expected)

    return Protection(lambda: admission().read(), ledger, clock, keeper.may_write)
