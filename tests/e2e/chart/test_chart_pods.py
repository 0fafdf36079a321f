"""What an administrator may say about each pod, and how pods get the Secret they wait for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.chart.rendering import (
    COMPONENT,
    EVERYTHING,
    named,
    of_kind,
    pods_by_component,
    refusal,
    rendered,
)
from tests.e2e.cluster import Object, RealCluster

pytestmark = pytest.mark.cluster

COMPONENTS = {
    "operator": "operator",
    "slackbot": "slackbot",
    "web": "web",
    "valkey": "valkey",
    "secretsJob": "secrets",
    "test": "test",
}
"""Key in the values → component in the labels."""
SPREAD = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
TOLERATION = {"key": "dedicated", "operator": "Exists"}
AFFINITY: Object = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}


@pytest.mark.parametrize(("key", "component"), COMPONENTS.items())
def test_every_component_is_placed_labelled_and_named_by_the_values(
    real_cluster: RealCluster, key: str, component: str
) -> None:
    wanted: dict[str, Any] = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [TOLERATION],
        "affinity": AFFINITY,
        "topologySpreadConstraints": [SPREAD],
        "priorityClassName": "system-cluster-critical",
    }
    own = {
        **wanted,
        "podLabels": {"team": "sre"},
        "podAnnotations": {"mesh": "off"},
        "serviceAccount": {"create": True, "name": "mine", "annotations": {"cloud": "role"}},
        "resources": {"limits": {"memory": "77Mi"}},
    }
    documents = rendered(real_cluster, {**EVERYTHING, key: own})
    pods = pods_by_component(documents)
    template = pods[component]
    assert {name: template["spec"][name] for name in wanted} == wanted
    assert template["metadata"]["labels"]["team"] == "sre"
    assert template["metadata"]["annotations"]["mesh"] == "off"
    assert template["spec"]["serviceAccountName"] == "mine"
    assert named(documents, "ServiceAccount", "mine")["metadata"]["annotations"] == {"cloud": "role"}
    assert template["spec"]["containers"][0]["resources"]["limits"]["memory"] == "77Mi"
    # The others stay as they are.
    for other in set(pods) - {component}:
        assert not set(wanted) & set(pods[other]["spec"])
        assert "team" not in pods[other]["metadata"]["labels"]


def test_pull_secrets_are_every_pods(real_cluster: RealCluster) -> None:
    pods = pods_by_component(rendered(real_cluster, {**EVERYTHING, "image.pullSecrets": [{"name": "registry"}]}))
    assert set(pods) == set(COMPONENTS.values())
    for template in pods.values():
        assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}]


def test_only_pods_that_ask_the_api_server_get_a_token(real_cluster: RealCluster) -> None:
    pods = pods_by_component(rendered(real_cluster, EVERYTHING))
    without = {
        component
        for component, template in pods.items()
        if template["spec"].get("automountServiceAccountToken") is False
    }
    assert without == {"valkey", "test", "web"}


@pytest.mark.parametrize("key", COMPONENTS)
def test_an_account_that_is_not_made_must_be_named(real_cluster: RealCluster, key: str) -> None:
    said = refusal(real_cluster, {**EVERYTHING, f"{key}.serviceAccount.create": False})
    assert f"set {key}.serviceAccount.name" in said
    documents = rendered(real_cluster, {**EVERYTHING, f"{key}.serviceAccount": {"create": False, "name": "mine"}})
    assert "mine" not in [one["metadata"]["name"] for one in of_kind(documents, "ServiceAccount")]
    assert pods_by_component(documents)[COMPONENTS[key]]["spec"]["serviceAccountName"] == "mine"


def test_rights_and_admission_follow_the_names_of_the_accounts(real_cluster: RealCluster) -> None:
    values = {**EVERYTHING, "operator.serviceAccount.name": "finder", "slackbot.serviceAccount.name": "talker"}
    documents = rendered(real_cluster, values)
    bound = {
        subject["name"]
        for binding in of_kind(documents, "RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    }
    assert bound == {"finder", "talker", "finops-finops-operator-secrets"}
    expressions = {
        variable["name"]: variable["expression"]
        for policy in of_kind(documents, "ValidatingAdmissionPolicy")
        for variable in policy["spec"]["variables"]
    }
    assert "'system:serviceaccount:finops-system:finder'" in expressions["isOperator"]
    assert "'system:serviceaccount:finops-system:talker'" in expressions["isAttesterOfSource"]


@pytest.mark.parametrize("component", ["slackbot", "web"])
@pytest.mark.parametrize(("replicas", "budgets"), [(1, 0), (3, 1)])
def test_bot_and_dashboard_have_a_disruption_budget_when_there_is_more_than_one(
    real_cluster: RealCluster, replicas: int, budgets: int, component: str
) -> None:
    documents = rendered(real_cluster, {**EVERYTHING, f"{component}.replicas": replicas})
    found = of_kind(documents, "PodDisruptionBudget")
    assert len(found) == budgets
    for budget in found:
        assert budget["spec"]["maxUnavailable"] == 1
        pod = pods_by_component(documents)[component]
        assert pod["metadata"]["labels"].items() >= budget["spec"]["selector"]["matchLabels"].items()
    off = {**EVERYTHING, f"{component}.replicas": 3, f"{component}.podDisruptionBudget.enabled": False}
    assert not of_kind(rendered(real_cluster, off), "PodDisruptionBudget")


def _job(documents: list[Object]) -> Object:
    (job,) = of_kind(documents, "Job")
    return job


def test_no_installation_waits_for_a_hook(real_cluster: RealCluster) -> None:
    hooks = [
        (one["kind"], one["metadata"]["labels"][COMPONENT])
        for one in rendered(real_cluster, EVERYTHING)
        if "helm.sh/hook" in one["metadata"].get("annotations", {})
    ]
    assert hooks == [("Pod", "test")]


def test_the_job_has_another_name_when_it_is_another_job(real_cluster: RealCluster) -> None:
    def name(**values: Any) -> str:
        found: str = _job(rendered(real_cluster, {**EVERYTHING, **values}))["metadata"]["name"]
        return found

    first = name()
    assert name(**{"operator.podLabels": {"a": "b"}}) == first
    # When it goes is no part of what it runs, and may be changed in place.
    assert name(**{"secretsJob.ttlSecondsAfterFinished": 5}) == first
    changed = {name(**{key: value}) for key, value in (("image.tag", "2"), ("secretsJob.podLabels", {"a": "b"}))}
    assert len(changed | {first}) == 3


@pytest.mark.parametrize(("seconds", "wanted"), [(60, 60), (0, 0), (None, None)])
def test_the_finished_job_goes_after_a_while_or_stays(
    real_cluster: RealCluster, seconds: int | None, wanted: int | None
) -> None:
    job = _job(rendered(real_cluster, {"secretsJob": {"ttlSecondsAfterFinished": seconds}}))
    assert job["spec"].get("ttlSecondsAfterFinished") == wanted


def test_no_pod_starts_before_the_secret_is_there(real_cluster: RealCluster) -> None:
    """Each names keys of it in its first container: the kubelet starts none before they exist."""
    pods = pods_by_component(rendered(real_cluster, EVERYTHING))
    for component in ("operator", "slackbot", "web", "valkey"):
        spec = pods[component]["spec"]
        first = (spec.get("initContainers") or spec["containers"])[0]
        references = [
            one["valueFrom"]["secretKeyRef"] for one in first["env"] if "secretKeyRef" in one.get("valueFrom", {})
        ]
        waited = [one for one in references if one["name"] == "finops-finops-operator-generated"]
        assert waited
        assert not [one for one in waited if one.get("optional")]


def test_the_store_syncs_every_write_also_while_it_rewrites_its_file(real_cluster: RealCluster) -> None:
    (container,) = pods_by_component(rendered(real_cluster))["valkey"]["spec"]["containers"]
    command = container["command"]
    for option, value in (
        ("--appendonly", "yes"),
        ("--appendfsync", "always"),
        ("--no-appendfsync-on-rewrite", "no"),
        ("--maxmemory-policy", "noeviction"),
    ):
        assert command[command.index(option) + 1] == value


KEPT = {
    ("CustomResourceDefinition", "actionrequests.finops.dev"),
    ("CustomResourceDefinition", "approvals.finops.dev"),
    ("CustomResourceDefinition", "awsaccounts.finops.dev"),
    ("CustomResourceDefinition", "budgets.finops.dev"),
    ("CustomResourceDefinition", "scanpolicies.finops.dev"),
}
PROTECTION = {
    (kind, f"finops-finops-operator-finops-system-{name}")
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    for name in ("voter", "operator-writes", "policy-ids", "account-ids")
} | {("ConfigMap", "finops-finops-operator-known-ids")}
SWITCHES = {
    ("ConfigMap", "finops-finops-operator-freeze"),
    ("ConfigMap", "finops-finops-operator-identities"),
    ("ConfigMap", "finops-finops-operator-ledger-anchor"),
    ("PersistentVolumeClaim", "finops-finops-operator-ledger"),
}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({}, KEPT | PROTECTION | SWITCHES),
        # Somebody else's kinds stay as well, and the objects in them.
        ({"crds.install": False}, PROTECTION | SWITCHES),
        ({"crds.keep": False}, SWITCHES),
        ({"crds.install": False, "crds.keep": False}, PROTECTION | SWITCHES),
    ],
    ids=["as-it-is", "foreign-kinds", "kinds-go", "foreign-kinds-stay"],
)
def test_uninstalling_keeps_switches_ledger_and_what_protects_the_kinds_wherever_these_stay(
    real_cluster: RealCluster, values: dict[str, Any], kept: set[tuple[str, str]]
) -> None:
    found = {
        (one["kind"], one["metadata"]["name"])
        for one in rendered(real_cluster, values)
        if one["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    }
    assert found == kept
