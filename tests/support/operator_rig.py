"""The real operator in a process of its own, against the AWS double, the Kubernetes double and a real Valkey.

A module starts one `Rig` (`running_rig`), its tests take one `Case` each: a namespace, a policy and idle instances that
no other test touches. `Case.check` joins what AWS saw with the objects and the ledger.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.ledger_keys import MEMBERSHIP_KEY, PRIVATE_KEY
from tests.support.operator_estate import ACCOUNT, LARGE, PEOPLE, REGION, SYSTEM, Obj, estate, manifests
from tests.support.valkey import ValkeyProcess, running_valkey

from finops.audit_verify import verify
from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.k8s.connection import connect
from finops.k8s.kinds import KindApi, action_requests, approvals, scan_policies
from finops.store.connection import open_store
from finops.store.slack_groups import SlackGroups
from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.record import CallRecord
from finops_sandbox.kubernetes import KubernetesDouble
from finops_sandbox.ports import free_port

ROOT = Path(__file__).parents[2]
TEAM = "T0FINOPS01"
_DELAYS = Delays(state_seconds=0.2, status_check_seconds=0.2, snapshot_seconds=0.2, modification_seconds=0.2)


def eventually(test: Callable[[], Any], seconds: float = 60.0, what: str = "") -> Any:
    """Wait until `test` returns something true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := test()):
        assert time.monotonic() < deadline, what or "did not happen in time"
        time.sleep(0.05)
    return found


