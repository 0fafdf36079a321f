"""Creates one named Secret, and completes it later. Used by the chart's Job alone; nothing here lists secrets."""

from __future__ import annotations

import base64
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


def update_once(
    connection: Connection, namespace: str, name: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]
) -> bool:
    """Write what `change` returns for the Secret's values (key → text) into it; return whether it was anything.

    Keys that `change` does not name stay as they are. Nothing is written over a change that somebody made meanwhile.

    Raises:
        NotFound, Conflict, Refused, ClusterUnavailable, InvalidInput.
    """
    api = client.CoreV1Api(connection.api)
    with cluster_errors(f"read Secret {namespace}/{name}"):
        secret = api.read_namespaced_secret(name, namespace, _request_timeout=REQUEST_TIMEOUT)
    kept = {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in (secret.data or {}).items()}
    changed = change(kept)
    if not changed:
        return False
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in changed.items()}
    secret.data = {**(secret.data or {}), **encoded}
    with cluster_errors(f"update Secret {namespace}/{name}"):
        api.replace_namespaced_secret(name, namespace, secret, _request_timeout=REQUEST_TIMEOUT)
    return True
