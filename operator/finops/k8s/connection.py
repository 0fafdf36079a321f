"""Opens a connection to a cluster and translates the client's errors.

Called by every composition root: pods use their service account, people their kubeconfig.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
import yaml
from kubernetes import client
from pydantic import ValidationError

from finops.errors import ClusterUnavailable, Conflict, FinopsError, InvalidInput, Refused

REQUEST_TIMEOUT: Final = (5.0, 30.0)
"""Seconds to connect and to read, for every request that is not a watch."""
_GONE: Final = 410
_UNUSABLE: Final = (
    *(yaml.YAMLError, OSError, ValueError, TypeError, LookupError),
    *(AttributeError, RecursionError),
)
"""What the SDK raises, beside its own error, while it reads a configuration that is none."""
_OBJECT: Final = re.compile(r"^\w+\(host=.*?\): ")


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
    from kubernetes import config  # noqa: PLC0415 - with log-in programs, which the dashboard does not load

    configuration = client.Configuration()
    # The SDK would repeat a POST whose answer was lost; our callers decide what may be repeated.
    configuration.retries = urllib3.Retry(total=0, redirect=0, connect=2, read=0)
    said = _Said()
    try:
        if not kubeconfig and not context and os.environ.get("KUBERNETES_SERVICE_HOST"):
            config.load_incluster_config(client_configuration=configuration)
            return Connection(_ApiClient(configuration), "service account", _pod_namespace())
        with said:
            config.load_kube_config(
                config_file=kubeconfig or None, context=context or None, client_configuration=configuration
            )
        contexts, active = config.list_kube_config_contexts(config_file=kubeconfig or None)
        chosen = next((item for item in contexts if item["name"] == context), active)
        name, namespace = str(chosen["name"]), str(chosen["context"].get("namespace") or "default")
        host = urlsplit(configuration.host)
        usable = host.scheme in {"http", "https"} and host.hostname and host.port != 0
    except config.ConfigException as error:
        raise _no_configuration(str(error), kubeconfig) from error
    except _UNUSABLE as error:
        raise _no_configuration(_why(error), kubeconfig) from error
    if said.problems:
        raise _no_configuration(f"the log-in program of context {name} failed: {said.problems[0]}", kubeconfig)
    if not usable:
        raise _no_configuration(f"the cluster of context {name} has no http:// or https:// address", kubeconfig)
    return Connection(_ApiClient(configuration), f"context {name}", namespace)


class _ForeignAnswerError(Exception):
    """Something answered, and it is not the Kubernetes API."""


class _ApiClient(client.ApiClient):
    """The SDK's client, which hands on whatever a web server or a proxy answers to a question about objects."""

    def deserialize(self, response_text: str, response_type: str, content_type: str | None) -> Any:
        made = super().deserialize(response_text, response_type, content_type)
        if response_type == "object" and not (isinstance(made, dict) and "kind" in made):
            raise _ForeignAnswerError(response_type)
        return made


class _Said(logging.Handler):
    """Listens while the SDK reads a configuration: a log-in program that fails is only logged there, without a name."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.problems: list[str] = []

    def __enter__(self) -> None:
        logging.getLogger().addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "root":
            self.problems += record.getMessage().strip().splitlines()[:1]


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, yaml.YAMLError | OSError):
        return str(error)
    return "the file does not have the form of a kubeconfig"


def _no_configuration(why: str, kubeconfig: str) -> InvalidInput:
    return InvalidInput(
        f"no usable Kubernetes configuration: {why}",
        field="KUBECONFIG",
        source=kubeconfig,
        hint="set KUBECONFIG or pass --kubeconfig and --context",
    )


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
        raise ClusterUnavailable(
            f"cannot {what}: the Kubernetes API does not answer: {_cause(error)}",
            hint="is the API server up and reachable from here, and is it the right context?",
        ) from error
    except (_ForeignAnswerError, ValidationError, JSONDecodeError, UnicodeDecodeError) as error:
        raise ClusterUnavailable(
            f"cannot {what}: what answers is not the Kubernetes API",
            hint="compare the cluster's server in the kubeconfig, and check for a proxy in between",
        ) from error


def _cause(error: Exception) -> str:
    """Return address and reason of an error of the HTTP client, whose own text is made of its objects."""
    reason: object = getattr(error, "reason", None) or error
    pool = getattr(error, "pool", None)
    where = f"{pool.host}:{pool.port}: " if pool is not None else ""
    return where + _OBJECT.sub("", str(reason))


def _translate(what: str, error: client.ApiException) -> FinopsError:
    reason, message = _status_of(error)
    text = f"cannot {what}: {message}"
    if error.status == 404:
        return NotFound(text, code=reason or "NotFound")
    if error.status == 409:
        return Conflict(text, code=reason or "Conflict")
    if error.status == _GONE:
        return WatchExpired(text, code="Expired")
    if error.status == 401:
        hint = "the cluster does not take these credentials: log in again, or choose another --context"
        return Refused(text, code=reason or "Unauthorized", hint=hint)
    if error.status == 403:
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
