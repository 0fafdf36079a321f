"""Keeps the ledger's latest checkpoint in two objects of the release's namespace: its Lease and a kept ConfigMap.

Whoever owns the ledger's store and volume can write neither. The annotation of the Lease is written only while this
process is its holder, under the version that was read, so that an operator that lost the Lease replaces nothing. The
ConfigMap keeps the checkpoint when the Lease is deleted, and is where an administrator accepts a loss.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from kubernetes import client

from finops.errors import Conflict, FenceLost, FinopsError
from finops.k8s.config_maps import ConfigMaps
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors
from finops.k8s.events import Events
from finops.k8s.lease import Lease
from finops.ports.anchor import Anchored

logger = logging.getLogger(__name__)
ANNOTATION: Final = "finops.dev/ledger-checkpoint"
CHECKPOINT: Final = "checkpoint"
ACCEPT: Final = "accept"
_TRIES: Final = 4
"""The Lease is renewed at the same time by another thread, a few times a minute."""


class ClusterWitness:
    """Implements finops.ports.anchor.Witness."""

    def __init__(
        self,
        connection: Connection,
        *,
        namespace: str,
        lease_name: str,
        config_map: str,
        lease: Lease,
        events: Events,
    ) -> None:
        self._leases = client.CoordinationV1Api(connection.api)
        self._maps = ConfigMaps(connection, namespace)
        self._namespace, self._lease_name, self._config_map = namespace, lease_name, config_map
        self._lease, self._events = lease, events
        self._missed = False

    def read(self) -> Anchored:
        kept = self._maps.read(self._config_map)
        found = {
            f"Lease {self._lease_name}": _annotation(self._read_lease()),
            f"ConfigMap {self._config_map}": (kept or {}).get(CHECKPOINT, ""),
        }
        return Anchored({place: text for place, text in found.items() if text}, (kept or {}).get(ACCEPT, "").strip())

    def write(self, text: str) -> None:
        self._annotate(text)
        try:
            self._maps.write(self._config_map, {CHECKPOINT: text, ACCEPT: ""})
        except NotFound:
            if not self._missed:
                logger.warning(
                    "ConfigMap %s is missing: the ledger's checkpoint is in the Lease alone", self._config_map
                )
            self._missed = True

    def how_to_accept(self, accepted: str) -> str:
        return (
            f"kubectl -n {self._namespace} patch configmap {self._config_map} --type merge "
            f"""-p '{{"data":{{"{ACCEPT}":"{accepted}"}}}}'"""
        )

    def announce(self, text: str) -> None:
        logger.warning("%s", text)
        about = client.V1ObjectReference(
            api_version="coordination.k8s.io/v1", kind="Lease", name=self._lease_name, namespace=self._namespace
        )
        try:
            self._events.publish_about(about, reason="LedgerAnchor", note=text, action="Anchor", type_="Warning")
        except FinopsError as error:
            logger.info("no event about the ledger's anchor: %s", error)

    def _read_lease(self) -> Any:
        try:
            with cluster_errors(f"read Lease {self._lease_name}"):
                return self._leases.read_namespaced_lease(
                    self._lease_name, self._namespace, _request_timeout=REQUEST_TIMEOUT
                )
        except NotFound:
            return None

    def _annotate(self, text: str) -> None:
        for _ in range(_TRIES):
            lease, held = self._read_lease(), self._lease.guard()
            owned = lease is not None and (lease.spec.holder_identity, lease.spec.lease_transitions) == (
                self._lease.holder,
                held.fence,
            )
            if not owned:
                raise FenceLost("the ledger's checkpoint is not anchored: the Lease is not ours any more")
            lease.metadata.annotations = {**(lease.metadata.annotations or {}), ANNOTATION: text}
            try:
                with cluster_errors(f"write Lease {self._lease_name}"):
                    self._leases.replace_namespaced_lease(
                        self._lease_name, self._namespace, lease, _request_timeout=REQUEST_TIMEOUT
                    )
            except Conflict:
                continue
            return
        raise Conflict(f"Lease {self._lease_name} changed at each of {_TRIES} tries to anchor the ledger's checkpoint")


def _annotation(lease: Any) -> str:
    return "" if lease is None else str((lease.metadata.annotations or {}).get(ANNOTATION, ""))
