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
        # What a cluster refuses later, and says worse.
        ("operator.podAnnotations.checked=true", "podAnnotations"),
        ("slackbot.nodeSelector.disks=2", "nodeSelector"),
        ("metrics.serviceMonitor.labels.release=1", "labels"),
        ("operator.extraEnv[0].value=true", "extraEnv"),
        ("watch.namespaces={team-a,}", "namespaces"),
    ],
)
@pytest.mark.parametrize("program", HELMS)
def test_a_typing_error_in_the_values_is_refused_and_named(
    real_cluster: RealCluster, program: str, option: str, named: str
) -> None:
    done = real_cluster.try_helm("template", "finops", str(CHART), *KUBERNETES, "--set", option, program=program)
    assert done.returncode != 0
    assert named in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("valkey.enabled=false", "valkey.enabled is false and no other store is named: set redis.existingSecret"),
        ("redis.url=redis://store:6379/0", "redis.url would be ignored, because valkey.enabled is true: set"),
        ("redis.existingSecret=store", "redis.existingSecret would be ignored, because valkey.enabled is true: set"),
        ("valkey.enabled=false,redis.existingSecret=store,redis.url=redis://store", "both name a store: remove one"),
    ],
)
@pytest.mark.parametrize("program", HELMS)
def test_values_that_name_no_store_or_two_are_refused_with_the_remedy(
    real_cluster: RealCluster, program: str, options: str, message: str
) -> None:
    done = real_cluster.try_helm("template", "finops", str(CHART), *KUBERNETES, "--set", options, program=program)
    assert done.returncode != 0
    assert message in done.stderr


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("redis.url=rediss://store:6379/0", {"value": "rediss://store:6379/0"}),
        ("redis.existingSecret=s", {"valueFrom": {"secretKeyRef": {"name": "s", "key": "FINOPS_REDIS_URL"}}}),
    ],
)
def test_a_store_of_ones_own_is_the_one_that_operator_and_bot_use(
    real_cluster: RealCluster, options: str, wanted: dict[str, Any]
) -> None:
    documents = _documents(_render(real_cluster, "--set", f"valkey.enabled=false,slack.existingSecret=t,{options}"))
    deployments = [document for document in documents if document["kind"] == "Deployment"]
    assert len(deployments) == 2
    assert not [document for document in documents if document["kind"] == "StatefulSet"]
    for deployment in deployments:
        (container,) = _pod_spec(deployment)["containers"]
        named = [one for one in container["env"] if one["name"] == "FINOPS_REDIS_URL"]
        assert named == [{"name": "FINOPS_REDIS_URL", **wanted}]


@pytest.mark.parametrize(
    ("registry", "image"),
    [
        ("registry.example:5000/team", "registry.example:5000/team/finops-operator:1"),
        ("registry.example/", "registry.example/finops-operator:1"),
        ("", "finops-operator:1"),
    ],
)
def test_the_registry_stands_in_front_of_the_image_or_nothing_does(
    real_cluster: RealCluster, registry: str, image: str
) -> None:
    options = ("--set", f"image.registry={registry}", "--set-string", "image.tag=1")
    deployments = [one for one in _documents(_render(real_cluster, *options)) if one["kind"] == "Deployment"]
    assert [_pod_spec(one)["containers"][0]["image"] for one in deployments] == [image]


def test_what_scrapes_the_operator_scrapes_the_bot_too(real_cluster: RealCluster) -> None:
    documents = _documents(_render(real_cluster, *EVERYTHING))
    (monitor,) = [document for document in documents if document["kind"] == "ServiceMonitor"]
    services = [one for one in documents if one["kind"] == "Service" and _selects(monitor, one)]
    ports = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
    components = []
    for service in services:
        selector, labels = service["spec"]["selector"], service["metadata"]["labels"]
        (pods,) = [
            one for one in documents if one["kind"] == "Deployment" and _pod_labels(one).items() >= selector.items()
        ]
        assert ports <= {port["name"] for port in service["spec"]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= {
            port["name"] for port in _pod_spec(pods)["containers"][0]["ports"]
        }
        components.append(labels["app.kubernetes.io/component"])
    assert sorted(components) == ["operator", "slackbot"]


def _selects(monitor: dict[str, Any], service: dict[str, Any]) -> bool:
    selector, labels = monitor["spec"]["selector"], service["metadata"]["labels"]
    return labels.items() >= selector["matchLabels"].items() and all(
        labels.get(one["key"]) in one["values"] for one in selector["matchExpressions"]
    )


def _pod_labels(document: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = document["spec"]["template"]["metadata"]["labels"]
    return labels


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
