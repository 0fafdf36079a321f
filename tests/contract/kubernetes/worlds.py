"""The two API servers the contract suite runs on, behind one interface: the double, and a real one.

On the double people have tokens; on the real server the administrator impersonates them, which authorization and
admission cannot tell apart.
"""

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3
import yaml
from kubernetes import client, config

from finops_sandbox.kubernetes import KubernetesDouble

Obj = dict[str, Any]
GROUP = "/apis/contract.finops.dev/v1"
RBAC = "rbac.authorization.k8s.io"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
DEFINITION = Path(__file__).parent / "probe_definition.yaml"


@dataclass(frozen=True)
class Answer:
    """Status, decoded body and warnings of one request."""

    code: int
    body: Any
    warnings: list[str]

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class World(Protocol):
    """One API server with the probe kind installed and a namespace of its own."""

    name: str
    namespace: str
    kubeconfig: Path

    def headers(self, user: str) -> dict[str, str]: ...
    def pool(self) -> tuple[urllib3.PoolManager, str]: ...
    def kubectl_as(self, user: str) -> list[str]: ...


USERS: dict[str, tuple[str, ...]] = {"alice": ("sre",), "bob": ()}


class DoubleWorld:
    """The double."""

    name = "double"

    def __init__(self, double: KubernetesDouble, namespace: str) -> None:
        self._double = double
        self.namespace = namespace
        self.kubeconfig = double.kubeconfig

    def headers(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._double.token(user)}"}

    def pool(self) -> tuple[urllib3.PoolManager, str]:
        return urllib3.PoolManager(ca_certs=str(self._double.ca_file)), self._double.url

    def kubectl_as(self, user: str) -> list[str]:
        return ["--context", user]


class RealWorld:
    """A throw-away cluster named by FINOPS_TEST_KUBECONFIG."""

    name = "real"

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace
        self._settings = client.Configuration()
        config.load_kube_config(str(kubeconfig), client_configuration=self._settings)

    def headers(self, user: str) -> dict[str, str]:
        token = self._settings.api_key.get("BearerToken") or self._settings.api_key.get("authorization") or ""
        headers = {"Authorization": token if token.startswith("Bearer ") else f"Bearer {token}"} if token else {}
        return headers if user == "admin" else {**headers, "Impersonate-User": self._identity(user)}

    def groups(self, user: str) -> Sequence[str]:
        if user == "bot":
            return ("system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", "system:authenticated")
        return (*USERS.get(user, ()), "system:authenticated")

    def pool(self) -> tuple[urllib3.PoolManager, str]:
        s = self._settings
        pool = urllib3.PoolManager(ca_certs=s.ssl_ca_cert, cert_file=s.cert_file, key_file=s.key_file)
        return pool, str(s.host)

    def kubectl_as(self, user: str) -> list[str]:
        if user == "admin":
            return []
        groups = [argument for group in self.groups(user) for argument in ("--as-group", group)]
        return ["--as", self._identity(user), *groups]

    def _identity(self, user: str) -> str:
        return f"system:serviceaccount:{self.namespace}:bot" if user == "bot" else user


@dataclass
class Api:
    """What tests call."""

    world: World
    after_close: list[Callable[[], None]] = field(default_factory=list)
    _clean: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pool, self._url = self.world.pool()
        self.probes = f"{GROUP}/namespaces/{self.world.namespace}/probes"
        self.core = f"/api/v1/namespaces/{self.world.namespace}"

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "admin",
        content_type: str = "application/json",
        accept: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body that is text is sent as it is."""
        headers = urllib3.HTTPHeaderDict({**self.world.headers(user), "Content-Type": content_type, "Accept": accept})
        headers["User-Agent"] = "contract/1"
        if isinstance(self.world, RealWorld) and user != "admin":
            for group in self.world.groups(user):
                headers.add("Impersonate-Group", group)
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        url = self._url + path + (f"?{urlencode(query)}" if query else "")
        response = self._pool.request(method, url, body=data, headers=headers, timeout=20, retries=False)
        text = response.data.decode()
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = {"message": text.strip()}
        return Answer(response.status, decoded, response.headers.getlist("Warning"))

    def watch(self, path: str, *, seconds: int = 1, **query: str) -> list[Obj]:
        """All events of a watch that ends by its time limit."""
        url = f"{self._url}{path}?{urlencode({'watch': '1', 'timeoutSeconds': str(seconds), **query})}"
        response = self._pool.request("GET", url, headers=self.world.headers("admin"), timeout=seconds + 20)
        return [json.loads(line) for line in response.data.decode().splitlines() if line]

    def create(self, spec: Obj, name: str = "p", **metadata: Any) -> Obj:
        """A probe that must be accepted."""
        answer = self.call("POST", self.probes, probe(spec, name, **metadata))
        assert answer.code == 201, answer.body
        return dict(answer.body)

    def install(self, *documents: Obj) -> None:
        """Cluster objects, removed at the end of the test."""
        for document in documents:
            path = collection_of(document)
            answer = self.call("POST", path, document)
            assert answer.code == 201, answer.body
            self._clean.append(f"{path}/{document['metadata']['name']}")

    def close(self) -> None:
        for path in reversed(self._clean):
            self.call("DELETE", path)
        held = [i for i in self.call("GET", self.probes).body["items"] if i["metadata"].get("finalizers")]
        for item in held:
            where = f"{self.probes}/{item['metadata']['name']}"
            self.call("PATCH", where, {"metadata": {"finalizers": None}}, content_type=MERGE)
        self.call("DELETE", self.probes)
        for plural in ("configmaps", "events"):
            self.call("DELETE", f"{self.core}/{plural}")
        for wait in self.after_close:
            wait()


def probe(spec: Obj, name: str = "p", **metadata: Any) -> Obj:
    """A probe document."""
    return {
        "apiVersion": "contract.finops.dev/v1",
        "kind": "Probe",
        "metadata": {"name": name, **metadata},
        "spec": spec,
    }


def collection_of(document: Obj) -> str:
    """The path to post a document of the few kinds the suite installs."""
    version, kind = document["apiVersion"], document["kind"]
    plural = {"ValidatingAdmissionPolicy": "validatingadmissionpolicies"}.get(kind, kind.lower() + "s")
    namespace = document["metadata"].get("namespace")
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"


def eventually(test: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for what a controller does in its own time."""
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def definition() -> Obj:
    """The probe's CustomResourceDefinition."""
    return dict(yaml.safe_load(DEFINITION.read_text(encoding="utf-8")))


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"
