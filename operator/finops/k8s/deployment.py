"""What our own Deployment says of us: which installation we are and how many replicas are wanted.

Read by the operator when it takes over, and when it is asked to end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubernetes import client

from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors


@dataclass(frozen=True, slots=True)
class OwnDeployment:
    """One Deployment, by name."""

    connection: Connection
    namespace: str
    name: str

    def replicas(self, seconds: float = REQUEST_TIMEOUT[1]) -> int | None:
        """Return the wanted replicas, None when there is no such Deployment.

        Args:
            seconds: how long the API server may take to answer, and to be connected to before that.

        Raises:
            Refused, ClusterUnavailable: not known now.
        """
        found = self._read(seconds)
        if found is None:
            return None
        return int(found.spec.replicas) if found.spec.replicas is not None else 1

    def uid(self) -> str:
        """Return its uid, which an upgrade keeps and a new installation does not; empty when there is none.

        Raises:
            Refused, ClusterUnavailable: not known now.
        """
        found = self._read()
        return "" if found is None else str(found.metadata.uid)

    def _read(self, seconds: float = REQUEST_TIMEOUT[1]) -> Any:
        timeout = (min(REQUEST_TIMEOUT[0], seconds), seconds)
        try:
            with cluster_errors(f"read Deployment {self.name}"):
                return client.AppsV1Api(self.connection.api).read_namespaced_deployment(
                    self.name, self.namespace, _request_timeout=timeout
                )
        except NotFound:
            return None
