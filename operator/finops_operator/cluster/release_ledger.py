"""Opens the ledger of a release: store, file, keys, and the witness of its checkpoints in the cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from finops.errors import InvalidInput
from finops.k8s.connection import Connection
from finops.k8s.events import Events
from finops.k8s.lease import Lease
from finops.k8s.witness import ClusterWitness
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.signing import Keyring
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.connection import open_ledger_connection

logger = logging.getLogger(__name__)


def open_release_ledger(
    settings: Settings,
    connection: Connection,
    lease: Lease,
    events: Events,
    clock: Clock,
    *,
    fence: Callable[[], int],
    passage: Callable[[str], None],
) -> DurableLedger:
    """Return the ledger that the settings name, anchored in the release's Lease and ConfigMap.

    Raises:
        InvalidInput: no key signs it, or a key cannot be used.
    """
    path = Path(settings.ledger_path) if settings.ledger_path else None
    if path is None:
        logger.warning("the ledger has no second sink (FINOPS_LEDGER_PATH): nothing will be acted upon")
    if not settings.ledger_signing_key:
        raise InvalidInput(
            "no key signs the ledger",
            field="FINOPS_LEDGER_SIGNING_KEY",
            hint="the chart makes one; by hand: openssl genpkey -algorithm ed25519",
        )
    keys = Keyring.of(settings.ledger_signing_key, settings.ledger_trusted_keys)
    witness = ClusterWitness(
        connection,
        namespace=settings.namespace,
        lease_name=f"{settings.release}-executor",
        config_map=f"{settings.release}-ledger-anchor",
        lease=lease,
        events=events,
    )
    store = open_ledger_connection(settings.redis_url, prefix=settings.redis_prefix)
    return open_ledger(store, path, keys=keys, clock=clock, fence=fence, passage=passage, witness=witness)
