"""A user's first minutes: the chart without values, a policy, no credentials anywhere, and everything gone again.

Twice in a row by each Helm, in one namespace each: the second installation takes up what the first one left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial

import pytest
import yaml
from tests.e2e.cluster import ROOT, Object, RealCluster, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import account, condition, policy
from tests.e2e.release import Release

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

SAMPLE = ROOT / "docs" / "examples" / "first-policy.yaml"
TEAM_ONLY = "watch.namespaces={{{0}}}"


@pytest.fixture
def team(real_cluster: RealCluster) -> Iterator[str]:
    """Return a team's namespace; it goes afterwards, and an account of its name, and the sample."""
    name = unique_name("team")
    real_cluster.create_namespace(name)
    yield name
    real_cluster.kubectl("delete", "-f", str(SAMPLE), "--ignore-not-found")
    real_cluster.kubectl("delete", "awsaccounts", name, "--ignore-not-found")
    real_cluster.delete_namespace(name)


def _scanned(cluster: RealCluster, name: str, namespace: str) -> Object:
    def found() -> Object | None:
        seen = cluster.get("scanpolicies", name, namespace)
        return seen if condition(seen, "CredentialsValid") else None

    return wait_until(f"policy {name} says how its credentials are", found, seconds=60)


def _assert_says_what_it_lacks(seen: Object) -> None:
    credentials, ready = condition(seen, "CredentialsValid"), condition(seen, "Ready")
    assert (credentials["status"], ready["status"]) == ("False", "False")
    assert credentials["reason"] == ready["reason"] == "NoCredentialsError"
    assert "aws.existingSecret" in credentials["message"]
    assert condition(seen, "StoreReachable")["status"] == "True"
    assert "monthlyCost" not in seen["status"]


@pytest.mark.parametrize(("program", "rounds"), [("helm", 2), ("helm3", 2)])
def test_without_values_it_runs_says_what_it_lacks_and_keeps_what_it_says(
    real_cluster: RealCluster, team: str, program: str, rounds: int
) -> None:
    release = Release(real_cluster, unique_name("bare"), program)
    real_cluster.create_namespace(release.namespace)
    kept: dict[str, str] = {}
    try:
        for number in range(rounds):
            notes = release.install(owned=number > 0)
            _assert_notes_help(notes, release)
            assert not release.pods("slackbot")
            assert _switches(release) == ([{}, {}] if number == 0 else SWITCHED)
            real_cluster.kubectl("apply", "-f", str(SAMPLE))
            _assert_says_what_it_lacks(_scanned(real_cluster, "first", "default"))
            assert "Succeeded" in release.helm("test", release.name, "--timeout", "60s")
            kept = kept or release.secret()
            # Passwords outlive the release, because the volumes they open do.
            assert release.secret() == kept
            _assert_an_upgrade_changes_only_what_it_says(release, team)
            assert release.secret() == kept
            assert release.restarts("operator") == release.restarts("valkey") == 0
            real_cluster.kubectl("delete", "-f", str(SAMPLE), "--timeout=20s")
            for name, data in zip(SWITCH_NAMES, SWITCHED, strict=True):
                _patch(release, name, data)
            release.uninstall()
            _assert_only_what_the_guide_lists_is_left(release)
    finally:
        release.remove_if_left()
        release.remove_kept()
    assert release.cluster_wide() == []
    real_cluster.delete_namespace(release.namespace)


SWITCH_NAMES = ("freeze", "identities")
SWITCHED = [{"frozen": "true", "reason": "a drill"}, {"people": "- {slack: U0123, kubernetes: alice}"}]


def _switches(release: Release) -> list[dict[str, str]]:
    """What people put into both ConfigMaps; the operator adds which Deployment it was started by last."""
    names = (f"{release.full_name}-{name}" for name in SWITCH_NAMES)
    found = [release.cluster.get("configmap", name, release.namespace).get("data", {}) for name in names]
    found = [{key: value for key, value in data.items() if key != "installation"} for data in found]
    # Requests of other tests in the cluster make a new installation freeze itself; what it was given is nothing.
    return [{} if data.get("reason", "").startswith("This installation is new") else data for data in found]


def _patch(release: Release, name: str, data: dict[str, str]) -> None:
    where = (f"{release.full_name}-{name}", "-n", release.namespace)
    release.cluster.kubectl("patch", "configmap", *where, "--type=merge", "-p", json.dumps({"data": data}))


