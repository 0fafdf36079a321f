"""How many replicas of ourselves are wanted, from our own Deployment; read by the operator when it is asked to end."""

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

    def replicas(self) -> int | None:
        """Return the wanted replicas, None when there is no such Deployment. Raises Refused, ClusterUnavailable."""
        try:
            with cluster_errors(f"read Deployment {self.name}"):
                found: Any = client.AppsV1Api(self.connection.api).read_namespaced_deployment(
                    self.name, self.namespace, _request_timeout=REQUEST_TIMEOUT
                )
        except NotFound:
            return None
        return int(found.spec.replicas) if found.spec.replicas is not None else 1
