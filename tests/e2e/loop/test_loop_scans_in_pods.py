"""A scan as an Indexed Job on the cluster: a pod for each account and region, the figures of one in the operator."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from kubernetes import client, config, watch
from tests.e2e.cluster import Object, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import account, condition
from tests.e2e.loop.scans import IN_PODS, scanned
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

WIDE = "222222222222"
PARTS = 12
RESOURCES = 8
"""Instances with their root volumes, and two volumes more."""
INDEX = "batch.kubernetes.io/job-completion-index"


@pytest.fixture(scope="module")
def wide(loop: Loop) -> Iterator[str]:
    """Return the name of an account in twelve regions."""
    name = unique_name("wide")
    made = json.loads(json.dumps(account(name, loop.team, ())).replace("111111111111", WIDE))
    loop.cluster.apply(made)
    yield name
    loop.cluster.kubectl("delete", "awsaccounts", name)


@dataclass
class SeenPods:
    """Pods of scans as they came; `deal` is called with each one once.

    Attributes:
        of: index → names of its pods.
        before: names of pods of earlier scans, whose failed Jobs stay for an hour.
    """

    loop: Loop
    deal: Callable[[Object], None]
    of: dict[int, list[str]] = field(default_factory=dict)
    before: frozenset[str] = frozenset()

    @property
    def chosen(self) -> dict[str, Any]:
        return {"namespace": self.loop.release.namespace, "label_selector": "app.kubernetes.io/component=scan"}

    def watch(self, api: client.CoreV1Api, stop: threading.Event) -> None:
        """Follow the API server's own watch: whoever asks now and then may find a pod when it has done its work."""
        while not stop.is_set():
            for event in watch.Watch().stream(api.list_namespaced_pod, timeout_seconds=2, **self.chosen):
                self._see(event["raw_object"])

    def _see(self, pod: Object) -> None:
        name, index = pod["metadata"]["name"], int(pod["metadata"]["annotations"][INDEX])
        if name in self.before or "-forged-" in name or name in self.of.setdefault(index, []):
            return
        self.of[index].append(name)
        self.deal(pod)


@pytest.fixture
def slow_aws(loop: Loop) -> Iterator[None]:
    """Let each call of a scan take so long that a pod is still at work when it is killed."""
    loop.aws.inject(kind="latency", account=WIDE, seconds=1.5)
    yield
    loop.aws.clear_faults()


@contextmanager
def seen_pods(loop: Loop, deal: Callable[[Object], None] = lambda pod: None) -> Iterator[SeenPods]:
    seen, stop = SeenPods(loop, deal), threading.Event()
    api = client.CoreV1Api(config.new_client_from_config(loop.cluster.kubeconfig))
    seen.before = frozenset(
        str(one.metadata and one.metadata.name) for one in api.list_namespaced_pod(**seen.chosen).items
    )
    thread = threading.Thread(target=seen.watch, args=(api, stop))
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def figures(loop: Loop, scan: Object) -> dict[str, Any]:
    name = f"{loop.team}/{scan['metadata']['name']}"
    found = json.loads(loop.release.finops("recommendations", "--policy", name, "-o", "json"))
    return {
        "status": {key: scan["status"].get(key) for key in ("monthlyCost", "savings", "recommendations", "gaps")},
        "resources": scan["status"]["lastScan"]["resources"],
        "recommendations": sorted(
            (one["check"], one["resource"]["id"], one["status"], one["monthlySavings"]) for one in found
        ),
        "costs": [
            {key: value for key, value in one.items() if key in {"region", "monthlyCost", "resources"}}
            for one in json.loads(loop.release.finops("costs", "--by", "region", "--policy", name, "-o", "json"))
        ],
    }


def test_twelve_parts_are_scanned_in_pods_with_the_figures_of_a_scan_in_the_operator(loop: Loop, wide: str) -> None:
    here = figures(loop, scanned(loop, wide))
    assert here["resources"] == RESOURCES
    assert len(here["recommendations"]) >= 4
    with seen_pods(loop) as seen:
        scan = scanned(loop, wide, **IN_PODS)
    assert condition(scan, "Ready")["status"] == "True"
    assert figures(loop, scan) == here
    assert {index: len(pods) for index, pods in seen.of.items()} == dict.fromkeys(range(PARTS), 1)
    wait_until("the Job is removed", lambda: not _jobs(loop), seconds=30)


@pytest.mark.usefixtures("slow_aws")
def test_a_pod_that_is_killed_is_made_again_alone(loop: Loop, wide: str) -> None:
    here = figures(loop, scanned(loop, wide))
    killed: Counter[str] = Counter()

    def kill_the_first_of_one(pod: Object) -> None:
        if pod["metadata"]["annotations"][INDEX] == "3" and not killed:
            killed[_delete(loop, pod)] += 1

    with seen_pods(loop, kill_the_first_of_one) as seen:
        scan = scanned(loop, wide, **IN_PODS)
    assert figures(loop, scan) == here
    assert {index: len(pods) for index, pods in seen.of.items()} == {**dict.fromkeys(range(PARTS), 1), 3: 2}


