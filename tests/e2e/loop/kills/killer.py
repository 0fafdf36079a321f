"""Kills without grace: pods of every component, the API server, and an operator that stands still beyond its lease."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from tests.e2e.cluster import Object, wait_until
from tests.e2e.loop.world import Loop

_LOGGED: Final = ("operator", "slackbot")


class Kill(Enum):
    """Who is killed."""

    OPERATOR = "operator"
    BOT = "slackbot"
    STORE = "valkey"
    API_SERVER = "API server"
    STANDS_STILL = "operator stands still beside a second one"


_WEIGHTS: Final = {Kill.OPERATOR: 9, Kill.BOT: 4, Kill.STORE: 5, Kill.API_SERVER: 2}


def choose(kills: int, chance: random.Random, *, two_operators: bool) -> list[Kill]:
    """Return who is killed in a batch, in which order: everybody by their weight, whatever the order."""
    total = sum(_WEIGHTS.values())
    chosen = [kill for kill, weight in _WEIGHTS.items() for _ in range(kills * weight // total)]
    chosen += chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=kills - len(chosen))
    chance.shuffle(chosen)
    if two_operators and len(chosen) > 1:
        chosen[len(chosen) // 2] = Kill.STANDS_STILL
    return chosen


@dataclass(slots=True)
class Killer:
    """Strikes one release. `folder` keeps the logs of the dead."""

    loop: Loop
    chance: random.Random
    note: Callable[[str], None]
    folder: Path
    _deaths: int = field(default=0)

    def strike(self, kill: Kill) -> None:
        """Kill somebody at once; returns before the successor is there, but not before the API server answers."""
        self._deaths += 1
        self.keep_scheduler()
        if kill is Kill.API_SERVER:
            self.note("the API server is killed")
            self.loop.cluster.restart_api_server()
            self.note("the API server answers again")
        elif kill is Kill.STANDS_STILL:
            self._stand_still()
        else:
            self._delete_a_pod(kill.value)

    def operators(self, count: int) -> None:
        """Let that many operators run, of which one holds the lease."""
        release = self.loop.release
        self.loop.cluster.kubectl(
            *("scale", f"deploy/{release.full_name}", "-n", release.namespace, f"--replicas={count}")
        )

        def run() -> bool:
            self.keep_scheduler()
            return len(self._running("operator")) == count

        wait_until(f"{count} operators run", run, seconds=150)

    def keep_scheduler(self) -> None:
        """Start the scheduler anew when it has ended: nobody else does, and no killed pod would get a successor.

        It ends by itself when pods that it knew come back on another node, which it may believe after the API server
        was killed.
        """
        if not any(b"bin/kube-scheduler" in one for one in _command_lines()):
            self.note("the cluster's scheduler had ended, it is started again")
            self.loop.cluster.restart("kube-scheduler")

    def keep_logs(self) -> None:
        """Keep what the living said too."""
        for component in _LOGGED:
            for pod in self._running(component):
                self._keep_log(pod)

    def _delete_a_pod(self, component: str) -> None:
        release = self.loop.release
        pods = wait_until(f"a pod of {component}", lambda: release.pods(component), seconds=60)
        pod = self.chance.choice(pods)
        if component in _LOGGED:
            self._keep_log(pod)
        name = pod["metadata"]["name"]
        force = ("--grace-period=0", "--force", "--wait=false", "--ignore-not-found")
        self.loop.cluster.kubectl("delete", "pod", name, "-n", release.namespace, *force)
        self.note(f"{component} {name} is killed")

    def _stand_still(self) -> None:
        """Stop the leader's processes until another operator has the lease, and let them go on while that one acts."""
        wait_until("two operators run", lambda: len(self._running("operator")) == 2, seconds=90)
        leader = wait_until("an operator holds the lease", self._leader, seconds=90)
        pids = _processes_of(leader["metadata"]["uid"])
        assert pids, f"no process of {leader['metadata']['name']} on this machine"
        _signal(pids, signal.SIGSTOP)
        self.note(f"operator {leader['metadata']['name']} stands still")
        try:
            wait_until("another operator holds the lease", lambda: self._is_succeeded(leader), seconds=90)
            time.sleep(self.chance.uniform(0, 3))
        finally:
            _signal(pids, signal.SIGCONT)
        self.note(f"operator {leader['metadata']['name']} goes on, beside {self._holder()}")

    def _leader(self) -> Object | None:
        holder = self._holder()
        return next((pod for pod in self._running("operator") if pod["metadata"]["name"] in holder), None)

    def _is_succeeded(self, leader: Object) -> bool:
        holder = self._holder()
        return bool(holder) and leader["metadata"]["name"] not in holder

    def _holder(self) -> str:
        leases = self.loop.cluster.list("leases", self.loop.release.namespace)
        return next((str(one["spec"].get("holderIdentity") or "") for one in leases), "")

    def _running(self, component: str) -> list[Object]:
        pods = self.loop.release.pods(component)
        return [
            pod for pod in pods if pod["status"]["phase"] == "Running" and not pod["metadata"].get("deletionTimestamp")
        ]

    def _keep_log(self, pod: Object) -> None:
        name = pod["metadata"]["name"]
        said = self.loop.cluster.try_kubectl("logs", name, "-n", self.loop.release.namespace, "--all-containers")
        (self.folder / f"{self._deaths:03}-{name}.log").write_text(said.stdout + said.stderr, encoding="utf-8")


def _processes_of(pod_uid: str) -> list[int]:
    """Return the processes of a pod: the nodes of the test cluster run on this machine.

    The pod's own process, which does nothing but wait, is left alone: stopping it stops nobody.
    """
    names = {pod_uid, pod_uid.replace("-", "_")}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            groups = (folder / "cgroup").read_text(encoding="utf-8")
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(name in groups for name in names) and b"finops" in command:
            found.append(int(folder.name))
    return found


def _command_lines() -> Iterator[bytes]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
