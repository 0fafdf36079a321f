"""Small switches kept in ConfigMaps: the freeze, and which handles are the same person.

Read afresh before every act; written by administrators (and by the operator when the ledger's sinks disagree).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubernetes import client

from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors


class ConfigMaps:
    """ConfigMaps of one namespace."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._api = client.CoreV1Api(connection.api)
        self._namespace = namespace

    def read(self, name: str) -> Mapping[str, str] | None:
        """Return the data, or None when there is no such ConfigMap.

        Raises:
            Refused, ClusterUnavailable: unknown is not "not frozen": callers must treat it as a reason to wait.
        """
        try:
            with cluster_errors(f"read ConfigMap {self._namespace}/{name}"):
                found = self._api.read_namespaced_config_map(name, self._namespace, _request_timeout=REQUEST_TIMEOUT)
        except NotFound:
            return None
        return dict(found.data or {})

    def created(self, name: str) -> datetime | None:
        """Return when the ConfigMap was created, None when there is none. Raises Refused, ClusterUnavailable."""
        try:
            with cluster_errors(f"read ConfigMap {self._namespace}/{name}"):
                found: Any = self._api.read_namespaced_config_map(
                    name, self._namespace, _request_timeout=REQUEST_TIMEOUT
                )
        except NotFound:
            return None
        stamp: datetime | None = found.metadata.creation_timestamp
        return stamp

    def write(self, name: str, data: Mapping[str, str]) -> None:
        """Merge `data` into an existing ConfigMap.

        Raises:
            NotFound, Refused, ClusterUnavailable, Conflict.
        """
        with cluster_errors(f"write ConfigMap {self._namespace}/{name}"):
            self._api.patch_namespaced_config_map(
                name, self._namespace, {"data": dict(data)}, _request_timeout=REQUEST_TIMEOUT
            )