@pytest.mark.usefixtures("slow_aws")
def test_a_part_whose_pods_all_fail_is_a_gap_and_the_others_are_there(loop: Loop, wide: str) -> None:
    """Regions stand in the order of their names: the first is ap-south-1, of which nothing is known."""

    def kill_all_of_one(pod: Object) -> None:
        if pod["metadata"]["annotations"][INDEX] == "0":
            _delete(loop, pod)

    with seen_pods(loop, kill_all_of_one) as seen:
        scan = scanned(loop, wide, **IN_PODS)
    assert len(seen.of[0]) == 2, "one try and one more, as backoffLimitPerIndex says"
    assert scan["status"]["lastScan"]["resources"] == RESOURCES
    gaps = json.dumps(scan["status"])
    assert "ap-south-1" in gaps
    assert "was not scanned" in gaps
    (job,) = _jobs(loop)
    assert job["status"]["failedIndexes"] == "0", "it stays for an hour, so that logs can be read"
    loop.cluster.kubectl("delete", "job", job["metadata"]["name"], "-n", loop.release.namespace)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"serviceAccountName": "default"}, "scans' account alone"),
        ({"automountServiceAccountToken": True}, "without a token"),
        ({"image": "evil"}, "its own image alone"),
        ({"command": ["sh", "-c", "id"]}, "do nothing but scan"),
        ({"lifecycle": {"postStart": {"exec": {"command": ["id"]}}}}, "no hook"),
        ({"livenessProbe": {"exec": {"command": ["id"]}}}, "no probe"),
        ({"workingDir": "/tmp"}, "no working directory"),
        ({"securityContext": {"privileged": True}}, "no privilege"),
        ({"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}, "no privilege"),
        ({"initContainers": [{"name": "i", "image": "evil"}]}, "do nothing but scan"),
        ({"hostNetwork": True}, "nothing of their node"),
        ({"volumes": [{"name": "tmp", "secret": {"secretName": "x"}}]}, "no volume"),
        ({"env": [{"name": "PYTHONPATH", "value": "/tmp"}]}, "environment of the template"),
        ({"env": [{"name": "AWS_ENDPOINT_URL", "value": "http://evil.example"}]}, "environment of the template"),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "slack", "key": "SLACK_BOT_TOKEN"}}}]},
            "environment of the template",
        ),
        ({"nodeName": "node1"}, "one container"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_operators_right_to_make_jobs_makes_no_other_pod(change: dict[str, Any], why: str, loop: Loop) -> None:
    namespace, name = loop.release.namespace, f"{loop.release.full_name}-scan"
    template = loop.cluster.kubectl("get", "configmap", name, "-n", namespace, "-o", "jsonpath={.data.job\\.yaml}")
    job = yaml.safe_load(template)
    job["metadata"] = {"name": f"{name}-forged", "namespace": namespace}
    job["spec"] |= {"completions": 1, "parallelism": 1}
    user = f"system:serviceaccount:{namespace}:{loop.release.full_name}"
    honest = loop.cluster.try_create(job, user)
    assert honest.returncode == 0, honest.stderr
    loop.cluster.kubectl("delete", "job", job["metadata"]["name"], "-n", namespace)
    pod = job["spec"]["template"]["spec"]
    for field_, value in change.items():
        if field_ in {"image", "command", "env", "lifecycle", "livenessProbe", "workingDir", "securityContext"}:
            pod["containers"][0][field_] = value
        else:
            pod[field_] = value
    refused = loop.cluster.try_create(job, user)
    assert refused.returncode != 0
    assert why in refused.stderr


def test_the_operator_makes_and_removes_no_other_job(loop: Loop) -> None:
    namespace, name = loop.release.namespace, f"{loop.release.full_name}-scan"
    template = loop.cluster.kubectl("get", "configmap", name, "-n", namespace, "-o", "jsonpath={.data.job\\.yaml}")
    job = yaml.safe_load(template)
    job["metadata"] = {"name": "backup", "namespace": namespace}
    job["spec"] |= {"completions": 1, "parallelism": 1, "suspend": True}
    user = f"system:serviceaccount:{namespace}:{loop.release.full_name}"
    assert "Jobs of its scans alone" in loop.cluster.try_create(job, user).stderr
    assert loop.cluster.try_create(job).returncode == 0
    removed = loop.cluster.refusal("delete", "job", "backup", "-n", namespace, "--as", user)
    assert "Jobs of its scans alone" in removed
    loop.cluster.kubectl("delete", "job", "backup", "-n", namespace)


def _jobs(loop: Loop) -> list[Object]:
    found: list[Object] = json.loads(loop.cluster.kubectl("get", "jobs", "-n", loop.release.namespace, "-o", "json"))[
        "items"
    ]
    return [one for one in found if "-scan-" in one["metadata"]["name"]]


def _delete(loop: Loop, pod: Object) -> str:
    name = str(pod["metadata"]["name"])
    loop.cluster.try_kubectl(
        *("delete", "pod", name, "-n", loop.release.namespace, "--grace-period=0", "--force", "--wait=false")
    )
    return name
