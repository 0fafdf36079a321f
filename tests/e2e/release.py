"""One installation of the chart: installed, asked, broken and removed by the tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.cluster import CHART, Object, RealCluster, wait_until

IMAGE = ("--set", "image.tag=test", "--set", "image.pullPolicy=Always")
"""The images under test; their tag is built again and again, so a node must not trust its copy."""

PART = "app.kubernetes.io/part-of=finops-operator"
LEDGER_FILE = "/var/lib/finops/ledger/ledger.jsonl"


@dataclass(frozen=True, slots=True)
class Release:
    """A Helm release. `program` is the Helm that handles it."""

    cluster: RealCluster
    namespace: str
    program: str = "helm"
    name: str = "finops"

    @property
    def full_name(self) -> str:
        return f"{self.name}-finops-operator"

    def install(self, *options: str, owned: bool = False) -> str:
        """Install, wait until all is ready, and return what Helm prints: status and NOTES.

        The kinds outlive every release, so each one takes them over; `owned` are they after its own uninstall.
        """
        return self._deploy("install", *([] if owned else ["--take-ownership"]), *options)

    def install_at_once(self, *options: str) -> str:
        """Install without waiting for any pod."""
        where = ("--namespace", self.namespace, "--take-ownership")
        return self.cluster.helm("install", self.name, str(CHART), *where, *options, program=self.program, seconds=30)

    def upgrade(self, *options: str) -> str:
        return self._deploy("upgrade", *options)

    def _deploy(self, command: str, *options: str) -> str:
        where = ("--namespace", self.namespace)
        patience = ("--wait", "--timeout", "150s")
        return self.cluster.helm(
            command, self.name, str(CHART), *where, *IMAGE, *patience, *options, program=self.program
        )

    def helm(self, *arguments: str) -> str:
        return self.cluster.helm(*arguments, "--namespace", self.namespace, program=self.program)

    def uninstall(self) -> str:
        return self.helm("uninstall", self.name, "--wait", "--timeout", "60s")

    def remove_if_left(self) -> None:
        """Uninstall what a failed test left: two operators that watch the same namespaces overwrite each other."""
        where = ("--namespace", self.namespace, "--ignore-not-found", "--wait", "--timeout", "60s")
        self.cluster.helm("uninstall", self.name, *where, program=self.program)

    def remove_kept(self) -> None:
        """Remove the admission policies that uninstalling keeps: they would refuse the writes of other releases."""
        kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings"
        self.cluster.kubectl("delete", kinds, "-l", f"app.kubernetes.io/instance={self.name},{PART}")

    def pods(self, component: str) -> list[Object]:
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        return self.cluster.list("pods", self.namespace, selector)

    def restarts(self, component: str) -> int:
        """How often the containers of a component ended and began again by themselves."""
        return sum(
            status["restartCount"] for pod in self.pods(component) for status in pod["status"]["containerStatuses"]
        )

    def kill(self, component: str) -> None:
        """Delete its pods without grace, and wait until their successors are ready."""
        dead = self.strike(component)
        self.wait_ready(component, but_not=dead)

    def strike(self, component: str) -> frozenset[str]:
        """Delete its pods without grace; returns the uids of the dead at once."""
        pods = self.pods(component)
        names = [pod["metadata"]["name"] for pod in pods]
        self.cluster.kubectl(
            "delete", "pod", *names, "-n", self.namespace, "--grace-period=0", "--force", "--wait=false"
        )
        return frozenset(pod["metadata"]["uid"] for pod in pods)

    def wait_ready(
        self,
        component: str,
        but_not: frozenset[str] = frozenset(),
        seconds: float = 60,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Wait until its pods are ready, all of them others than `but_not`; `meanwhile` is called between readings."""

        def ready() -> bool:
            meanwhile()
            pods = self.pods(component)
            return bool(pods) and all(_is_ready(pod) and pod["metadata"]["uid"] not in but_not for pod in pods)

        wait_until(f"{component} of {self.namespace} ready again", ready, seconds=seconds)

    def finops(self, *arguments: str, ends: int = 0) -> str:
        """Run the command `finops` where the operator runs, with its settings; returns what it prints."""
        done = self.cluster.try_kubectl(
            "exec", "-n", self.namespace, f"deploy/{self.full_name}", "-c", "operator", "--", "finops", *arguments
        )
        assert done.returncode == ends, f"finops {' '.join(arguments)}: {done.returncode} {done.stderr}"
        return done.stdout

    def ledger(self) -> list[Object]:
        """Every record of the ledger, from the store."""
        return [json.loads(line)["record"] for line in self.finops("audit", "export").splitlines()]

    def assert_ledger_intact(self) -> None:
        """The stream and the file on the volume verify, and tell the same story."""

        def same_story() -> bool:
            stream, file = self.verified(), self.verified("--file", LEDGER_FILE)
            assert stream["ok"], stream
            assert file["ok"], file
            # The file follows the stream: a moment later it has caught up.
            return bool(stream["head"] == file["head"])

        wait_until("the ledger's two sinks have the same head", same_story, seconds=20)

    def verified(self, *options: str) -> Object:
        """What `finops audit verify` reports."""
        command = ("exec", "-n", self.namespace, f"deploy/{self.full_name}", "-c", "operator", "--")
        done = self.cluster.try_kubectl(*command, "finops", "audit", "verify", "-o", "json", *options)
        report: Object = json.loads(done.stdout)
        return report

    def ledger_file(self) -> str:
        """The lines of the ledger's file on the volume."""
        read = f"import pathlib, sys; sys.stdout.buffer.write(pathlib.Path({LEDGER_FILE!r}).read_bytes())"
        command = ("exec", "-n", self.namespace, f"deploy/{self.full_name}", "-c", "operator", "--")
        return self.cluster.kubectl(*command, "python", "-c", read)

    def checkpoint(self) -> str:
        """What is anchored in the operator's Lease, empty while nothing is."""
        lease = self.cluster.get("lease", f"{self.full_name}-executor", self.namespace)
        return str((lease["metadata"].get("annotations") or {}).get("finops.dev/ledger-checkpoint", ""))

    def secret(self) -> dict[str, str]:
        """The generated passwords and keys, in the clear."""
        data: dict[str, str] = self.cluster.get("secret", f"{self.full_name}-generated", self.namespace)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def valkey(self, *command: str, user: str = "operator", password: str | None = None) -> str:
        """What the store answers to one command of one of its users, errors too."""
        known = self.secret()[f"{user}-password"] if password is None else password
        credentials = ("--user", user, "--pass", known, "--no-auth-warning") if known else ()
        pod = f"{self.full_name}-valkey-0"
        where = ("-n", self.namespace, pod, "-c", "valkey")
        done = self.cluster.try_kubectl("exec", *where, "--", "valkey-cli", *credentials, *command)
        return (done.stdout + done.stderr).strip()

    def cluster_wide(self) -> list[str]:
        """What the release has outside its namespace, the kinds aside."""
        kinds = "clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings"
        selector = f"app.kubernetes.io/instance={self.name},{PART}"
        return self.cluster.kubectl("get", kinds, "-l", selector, "-o", "name").split()


def _is_ready(pod: dict[str, Any]) -> bool:
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = pod["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
