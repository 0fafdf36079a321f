"""How the chart runs the dashboard, and by which ways it can be opened."""

from __future__ import annotations

import pytest
from tests.e2e.chart.rendering import (
    COMPONENT,
    EVERYTHING,
    environment,
    named,
    of_kind,
    pods_by_component,
    refusal,
    rendered,
)
from tests.e2e.cluster import RealCluster

pytestmark = pytest.mark.cluster

NAME = "finops-finops-operator-web"
INGRESS = {"enabled": True, "className": "nginx", "hosts": ["finops.test"], "tls": [{"secretName": "finops"}]}


def test_its_account_is_bound_to_no_role_and_its_pod_holds_no_token_and_no_credential_of_others(
    real_cluster: RealCluster,
) -> None:
    documents = rendered(real_cluster, EVERYTHING)
    bound = [
        subject["name"]
        for binding in of_kind(documents, "RoleBinding", "ClusterRoleBinding")
        for subject in binding["subjects"]
    ]
    assert NAME not in bound
    pod = pods_by_component(documents)["web"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    (projected,) = [one["projected"]["sources"] for one in pod["volumes"] if "projected" in one]
    assert projected == [{"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]
    known = environment(pods_by_component(documents)["web"], "web")
    assert not [name for name in known if name.startswith(("AWS_", "SLACK_"))]
    keys = {
        one["valueFrom"]["secretKeyRef"]["key"] for one in known.values() if "secretKeyRef" in one.get("valueFrom", {})
    }
    # The ledger's public key is no secret: by it the page checks what the operator signed.
    assert keys == {"web-password", "web-session-key", "ledger-public-key"}


def test_nothing_of_it_is_left_when_it_is_switched_off(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster, {**EVERYTHING, "web.enabled": False, "web.ingress": INGRESS})
    assert "web" not in {one["metadata"].get("labels", {}).get(COMPONENT) for one in documents}
    assert NAME not in {one["metadata"]["name"] for one in documents}


def test_it_is_opened_to_the_outside_only_when_the_values_say_so(real_cluster: RealCluster) -> None:
    assert not of_kind(rendered(real_cluster, EVERYTHING), "Ingress", "HTTPRoute")

    ingress = named(rendered(real_cluster, {"web.ingress": INGRESS}), "Ingress", NAME)["spec"]
    assert (ingress["ingressClassName"], ingress["tls"]) == ("nginx", [{"secretName": "finops"}])
    (rule,) = ingress["rules"]
    assert rule["host"] == "finops.test"
    assert rule["http"]["paths"][0]["backend"] == {"service": {"name": NAME, "port": {"name": "http"}}}

    route = {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["finops.test"]}
    found = named(rendered(real_cluster, {"web.httpRoute": route}), "HTTPRoute", NAME)["spec"]
    assert (found["parentRefs"], found["hostnames"]) == ([{"name": "gateway"}], ["finops.test"])
    assert found["rules"] == [{"backendRefs": [{"name": NAME, "port": 8080}]}]


@pytest.mark.parametrize(("kind", "field"), [("ingress", "hosts"), ("httpRoute", "parentRefs")])
def test_a_way_in_without_an_address_is_refused(real_cluster: RealCluster, kind: str, field: str) -> None:
    assert f"web.{kind}.{field} is empty" in refusal(real_cluster, {f"web.{kind}.enabled": True})
