"""What Helm makes of the chart, before any cluster sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.e2e.cluster import CHART, RealCluster

pytestmark = pytest.mark.cluster

HELMS = ("helm", "helm3")
KUBERNETES = ("--kube-version", "1.30.0")
"""Without a cluster a Helm assumes the Kubernetes it was built with; the chart asks for 1.30 at least."""
EVERYTHING = (
    *("--set", "slack.existingSecret=slack"),
    *("--set", "aws.existingSecret=aws"),
    *("--set", "metrics.serviceMonitor.enabled=true"),
    *("--set", "watch.namespaces={team-a,team-b}"),
)
PODS = {"Deployment", "StatefulSet", "Job", "Pod"}


def _render(cluster: RealCluster, *options: str, program: str = "helm") -> str:
    return cluster.helm(
        "template", "finops", str(CHART), "--namespace", "finops-system", *KUBERNETES, *options, program=program
    )


def _documents(text: str) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(text) if document]


def _pod_spec(document: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = document["spec"] if document["kind"] == "Pod" else document["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("program", HELMS)
def test_rendering_twice_gives_the_same_bytes(real_cluster: RealCluster, program: str) -> None:
    first = _render(real_cluster, *EVERYTHING, program=program)
    assert first == _render(real_cluster, *EVERYTHING, program=program)


def test_both_helms_render_the_same_objects(real_cluster: RealCluster) -> None:
    four, three = (_documents(_render(real_cluster, *EVERYTHING, program=program)) for program in HELMS)

    def key(document: dict[str, Any]) -> tuple[str, str]:
        return document["kind"], json.dumps(document["metadata"], sort_keys=True)

    assert sorted(four, key=key) == sorted(three, key=key)


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("operator.replicas=2", "replicas"),
        ("slack.existingSecrets=slack", "existingSecrets"),
        ("valkey.persistence.sise=1Gi", "sise"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("log.level=LOUD", "level"),
        ("slack.mode=Carrier", "mode"),
    ],
)
@pytest.mark.parametrize("program", HELMS)
def test_a_typing_error_in_the_values_is_refused_and_named(
    real_cluster: RealCluster, program: str, option: str, named: str
) -> None:
    done = real_cluster.try_helm("template", "finops", str(CHART), *KUBERNETES, "--set", option, program=program)
    assert done.returncode != 0
    assert named in done.stderr


def test_lint_finds_nothing(real_cluster: RealCluster) -> None:
    assert "0 chart(s) failed" in real_cluster.helm("lint", "--strict", str(CHART))


def test_no_bot_without_a_slack_secret(real_cluster: RealCluster) -> None:
    assert "slackbot" not in {
        document["metadata"].get("labels", {}).get("app.kubernetes.io/component")
        for document in _documents(_render(real_cluster))
    }


def test_every_pod_has_no_right_that_pod_security_restricted_forbids_and_no_writable_root(
    real_cluster: RealCluster,
) -> None:
    specs = [
        _pod_spec(document) for document in _documents(_render(real_cluster, *EVERYTHING)) if document["kind"] in PODS
    ]
    assert len(specs) == 5
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_no_role_has_a_wildcard_lists_secrets_or_can_raise_itself(real_cluster: RealCluster) -> None:
    roles = [
        document
        for document in _documents(_render(real_cluster, *EVERYTHING))
        if document["kind"] in {"Role", "ClusterRole"}
    ]
    assert roles
    for role in roles:
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
            assert "pods/exec" not in rule["resources"]
            if "secrets" in rule["resources"]:
                assert not {"list", "watch"} & set(rule["verbs"])
