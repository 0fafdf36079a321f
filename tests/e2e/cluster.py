"""The real cluster as the chart and loop tests use it: kubectl and helm with time-outs, and patience that speaks.

Only the cluster named by FINOPS_TEST_KUBECONFIG is ever touched: every program gets it by option, none inherits one.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

T = TypeVar("T")
Object = dict[str, Any]
ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "finops-operator"
TESTCLUSTER = "../shared/testcluster/testcluster"
_STRANGERS = ("KUBECONFIG", "AWS_", "SLACK_", "FINOPS_")


def plain_environment() -> dict[str, str]:
    """The environment without anything that could lead a program to another cluster or account."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_STRANGERS)}


def run(
    command: list[str], *, seconds: float, stdin: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever it says."""
    env = {**plain_environment(), **(environment or {})}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=seconds, input=stdin, env=env, cwd=ROOT
    )


def wait_until(what: str, found: Callable[[], T | None], *, seconds: float = 60, every: float = 0.5) -> T:
    """Ask again and again until there is something; the failure says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(every)


@dataclass(slots=True)
class RealCluster:
    """The cluster behind one kubeconfig. `host` is this machine's address as pods reach it."""

    kubeconfig: str
    host: str
    audit_log: Path
    namespaces: list[str] = field(default_factory=list)

    def try_kubectl(
        self, *arguments: str, stdin: str | None = None, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return run(["kubectl", "--kubeconfig", self.kubeconfig, *arguments], seconds=seconds, stdin=stdin)

    def kubectl(self, *arguments: str, stdin: str | None = None, seconds: float = 60) -> str:
        """What kubectl prints; a failure of it fails the test with its own words."""
        done = self.try_kubectl(*arguments, stdin=stdin, seconds=seconds)
        if done.returncode:
            pytest.fail(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def refusal(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl says when the server refuses; that it does not is a failure."""
        done = self.try_kubectl(*arguments, stdin=stdin)
        assert done.returncode != 0, f"the API server took it: kubectl {' '.join(arguments)}\n{done.stdout}"
        return done.stderr

    def get(self, kind: str, name: str, namespace: str) -> Object:
        answer: Object = json.loads(self.kubectl("get", kind, name, "-n", namespace, "-o", "json"))
        return answer

    def find(self, kind: str, name: str, namespace: str) -> Object | None:
        text = self.kubectl("get", kind, name, "-n", namespace, "--ignore-not-found", "-o", "json")
        return json.loads(text) if text else None

    def list(self, kind: str, namespace: str, selector: str = "") -> list[Object]:
        chosen = ["-l", selector] if selector else []
        items: list[Object] = json.loads(self.kubectl("get", kind, "-n", namespace, *chosen, "-o", "json"))["items"]
        return items

    def apply(self, *documents: Object) -> None:
        self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))

    def try_create(self, document: Object, user: str = "") -> subprocess.CompletedProcess[str]:
        """Create one object, as the administrator or as the user it speaks for."""
        speaker = ["--as", user] if user else []
        return self.try_kubectl("create", *speaker, "-f", "-", stdin=json.dumps(document))

    def restart_api_server(self) -> None:
        """Kill it, start it three seconds later, wait until it answers; only of a cluster that the program has made."""
        self.restart("kube-apiserver", "--pause", "3")
        wait_until("the API server is back", lambda: self.try_kubectl("get", "--raw", "/readyz").returncode == 0)

    def restart(self, component: str, *options: str) -> None:
        """Kill a component of the cluster and start it again; only of a cluster that the program has made."""
        program = os.environ.get("FINOPS_TESTCLUSTER", str(ROOT / TESTCLUSTER))
        assert f"KUBECONFIG={self.kubeconfig} " in run([program, "env"], seconds=30).stdout
        done = run([program, "restart", component, *options], seconds=90)
        assert done.returncode == 0, done.stderr

    def create_namespace(self, name: str) -> None:
        """A namespace that enforces Pod Security `restricted`, gone when the tests end."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted", "finops.dev/test": "e2e"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        self.namespaces.append(name)

    def delete_namespace(self, name: str) -> None:
        """Delete it and wait for its end: one that hangs fails here."""
        self.kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=90s", seconds=100)
        if name in self.namespaces:
            self.namespaces.remove(name)

    def helm(self, *arguments: str, program: str = "helm", seconds: float = 200) -> str:
        done = self.try_helm(*arguments, program=program, seconds=seconds)
        if done.returncode:
            pytest.fail(f"{program} {' '.join(arguments)}: {done.stderr.strip()}\n{self._pods_of(arguments)}")
        return done.stdout

    def try_helm(self, *arguments: str, program: str = "helm", seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return run([program, *arguments, "--kubeconfig", self.kubeconfig], seconds=seconds)

    def _pods_of(self, arguments: tuple[str, ...]) -> str:
        """For the message of a failed installation: how the pods stand, and the operator's last words."""
        if "--namespace" not in arguments:
            return ""
        namespace = arguments[arguments.index("--namespace") + 1]
        pods = self.try_kubectl("get", "pods", "-n", namespace).stdout
        component = "app.kubernetes.io/component in (operator, slackbot, secrets)"
        logs = self.try_kubectl("logs", "-n", namespace, "-l", component, "--tail=15", "--prefix").stdout
        return f"{pods}\n{logs}"