def _assert_only_what_the_guide_lists_is_left(release: Release) -> None:
    cluster, full = release.cluster, release.full_name
    protection = [
        f"{kind}.admissionregistration.k8s.io/{full}-{release.namespace}-{name}"
        for kind in ("validatingadmissionpolicy", "validatingadmissionpolicybinding")
        for name in ("account-ids", "operator-writes", "policy-ids", "voter")
    ]
    assert sorted(release.cluster_wide()) == sorted(protection)
    # Helm 3 does not wait for what the garbage collector removes.
    parts = ("operator", "web", "slackbot", "valkey", "secrets")
    wait_until("the pods are gone", lambda: not any(map(release.pods, parts)), seconds=90)
    kinds = "all,configmaps,secrets,serviceaccounts,roles,rolebindings,networkpolicies,leases,persistentvolumeclaims"
    left = set(cluster.kubectl("get", kinds, "-n", release.namespace, "-o", "name").split())
    assert {one for one in left if full in one} == {
        f"configmap/{full}-freeze",
        f"configmap/{full}-identities",
        f"configmap/{full}-known-ids",
        f"configmap/{full}-ledger-anchor",
        f"secret/{full}-generated",
        f"lease.coordination.k8s.io/{full}-executor",
        f"persistentvolumeclaim/{full}-ledger",
        f"persistentvolumeclaim/data-{full}-valkey-0",
    }


def test_a_wrong_image_fails_where_it_is_seen_and_an_upgrade_repairs_it(real_cluster: RealCluster) -> None:
    release = Release(real_cluster, unique_name("wrong"))
    real_cluster.create_namespace(release.namespace)
    try:
        began = time.monotonic()
        release.install_at_once("--set", "image.tag=absent")
        # Nothing is waited for: it took four minutes when a hook made the Secret.
        assert time.monotonic() - began < 20
        for component in ("operator", "valkey", "secrets"):
            wait_until(f"{component} says why it waits", partial(_cannot_pull, release, component), seconds=40)
        release.upgrade()
        assert release.restarts("operator") == release.restarts("valkey") == 0
    finally:
        release.uninstall()
        release.remove_kept()
    real_cluster.delete_namespace(release.namespace)


def _cannot_pull(release: Release, component: str) -> bool:
    return any(
        container["state"].get("waiting", {}).get("reason") in {"ErrImagePull", "ImagePullBackOff"}
        for pod in release.pods(component)
        for kind in ("initContainerStatuses", "containerStatuses")
        for container in pod["status"].get(kind, [])
    )


def _assert_notes_help(notes: str, release: Release) -> None:
    for number in (1, 2, 3, 4):
        assert f"  {number}. " in notes
    # What it says to paste is the first policy of the docs, and stands at the margin: a shell must find its end.
    pasted = notes.partition("kubectl apply -f - <<'EOF'\n")[2].partition("\nEOF\n")[0]
    assert list(yaml.safe_load_all(pasted)) == list(yaml.safe_load_all(SAMPLE.read_text(encoding="utf-8")))
    for command in ("kubectl -n default wait scanpolicy/first", "kubectl -n default describe scanpolicy/first"):
        assert command in notes
    assert f"kubectl -n {release.namespace} get pods" in notes
    assert f"kubectl -n {release.namespace} port-forward service/{release.full_name}-web 8080" in notes
    assert "No AWS credentials were given" in notes
    assert "No Slack secret was given" in notes
    assert f"-n {release.namespace} logs deploy/{release.full_name}" in notes
    kept = notes.partition("Uninstalling keeps")[2]
    for name in ("freeze", "identities", "ledger-anchor", "generated", "ledger", "executor"):
        assert f"{release.full_name}-{name}" in kept
    assert f"data-{release.full_name}-valkey-0" in kept
    assert f"{release.full_name}-{release.namespace}-voter" in kept


def _assert_an_upgrade_changes_only_what_it_says(release: Release, team: str) -> None:
    """From all namespaces to one: the operator restarts with rights there alone, and goes on."""
    release.upgrade("--set", TEAM_ONLY.format(team))
    cluster = release.cluster
    before = cluster.get("scanpolicies", "first", "default")["metadata"]["resourceVersion"]
    elsewhere = policy("elsewhere", release.namespace, team)
    # The one that is served comes last: once it was scanned, the other would have been seen too.
    cluster.apply(elsewhere, account(team, team), policy("served", team, team))
    _assert_says_what_it_lacks(_scanned(cluster, "served", team))
    assert "status" not in cluster.get("scanpolicies", "elsewhere", release.namespace)
    assert cluster.get("scanpolicies", "first", "default")["metadata"]["resourceVersion"] == before
    cluster.kubectl("delete", "scanpolicies", "served", "-n", team, "--timeout=20s")
    cluster.kubectl("delete", "scanpolicies", "elsewhere", "-n", release.namespace, "--timeout=20s")
