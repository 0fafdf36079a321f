"""Opens a connection to a cluster and translates the client's errors.

Called by every composition root: pods use their service account, people their kubeconfig.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import urllib3
import yaml
from kubernetes import client, config

from finops.errors import ClusterUnavailable, Conflict, FinopsError, InvalidInput, Refused

REQUEST_TIMEOUT: Final = (5.0, 30.0)
"""Seconds to connect and to read, for every request that is not a watch."""
_GONE: Final = 410


class NotFound(FinopsError):
    """The object, or the kind itself, does not exist."""


class WatchExpired(FinopsError):
    """The server no longer has the history we ask for: list again."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A configured API client; `source` says where the configuration came from, `namespace` its default namespace."""

    api: client.ApiClient
    source: str
    namespace: str


def connect(kubeconfig: str = "", context: str = "") -> Connection:
    """Connect by `kubeconfig` and `context` if given, else as the pod we run in, else by the user's kubeconfig.

    Raises:
        InvalidInput: there is no configuration, the file is malformed, or the context does not exist.
    """
    configuration = client.Configuration()
    # The SDK would repeat a POST whose answer was lost; our callers decide what may be repeated.
    configuration.retries = urllib3.Retry(total=0, redirect=0, connect=2, read=0)
    try:
        if not kubeconfig and not context and os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
            return Connection(client.ApiClient(configuration), "service account", _pod_namespace())
        config.load_kube_config(
            config_file=kubeconfig or None, context=context or None, client_configuration=configuration
        )
        contexts, active = config.list_kube_config_contexts(config_file=kubeconfig or None)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, LookupError) as error:
        raise InvalidInput(
            f"no usable Kubernetes configuration: {error}",
            field="KUBECONFIG",
            source=kubeconfig,
            hint="set KUBECONFIG or pass --kubeconfig and --context",
        ) from error
    chosen = next((item for item in contexts if item["name"] == context), active)
    namespace = str(chosen["context"].get("namespace") or "default")
    return Connection(client.ApiClient(configuration), f"context {chosen['name']}", namespace)


def _pod_namespace() -> str:
    path = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a fixed path of the platform
            return file.read().strip() or "default"
    except OSError:
        return "default"


@contextmanager
def cluster_errors(what: str) -> Iterator[None]:
    """Turn the client's errors into ours around one request; `what` completes the sentence "cannot …".

    Raises:
        NotFound, Conflict, Refused, InvalidInput, WatchExpired, ClusterUnavailable: see finops.errors.
    """
    try:
        yield
    except client.ApiException as error:
        raise _translate(what, error) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise ClusterUnavailable(f"cannot {what}: the Kubernetes API does not answer: {error}") from error


def _translate(what: str, error: client.ApiException) -> FinopsError:
    reason, message = _status_of(error)
    text = f"cannot {what}: {message}"
    if error.status == 404:
        return NotFound(text, code=reason or "NotFound")
    if error.status == 409:
        return Conflict(text, code=reason or "Conflict")
    if error.status == _GONE:
        return WatchExpired(text, code="Expired")
    if error.status in {401, 403}:
        return Refused(text, code=reason or "Forbidden", hint="ask an administrator for this right")
    if error.status in {400, 422}:
        # A validating admission policy answers 422 like a schema error, but it is a refusal, not a typing mistake.
        if "ValidatingAdmissionPolicy" in message:
            return Refused(text, code="AdmissionRefused")
        return InvalidInput(text, code=reason or "Invalid")
    return ClusterUnavailable(text, code=reason or f"Http{error.status}")


def _status_of(error: client.ApiException) -> tuple[str, str]:
    try:
        body: Any = json.loads(error.body or "")
    except ValueError:
        return "", str(error.reason or error.body or error)
    if not isinstance(body, dict):
        return "", str(body)
    return str(body.get("reason", "")), str(body.get("message") or error.reason)
