"""Everything around the operators of chaos runs: AWS double, API server double, store, and what can be done to them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.chaos_operator import Order
from tests.chaos.chaos_resources import members
from tests.support.act_world import ACCOUNT, ESTATE, REGION, FastClock
from tests.support.operator_estate import PEOPLE, SYSTEM, manifests
from tests.support.valkey import ValkeyProcess, running_valkey

from finops.k8s.witness import ANNOTATION
from finops.ledger.lines import line_of
from finops.store.connection import open_ledger_connection
from finops.store.ledger import LedgerStream, unchecked
from finops_operator.plugins.loaded import plugins
from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import resource_id
from finops_sandbox.kubernetes import KubernetesDouble, User

Obj = dict[str, Any]
ROOT: Final = Path(__file__).parents[2]
SPEED: Final = 60.0
_DELAYS: Final = Delays(state_seconds=0.03, status_check_seconds=0.03, snapshot_seconds=0.03, modification_seconds=0.03)
_START_SECONDS: Final = 30.0


@dataclass(slots=True)
class OperatorProcess:
    """One operator as the run sees it: a process id and a line to its boundaries."""

    pid: int
    line: socket.socket
    log: Path
    _text: str = ""
    gone: bool = False

    def messages(self, seconds: float) -> list[Obj]:
        """Return what it says within `seconds`; sets `gone` when it has ended."""
        self.line.settimeout(max(seconds, 0.001))
        with suppress(TimeoutError, ConnectionResetError):
            data = self.line.recv(65536)
            self.gone = self.gone or not data
            self._text += data.decode()
        *lines, self._text = self._text.split("\n")
        return [json.loads(line) for line in lines]

    def go_on(self) -> None:
        """Let it pass the boundary at which it stands."""
        with suppress(OSError):
            self.line.sendall(b".")

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def stand_still(self, seconds: float = 20.0) -> None:
        """Stop it where it is; returns when every thread stands.

        The signal comes into force when one of its threads runs next: on a busy machine another one gets on meanwhile.
        """
        self.signal(signal.SIGSTOP)
        deadline = time.monotonic() + seconds
        while not self._stands():
            assert time.monotonic() < deadline, f"process {self.pid} does not stand still"
            time.sleep(0.005)

    def _stands(self) -> bool:
        # proc(5): the state is the first field after the command's name, which is in parentheses.
        tasks = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(one.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T" for one in tasks)

    def stop(self, seconds: float = 20.0) -> Obj:
        """Ask it to end; return what it says at its end. A process that does not end is killed and says so."""
        self.signal(signal.SIGTERM)
        deadline, said = time.monotonic() + seconds, {}
        while not self.gone and time.monotonic() < deadline:
            for message in self.messages(0.2):
                said.update(message)
        if not self.gone:
            self.signal(signal.SIGKILL)
            said["killed"] = True
        self.line.close()
        return said


@dataclass(slots=True, kw_only=True)
class Doubles:
    """What stands around the operators; each run has a namespace, a ledger and a lease of its own.

    Attributes:
        prefix: of the keys of all runs, each of which finds the store empty; empty: each has one of its own.
        speed: seconds of the operators' clock in a real one.
    """

    directory: Path
    aws: AwsDouble
    k8s: KubernetesDouble
    valkey: ValkeyProcess
    prefix: str = ""
    speed: float = SPEED
    taken: int = 0

    def fresh(self) -> Place:
        """Return a place for the next run, with AWS as it was."""
        self.taken += 1
        self.aws.control.reset()
        place = Place(self, f"t{self.taken}", FastClock(time.time(), self.speed))
        place.prepare()
        return place


@dataclass(slots=True, kw_only=True)
class ChaosWorld(Doubles):
    """The doubles and the store of one worker, and its operators, each a process."""

    zygote: subprocess.Popen[str]
    listener: socket.socket
    living: list[OperatorProcess] = field(default_factory=list)

    def start(self, order: Order) -> OperatorProcess:
        """Start an operator; returns when it has said its process id."""
        Path(order.folder).mkdir(parents=True, exist_ok=True)
        assert self.zygote.stdin is not None
        self.zygote.stdin.write(json.dumps(asdict(order)) + "\n")
        self.zygote.stdin.flush()
        self.listener.settimeout(_START_SECONDS)
        line, _ = self.listener.accept()
        process = OperatorProcess(0, line, Path(order.folder) / "log")
        deadline = time.monotonic() + _START_SECONDS
        while not process.pid and time.monotonic() < deadline and not process.gone:
            for message in process.messages(1.0):
                process.pid = int(message["pid"])
        assert process.pid, process.log.read_text(encoding="utf-8")
        self.living.append(process)
        return process

    def bury(self) -> None:
        """Kill whatever a run left alive, and let the store go on."""
        self.wake_store()
        for process in self.living:
            if not process.gone:
                process.signal(signal.SIGKILL)
            process.line.close()
        self.living.clear()

    def hang_store(self) -> None:
        assert self.valkey.process is not None
        self.valkey.process.send_signal(signal.SIGSTOP)

    def wake_store(self) -> None:
        assert self.valkey.process is not None
        self.valkey.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens."""

    world: Doubles
    namespace: str
    clock: FastClock

    @property
    def ledger_path(self) -> Path:
        return self.world.directory / self.namespace / "ledger.jsonl"

    @property
    def prefix(self) -> str:
        return self.world.prefix or f"{self.namespace}:"

    def prepare(self) -> None:
        """Install what an administrator does for this namespace; the freeze is lifted and no status is refused."""
        self.ledger_path.parent.mkdir(parents=True)
        core = {"apiVersion": "v1"}
        maps = ("finops-operator-freeze", f"anchor-{self.namespace}")
        self.world.k8s.apply(
            {**core, "kind": "Namespace", "metadata": {"name": self.namespace}},
            *(
                {**core, "kind": "ConfigMap", "metadata": {"name": name, "namespace": SYSTEM}, "data": {}}
                for name in maps
            ),
            account([self.namespace]),
            policy(self.namespace),
            *refusing(self.namespace, refused=False),
        )

    def order(self, pod: str, *, stop_at: str = "", without: str = "") -> Order:
        """Return the order for an operator in a pod."""
        world = self.world
        return Order(
            control=f"{world.directory}/control.sock",
            kubeconfig=str(world.k8s.kubeconfig_for("operator")),
            redis=world.valkey.url,
            prefix=self.prefix,
            ledger=str(self.ledger_path),
            namespace=self.namespace,
            case=self.namespace,
            base=self.clock.base,
            speed=self.clock.speed,
            folder=str(world.directory / self.namespace / pod),
            stop_at=stop_at,
            without=without,
        )

    def objects(self, plural: str) -> tuple[Obj, ...]:
        """Return this run's objects of a kind of ours."""
        found = self.world.k8s.objects(f"{plural}.finops.dev")
        return tuple(one for one in found if one["metadata"].get("namespace") == self.namespace)

    def state(self, uid: str = "") -> str:
        """Return the state of a request, of the only one without `uid`; empty while it has none."""
        found = (one for one in self.objects("actionrequests") if uid in {"", one["metadata"]["uid"]})
        return next((str(one.get("status", {}).get("state", "")) for one in found), "")

    def lines(self) -> tuple[str, ...]:
        """Return the whole lines of the second sink."""
        if not self.ledger_path.exists():
            return ()
        text = self.ledger_path.read_text(encoding="utf-8")
        return tuple(text[: text.rfind("\n") + 1].splitlines())

    def exported(self) -> tuple[str, ...]:
        """Return what an export of the store has, whoever signed it."""
        store = open_ledger_connection(self.world.valkey.url, prefix=self.prefix)
        try:
            return tuple(line_of(record).decode() for record in LedgerStream(store, unchecked).read())
        finally:
            store.client.close()

    def checkpoint(self) -> str:
        """Return the checkpoint that is anchored in the run's Lease, empty while there is none."""
        return str((self._lease().get("metadata", {}).get("annotations") or {}).get(ANNOTATION, ""))

    def records(self) -> list[Obj]:
        return [one["record"] for one in map(json.loads, self.lines()) if "record" in one]

    def holder(self) -> str:
        """Return who holds the run's lease."""
        return str(self._lease().get("spec", {}).get("holderIdentity") or "")

    def _lease(self) -> Obj:
        leases = self.world.k8s.objects("leases.coordination.k8s.io")
        return next((one for one in leases if one["metadata"]["name"] == f"executor-{self.namespace}"), {})

    def refuse_statuses(self, *, refused: bool) -> None:
        """Let a foreign admission policy refuse every status of a request, or none any more."""
        self.world.k8s.apply(*refusing(self.namespace, refused=refused))

    def instances(self) -> dict[str, str]:
        """Return id → state of the estate's instances."""
        names = [one["name"] for place in ESTATE["resources"] for one in place["instances"]]
        ids = [resource_id("instance", ACCOUNT, REGION, name) for name in names]
        return {one: str(self.world.aws.control.resource(ACCOUNT, REGION, one)["state"]) for one in ids}

    def resource(self, identifier: str) -> Obj:
        """Return a resource's members in AWS, none when it is gone."""
        try:
            return members(self.world.aws.control.resource(ACCOUNT, REGION, identifier))
        except AwsError:
            return {}


