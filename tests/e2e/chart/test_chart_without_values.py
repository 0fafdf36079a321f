"""A user's first minutes: the chart without values, a policy, no credentials anywhere, and everything gone again.

Told twice in a row by Helm 4 and once by Helm 3, in one namespace each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from tests.e2e.cluster import ROOT, Object, RealCluster, wait_until
from tests.e2e.documents import account, condition, policy
from tests.e2e.kinds.cluster_api import unique_name
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


@pytest.mark.parametrize(("program", "rounds"), [("helm", 2), ("helm3", 1)])
def test_without_values_it_runs_says_what_it_lacks_and_leaves_without_trace(
    real_cluster: RealCluster, team: str, program: str, rounds: int
) -> None:
    release = Release(real_cluster, unique_name("bare"), program)
    real_cluster.create_namespace(release.namespace)
    kept: dict[str, str] = {}
    for _round in range(rounds):
        notes = release.install()
        _assert_notes_help(notes, release)
        assert not release.pods("slackbot")
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
        release.uninstall()
        assert release.cluster_wide() == []
    real_cluster.delete_namespace(release.namespace)


def _assert_notes_help(notes: str, release: Release) -> None:
    for number in (1, 2, 3):
        assert f"  {number}. " in notes
    # What it says to paste is the first policy of the docs, and stands at the margin: a shell must find its end.
    pasted = notes.partition("kubectl apply -f - <<'EOF'\n")[2].partition("\nEOF\n")[0]
    assert list(yaml.safe_load_all(pasted)) == list(yaml.safe_load_all(SAMPLE.read_text(encoding="utf-8")))
    for command in ("kubectl -n default wait scanpolicy/first", "kubectl -n default describe scanpolicy/first"):
        assert command in notes
    assert "No AWS credentials were given" in notes
    assert "No Slack secret was given" in notes
    assert f"-n {release.namespace} logs deploy/{release.full_name}" in notes


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