@dataclass
class Rig:
    """Doubles, store and operator."""

    directory: Path
    aws: AwsDouble
    valkey: ValkeyProcess
    k8s: KubernetesDouble
    process: subprocess.Popen[bytes] | None = None
    taken: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    program: str = "finops_operator"

    @property
    def log(self) -> Path:
        return self.directory / "operator.log"

    @property
    def ledger_path(self) -> Path:
        return self.directory / "ledger.jsonl"

    # -- the operator's process
    def start(self, **settings: str) -> None:
        """Start the operator; `settings` are variables without prefix, in any case, kept for this start only."""
        self.port = free_port()
        environment = {
            **os.environ,
            **self.aws.environment(),
            "KUBECONFIG": str(self.k8s.kubeconfig_for("operator")),
            "FINOPS_REDIS_URL": self.valkey.url,
            "FINOPS_LEDGER_PATH": str(self.ledger_path),
            "FINOPS_LEDGER_SIGNING_KEY": PRIVATE_KEY,
            "FINOPS_MEMBERSHIP_KEY": MEMBERSHIP_KEY,
            "FINOPS_METRICS_PORT": str(self.port),
            "FINOPS_POD_NAME": "operator-0",
            "FINOPS_SLACK_ATTESTER": "system:serviceaccount:finops-system:finops-slackbot",
            "TMPDIR": str(self.directory),
            "FINOPS_DEMO": "true",
            "FINOPS_REQUEST_POLL_SECONDS": "1",
            "FINOPS_LEASE_SECONDS": "10",
            "FINOPS_CANARY_SECONDS": "4",
            **self.settings,
            **{f"FINOPS_{name.upper()}": value for name, value in settings.items()},
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.program], env=environment, stdout=log, stderr=log, cwd=ROOT
            )

    def wait_killed(self, seconds: float = 40.0) -> None:
        """Wait for the operator's death at its kill point."""
        assert self.process is not None
        assert self.process.wait(seconds) == -9, self.tail()

    def kill(self) -> None:
        """Kill the operator as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """Ask the operator to end; return its exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.terminate()
        return self.process.wait(30)

    def restart(self, **settings: str) -> None:
        """Kill and start again."""
        self.kill()
        self.start(**settings)

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def lines(self, message: str) -> list[Obj]:
        """The operator's log lines whose message starts so."""
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            if line.startswith("{") and (event := json.loads(line))["message"].startswith(message):
                found.append(event)
        return found

    def http(self, path: str) -> tuple[int, str]:
        """Ask a probe; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    # -- the world around it
    def case(self, **spec: Any) -> Case:
        """Return a namespace with idle instances and, unless stated otherwise, a policy that asks alice and bob."""
        self.taken += 1
        return Case(self, f"c{self.taken}", spec)

    def large_case(self, namespace: str = LARGE[0]) -> Case:
        """Return a namespace whose instances can be smaller: one of `LARGE`, each for one test of a rig."""
        return Case(self, namespace, {})

    def switch(self, what: str, **data: str) -> None:
        """Replace the data of a ConfigMap of the release: `freeze` or `identities`."""
        metadata = {"name": f"finops-operator-{what}", "namespace": SYSTEM}
        self.k8s.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})

    def members(self, group: str, people: set[str], read_at: datetime | None = None) -> None:
        """Keep the members of a Slack user group as the bot does."""
        store = open_store(self.valkey.url)
        SlackGroups(store, MEMBERSHIP_KEY).put(group, people, read_at or datetime.now(UTC))
        store.client.close()

    def records(self) -> list[Obj]:
        """The ledger as its second sink holds it."""
        if not self.ledger_path.exists():
            return []
        return [json.loads(line)["record"] for line in self.ledger_path.read_text(encoding="utf-8").splitlines()]

    def requests_as(self, person: str) -> KindApi[ActionRequest]:
        return action_requests(connect(str(self.k8s.kubeconfig), person))

    def approvals_as(self, person: str) -> KindApi[Approval]:
        return approvals(connect(str(self.k8s.kubeconfig), person))


@dataclass
class Case:
    """One test's namespace, policy and instances."""

    rig: Rig
    name: str
    spec: Obj
    _after: int = field(init=False)

    def __post_init__(self) -> None:
        self._after = len(self.rig.aws.calls)

    # -- policy
    def apply(self, **changes: Any) -> None:
        """Create the policy, or replace parts of its spec."""
        actions = {"mode": "Approve", "allowed": ["ec2_instance_stop"], "minimumMonthlySavings": 1}
        limits = {"limits": {"perHour": 100, "perDay": 100, "percentOfFleet": 100}}
        self.spec = {**self.spec, **changes}
        spec = {
            "schedule": "0 3 1 1 *",
            "accounts": [{"name": "production"}],
            "resources": ["ec2-instance"],
            "selector": {"includeTags": {"case": [self.name]}},
            **self.spec,
            "approval": {
                "approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}],
                **self.spec.get("approval", {}),
            },
            "actions": {**actions, **limits, **self.spec.get("actions", {})},
        }
        self.rig.k8s.apply(self._object("ScanPolicy", "p", spec))

    def _object(self, kind: str, name: str, spec: Obj, **metadata: Any) -> Obj:
        return {
            "apiVersion": "finops.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": self.name, **metadata},
            "spec": spec,
        }

    def policy(self) -> Obj:
        found = [one for one in self.rig.k8s.objects("scanpolicies.finops.dev") if self._mine(one)]
        return found[0] if found else {}

    def _mine(self, obj: Obj) -> bool:
        return bool(obj["metadata"].get("namespace") == self.name)

    def scan_now(self, value: str, *, wait: bool = True) -> None:
        """Ask for a scan by the annotation, and wait for its end."""
        api = scan_policies(connect(str(self.rig.k8s.kubeconfig), "admin"))
        api.annotate(self.name, "p", {"finops.dev/requestedAt": value})
        if wait:
            eventually(lambda: self.policy()["status"].get("lastHandledRequestedAt") == value, what=self.rig.tail())

    def condition(self, type_: str) -> Obj:
        conditions = self.policy().get("status", {}).get("conditions", [])
        return next((one for one in conditions if one["type"] == type_), {})

    # -- requests
    def requests(self) -> list[Obj]:
        found = [one for one in self.rig.k8s.objects("actionrequests.finops.dev") if self._mine(one)]
        return sorted(found, key=lambda one: str(one["metadata"]["creationTimestamp"]) + one["metadata"]["name"])

    def proposed(self, count: int = 2, seconds: float = 40.0) -> list[Obj]:
        """Wait until `count` requests wait for votes and return them."""

        def pending() -> list[Obj]:
            found = [one for one in self.requests() if one.get("status", {}).get("state") == "Pending"]
            return found if len(found) >= count else []

        found: list[Obj] = eventually(pending, seconds, self.rig.tail())
        assert len(found) == count
        return found

    def request(self, name: str) -> Obj:
        return next((one for one in self.requests() if one["metadata"]["name"] == name), {})

    def state(self, request: Obj) -> str:
        return str(self.request(request["metadata"]["name"]).get("status", {}).get("state", ""))

    def wait_state(self, request: Obj, *states: str, seconds: float = 40.0) -> Obj:
        """Wait until the request is in one of `states`; return it."""
        name = request["metadata"]["name"]
        eventually(lambda: self.state(request) in states, seconds, f"{states} {self.request(name)}\n{self.rig.tail()}")
        return self.request(name)

    def stays(self, request: Obj, state: str, seconds: float = 2.5) -> None:
        """Hold that nothing moves for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.state(request) == state
            time.sleep(0.1)

    def waits_because(self, request: Obj, words: str) -> None:
        """Wait until the status says why the approved act has not begun."""

        def said() -> bool:
            outcome = self.request(request["metadata"]["name"])["status"].get("outcome") or {}
            return words in outcome.get("error", "")

        eventually(said, what=f"{self.request(request['metadata']['name'])['status']}\n{self.rig.tail()}")

    def forge(self, name: str, spec: Obj, state: str = "") -> Obj:
        """Make a request with the operator's own rights, as where no admission policy is installed, past its ledger."""
        api = self.rig.requests_as("operator")
        made = api.create(ActionRequest.from_object(self._object("ActionRequest", name, spec)))
        if state:
            api.replace_status(made, {"state": state})
        return self.request(name)

    # -- votes
    def vote(self, request: Obj, person: str = "alice", decision: str = "Approve", **spec: Any) -> str:
        """Vote with a person's own credentials; return the Approval's name."""
        about = spec.pop("about", {"name": request["metadata"]["name"], "uid": request["metadata"]["uid"]})
        voter = spec.pop("approver", {"source": "kubernetes", "username": person})
        name = f"v{time.monotonic_ns()}"
        owner = {"apiVersion": "finops.dev/v1alpha1", "kind": "ActionRequest"}
        metadata = request["metadata"]
        document = self._object(
            "Approval",
            name,
            {
                "request": about,
                "planHash": request["spec"]["planHash"],
                "decision": decision,
                "approver": voter,
                **spec,
            },
            ownerReferences=[{**owner, "name": metadata["name"], "uid": metadata["uid"]}],
        )
        self.rig.approvals_as(person).create(Approval.from_object(document))
        return name

    def vote_by_slack(self, request: Obj, user: str, *groups: str, decision: str = "Approve", **spec: Any) -> str:
        """Vote as the bot does for somebody who clicked."""
        voter = {
            "source": "slack",
            "username": "somebody",
            "slackTeam": TEAM,
            "slackUser": user,
            "groups": list(groups),
            "attestedAt": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return self.vote(request, "bot", decision, approver=voter, **spec)

    def answer(self, vote: str, seconds: float = 20.0) -> tuple[str, str, str]:
        """Wait for the operator's answer to a vote: result, reason, message."""

        def answered() -> Obj:
            for one in self.rig.k8s.objects("approvals.finops.dev"):
                if self._mine(one) and one["metadata"]["name"] == vote:
                    return dict(one.get("status") or {})
            return {}

        status = eventually(answered, seconds, self.rig.tail())
        return status["result"], status["reason"], status["message"]

    # -- what really happened
    def instance(self, request: Obj) -> Obj:
        return self.rig.aws.control.resource(ACCOUNT, REGION, request["spec"]["resource"]["id"])

    def change_by_hand(self, request: Obj, **changes: Any) -> None:
        self.rig.aws.control.change(ACCOUNT, REGION, request["spec"]["resource"]["id"], changes)

    def calls(self) -> list[CallRecord]:
        """Changing calls made for this case's requests, dry runs left out."""
        names = {one["metadata"]["name"] for one in self.requests()} | {
            record["request"].split("/")[1]
            for record in self.rig.records()
            if record["request"].startswith(f"{self.name}/")
        }
        found = self.rig.aws.calls[self._after :]
        return [call for call in found if call.session_name in names and call.service == "ec2" and not call.dry_run]

    def story(self, kind: str = "") -> list[Obj]:
        """The ledger's records about this case's requests."""
        mine = [record for record in self.rig.records() if record["request"].startswith(f"{self.name}/")]
        return [record for record in mine if kind in {"", record["kind"]}]

    def check(self, **expected: int) -> None:
        """Hold the promises: the ledger verifies, each call has its own intent, and exactly `expected` calls applied.

        Args:
            expected: operation → number of calls that changed something, e.g. `StopInstances=1`.
        """
        report = verify(self.rig.ledger_path.read_text(encoding="utf-8").splitlines())
        assert report.problems == ()
        calls = self.calls()
        assert Counter(call.action for call in calls if call.applied) == Counter(expected)
        intents = Counter(
            (record["request"].split("/")[1], record["detail"]["operation"]) for record in self.story("intent")
        )
        made = Counter((call.session_name, f"ec2:{call.action}") for call in calls)
        assert all(intents[key] >= count for key, count in made.items()), (intents, made)
        open_mine = [name for name in report.open_intents if name.split(":")[0] in self._uids()]
        assert open_mine == []

    def _uids(self) -> set[str]:
        return {record["request"].rpartition("/")[2] for record in self.story()} - {""}


@contextmanager
def running_rig(directory: Path, *, start: bool = True, **settings: str) -> Iterator[Rig]:
    """Start doubles and operator; `settings` hold for every start of the operator in this rig."""
    with (
        AwsDouble(estate(), delays=_DELAYS) as aws,
        running_valkey() as valkey,
        KubernetesDouble(directory, crds=[ROOT / "crds"], manifests=manifests(), users=PEOPLE) as k8s,
    ):
        assert k8s.not_evaluated == []
        rig = Rig(directory, aws, valkey, k8s, settings={f"FINOPS_{k.upper()}": v for k, v in settings.items()})
        try:
            if start:
                rig.start()
            yield rig
        finally:
            if rig.process is not None and rig.process.poll() is None:
                rig.kill()