def account(namespaces: list[str]) -> Obj:
    """Return the AwsAccount that grants every action to these namespaces."""
    roles = f"arn:aws:iam::{ACCOUNT}:role/finops"
    return {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "AwsAccount",
        "metadata": {"name": "production"},
        "spec": {
            "accountId": ACCOUNT,
            "scannerRoleArn": f"{roles}-scanner",
            "executorRoleArn": f"{roles}-executor",
            "externalId": "finops-sandbox",
            "allow": [{"namespaces": namespaces, "actions": sorted(plugins().actions)}],
        },
    }


def policy(namespace: str) -> Obj:
    """Return a policy that asks two people for every act."""
    return {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "ScanPolicy",
        "metadata": {"name": "p", "namespace": namespace},
        "spec": {
            "schedule": "0 3 1 1 *",
            "accounts": [{"name": "production"}],
            "approval": {"required": 2, "approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}]},
            "actions": {
                "mode": "Approve",
                "allowed": sorted(plugins().actions),
                "minimumMonthlySavings": 1,
                "limits": {"perHour": 100, "perDay": 100, "percentOfFleet": 100},
            },
        },
    }


def refusing(namespace: str, *, refused: bool) -> tuple[Obj, Obj]:
    """Return a foreign admission policy on statuses of requests, and its binding."""
    kind = {"apiVersion": "admissionregistration.k8s.io/v1"}
    rule = {
        "apiGroups": ["finops.dev"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": ["actionrequests/status"],
    }
    expression = f"object.metadata.namespace != '{namespace if refused else ''}'"
    message = "a foreign webhook refuses this status"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": message}],
    }
    binding = {"policyName": "foreign", "validationActions": ["Deny"]}
    return (
        {**kind, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "foreign"}, "spec": spec},
        {**kind, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "foreign"}, "spec": binding},
    )


