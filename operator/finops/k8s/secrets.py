"""Creates one named Secret when it is absent; used by the chart's hook Job alone. Nothing here lists secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubernetes import client

from finops.errors import Conflict
from finops.k8s.connection import REQUEST_TIMEOUT, Connection, NotFound, cluster_errors


def create_once(
    connection: Connection,
    namespace: str,
    name: str,
    make: Callable[[], Mapping[str, str]],
    labels: Mapping[str, str] | None = None,
) -> bool:
    """Create the Secret from what `make` returns unless it exists; return whether it was created.

    Raises:
        Refused, ClusterUnavailable, InvalidInput.
    """
    api = client.CoreV1Api(connection.api)
    try:
        with cluster_errors(f"read Secret {namespace}/{name}"):
            api.read_namespaced_secret(name, namespace, _request_timeout=REQUEST_TIMEOUT)
    except NotFound:
        body = client.V1Secret(
            metadata=client.V1ObjectMeta(name=name, labels=dict(labels or {})), string_data=dict(make()), type="Opaque"
        )
        try:
            with cluster_errors(f"create Secret {namespace}/{name}"):
                api.create_namespaced_secret(namespace, body, _request_timeout=REQUEST_TIMEOUT)
        except Conflict:
            return False
        return True
    return False
