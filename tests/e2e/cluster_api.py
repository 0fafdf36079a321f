"""A real API server as these tests use it: objects of our kinds, as any user, refused or not."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, config

from finops.crds.crd import GROUP, VERSION
from finops.crds.generate import KINDS

CRDS = {kind.crd.kind: kind.crd for kind in KINDS}
Object = dict[str, Any]


@dataclass(slots=True)
class Cluster:
    """The API server behind a kubeconfig, and a namespace of this run."""

    kubeconfig: str
    namespace: str
    cleanups: list[Callable[[], object]] = field(default_factory=list)

    def api(self, user: str = "", group: str = "") -> client.ApiClient:
        """A client of the administrator, or of a user (and one group) it speaks for."""
        made: client.ApiClient = config.new_client_from_config(self.kubeconfig)
        if user:
            made.set_default_header("Impersonate-User", user)
        if group:
            made.set_default_header("Impersonate-Group", group)
        return made

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 50) -> str:
        """What kubectl prints, as the administrator."""
        command = ["kubectl", "--kubeconfig", self.kubeconfig, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds, input=stdin).stdout

    def create(self, *objects: Object) -> None:
        """Create objects of any kind, in order."""
        self.kubectl("create", "-f", "-", stdin="\n---\n".join(map(json.dumps, objects)))

    def create_namespace(self, name: str) -> None:
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def delete_namespace(self, name: str) -> None:
        """Delete it with all that is in it, and wait for the end."""
        self.kubectl("delete", "namespace", name, "--timeout=120s", seconds=130)

    def kind(self, kind: str, user: str = "", group: str = "", namespace: str = "") -> KindClient:
        return KindClient(self, kind, client.CustomObjectsApi(self.api(user, group)), namespace or self.namespace)


@dataclass(frozen=True, slots=True)
class KindClient:
    """One kind in one namespace, as one user. Every method raises ApiException when the server refuses."""

    cluster: Cluster
    kind: str
    objects: client.CustomObjectsApi
    namespace: str

    def _where(self) -> Object:
        crd = CRDS[self.kind]
        where = {"group": GROUP, "version": VERSION, "plural": crd.plural}
        return {**where, "namespace": self.namespace} if crd.scope == "Namespaced" else where

    def _call(self, verb: str, **arguments: Any) -> Object:
        scope = "namespaced" if CRDS[self.kind].scope == "Namespaced" else "cluster"
        suffix = "_status" if verb.endswith("_status") else ""
        verb = verb.removesuffix("_status")
        method = getattr(self.objects, f"{verb}_{scope}_custom_object{suffix}")
        answer: Object = method(**self._where(), **arguments)
        return answer

    def create(self, body: Object) -> Object:
        """Create spec and metadata; cluster-wide objects are removed when the run ends."""
        made = self._call("create", body={key: value for key, value in body.items() if key != "status"})
        if CRDS[self.kind].scope == "Cluster":
            name = made["metadata"]["name"]
            self.cluster.cleanups.append(lambda: self._call("delete", name=name))
        return made

    def patch(self, name: str, body: Object) -> Object:
        return self._call("patch", name=name, body=body)

    def patch_status(self, name: str, body: Object) -> Object:
        return self._call("patch_status", name=name, body=body)

    def replace_status(self, name: str, body: Object) -> Object:
        return self._call("replace_status", name=name, body=body)

    def get(self, name: str) -> Object:
        return self._call("get", name=name)

    def delete(self, name: str) -> Object:
        return self._call("delete", name=name)


def unique_name(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def refusal(error: client.ApiException) -> tuple[int, str]:
    """The status code and the message of the Status object the server answered with."""
    return error.status, json.loads(str(error.body))["message"]