@contextmanager
def running_doubles(
    valkey: ValkeyProcess, *, prefix: str = "", speed: float = SPEED, strangers: Iterable[User] = ()
) -> Iterator[Doubles]:
    """Start the doubles beside a store; `strangers` are users of the cluster without any right."""
    users = (*PEOPLE, *strangers)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as name,
        AwsDouble(ESTATE, delays=_DELAYS) as aws,
        KubernetesDouble(Path(name), crds=[ROOT / "crds"], manifests=_installed(), users=users) as k8s,
    ):
        assert k8s.not_evaluated == []
        yield Doubles(directory=Path(name), aws=aws, k8s=k8s, valkey=valkey, prefix=prefix, speed=speed)


@contextmanager
def running_world(speed: float = SPEED) -> Iterator[ChaosWorld]:
    """Start doubles, store and zygote; unix sockets need a short path, so the directory is made here."""
    with (
        running_valkey() as valkey,
        running_doubles(valkey, speed=speed) as doubles,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        name, aws = doubles.directory, doubles.aws
        listener.bind(f"{name}/control.sock")
        listener.listen()
        path = os.pathsep.join(str(ROOT / part) for part in ("operator", "slackbot", "."))
        environment = {**os.environ, **aws.environment(), "PYTHONPATH": path}
        os.environ.update(aws.environment())
        zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.chaos_zygote"], stdin=subprocess.PIPE, text=True, env=environment
        )
        world = ChaosWorld(
            directory=name, aws=aws, k8s=doubles.k8s, valkey=valkey, zygote=zygote, listener=listener, speed=speed
        )
        try:
            yield world
        finally:
            world.bury()
            assert zygote.stdin is not None
            zygote.stdin.close()
            zygote.wait(60)


def _installed() -> list[Obj]:
    """Return what the operator's tests install, without their namespaces and account."""
    return [one for one in manifests() if one["kind"] not in {"Namespace", "AwsAccount"}]
