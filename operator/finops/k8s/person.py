"""Speaks to the API server as a person, with the token that this person brought.

Used by the dashboard, which has no identity of its own: what it may read and write in the cluster is what the person
in front of it may, as the API server judges it.
"""

from __future__ import annotations

import copy
import os
import threading
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import Final

import urllib3
from kubernetes import client

from finops.errors import InvalidInput
from finops.k8s.connection import Connection

SERVICE_ACCOUNT_CA: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
"""Where a pod finds the API server's certificate authority; the token beside it is neither needed nor mounted."""
_KEPT: Final = 128
"""Connections that are kept open; each holds a socket or two and its person's token."""


class ApiServer:
    """Where the API server is and how it proves who it is; thread-safe."""

    def __init__(self, configuration: client.Configuration) -> None:
        self._configuration = _without_identity(configuration)
        self._connections: OrderedDict[str, Connection] = OrderedDict()
        self._lock = threading.Lock()

    def as_person(self, token: str) -> Connection:
        """Return a connection that sends `token` with every request; nothing is sent yet."""
        key = sha256(token.encode()).hexdigest()
        with self._lock:
            found = self._connections.pop(key, None) or self._connect(token)
            self._connections[key] = found
            if len(self._connections) > _KEPT:
                self._connections.popitem(last=False)
        return found

    def _connect(self, token: str) -> Connection:
        configuration = copy.deepcopy(self._configuration)
        configuration.api_key = {"authorization": token}
        configuration.api_key_prefix = {"authorization": "Bearer"}
        return Connection(client.ApiClient(configuration), "a person's token", "default")


def api_server(kubeconfig: str = "") -> ApiServer:
    """Return the API server of `kubeconfig`, else the one of the cluster that this pod runs in.

    Credentials in the kubeconfig are not used.

    Raises:
        InvalidInput: there is neither.
    """
    configuration = client.Configuration()
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if host and not kubeconfig:
        if not SERVICE_ACCOUNT_CA.is_file():
            raise InvalidInput(
                f"{SERVICE_ACCOUNT_CA} is missing", hint="mount the ConfigMap kube-root-ca.crt there, as the chart does"
            )
        configuration.host = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        configuration.ssl_ca_cert = str(SERVICE_ACCOUNT_CA)
        return ApiServer(configuration)
    from kubernetes import config  # noqa: PLC0415 - with log-in programs, which no pod loads

    try:
        config.load_kube_config(config_file=kubeconfig or None, client_configuration=configuration)
    except (config.ConfigException, OSError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"no API server is known: {error}", field="KUBECONFIG", hint="set KUBECONFIG, or run it in a pod"
        ) from error
    return ApiServer(configuration)


def _without_identity(configuration: client.Configuration) -> client.Configuration:
    bare = copy.deepcopy(configuration)
    bare.api_key, bare.api_key_prefix = {}, {}
    bare.cert_file = bare.key_file = bare.username = bare.password = None
    bare.refresh_api_key_hook = None
    # A POST whose answer was lost is not repeated: it is a vote.
    bare.retries = urllib3.Retry(total=0, redirect=0, connect=2, read=0)
    return bare
