"""What tests can ask of the double beyond the API: audit, tokens, manifests, rules that are not evaluated."""

import gc
import socket
import stat
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
import yaml
from tests.unit.sandbox_kubernetes.conftest import box

from finops_sandbox.kubernetes import KubernetesDouble, ManifestError, ServiceAccount, User


def _get(double: KubernetesDouble, path: str, token: str | None) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib3.PoolManager(ca_certs=str(double.ca_file)) as pool:
        return pool.request("GET", double.url + path, headers=headers, retries=False)


def test_probes_answer_without_a_token_and_nothing_else_does(double: KubernetesDouble) -> None:
    assert _get(double, "/readyz", None).data == b"ok"
    assert _get(double, "/api/v1/secrets", None).status == 403
    assert _get(double, "/api/v1/secrets", "stolen").status == 401
    assert _get(double, "/api/v1/secrets", double.token("admin")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "content_type", "body", "advice"),
    [
        (
            "PATCH",
            "/apis/unit.finops.dev/v1/namespaces/default/boxes/none",
            "application/apply-patch+yaml",
            b"{}",
            "leave --server-side out, or send a merge patch",
        ),
        (
            "POST",
            "/api/v1/namespaces/default/configmaps",
            "application/vnd.kubernetes.protobuf",
            b"k8s\x00\x0a\x00",
            "send JSON, for example with kubectl apply -f",
        ),
    ],
)
def test_what_the_double_does_not_speak_is_refused_with_what_to_do_instead(
    double: KubernetesDouble, method: str, path: str, content_type: str, body: bytes, advice: str
) -> None:
    headers = {"Authorization": f"Bearer {double.token('admin')}", "Content-Type": content_type}
    with urllib3.PoolManager(ca_certs=str(double.ca_file)) as pool:
        answer = pool.request(method, double.url + path, body=body, headers=headers, retries=False)
    assert (answer.status, answer.json()["reason"]) == (415, "UnsupportedMediaType")
    assert advice in answer.json()["message"]


def test_the_kubeconfig_has_a_context_per_account_and_is_private(double: KubernetesDouble) -> None:
    content = yaml.safe_load(double.kubeconfig_for("bot").read_text())
    assert [c["name"] for c in content["contexts"]] == ["admin", "alice", "bob", "operator", "bot"]
    assert content["current-context"] == "bot"
    assert stat.S_IMODE(double.kubeconfig.stat().st_mode) == 0o600


def test_the_audit_log_says_who_did_what_to_which_object(double: KubernetesDouble) -> None:
    _get(double, "/apis/unit.finops.dev/v1/namespaces/default/boxes/x", double.token("bob"))
    last = double.audit()[-1]
    assert (last["verb"], last["user"]["username"], last["responseStatus"]["code"]) == ("get", "bob", 403)
    assert last["objectRef"] == {
        "resource": "boxes",
        "namespace": "default",
        "name": "x",
        "apiGroup": "unit.finops.dev",
        "apiVersion": "v1",
    }


def test_manifests_replace_what_is_there_and_keep_its_identity(double: KubernetesDouble) -> None:
    (first,) = double.apply(box("a", 1))
    (second,) = double.apply({**box("a", 2), "status": {"seen": 5}})
    assert second["metadata"]["uid"] == first["metadata"]["uid"]
    assert (second["metadata"]["generation"], second["status"]) == (2, {"seen": 5})
    assert [o["spec"]["size"] for o in double.objects("boxes.unit.finops.dev")] == [2]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"apiVersion": "v9", "kind": "Nothing", "metadata": {"name": "x"}}, "no kind 'Nothing' in 'v9' is known"),
        ({"apiVersion": "v1"}, "a manifest needs apiVersion and kind"),
        (box("Not A Name"), "metadata.name"),
    ],
)
def test_a_manifest_that_cannot_be_loaded_says_why(double: KubernetesDouble, document: Any, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        double.apply(document)


def test_a_missing_manifest_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.yaml"), KubernetesDouble(tmp_path, manifests=["absent.yaml"]):
        raise AssertionError


def test_schema_rules_that_cannot_be_evaluated_are_listed_and_logged(
    tmp_path: Path, definition: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["x-kubernetes-validations"] = [
        {"rule": "cidr('10.0.0.0/8').containsIP('10.1.1.1')"},
        {"rule": "self.?size.orValue(1) > 0"},
        {"rule": "self.size > 0", "message": "positive"},
    ]
    with KubernetesDouble(tmp_path, crds=[definition]) as double:
        listed = double.not_evaluated
        assert [text.partition(" (")[0] for text in listed] == [
            "Box.unit.finops.dev spec: cidr('10.0.0.0/8').containsIP('10.1.1.1')",
            "Box.unit.finops.dev spec: self.?size.orValue(1) > 0",
        ]
        assert all(f"not evaluated: {text}" in caplog.text for text in listed)
        with pytest.raises(ManifestError, match="positive"):
            double.apply(box("a", 0))


def _policy(expression: str, failure: str) -> list[dict[str, Any]]:
    rule = {"apiGroups": ["unit.finops.dev"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["boxes"]}
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": "p"}}
    spec = {
        "failurePolicy": failure,
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression}],
    }
    bound = {"policyName": "p", "validationActions": ["Deny"]}
    return [
        {**head, "kind": "ValidatingAdmissionPolicy", "spec": spec},
        {**head, "kind": "ValidatingAdmissionPolicyBinding", "spec": bound},
    ]


def test_a_policy_that_cannot_be_evaluated_refuses_and_is_listed(double: KubernetesDouble) -> None:
    double.apply(*_policy("params.limit.asInteger() > 1", "Fail"))
    assert len(double.not_evaluated) == 1
    with pytest.raises(ManifestError, match="cannot be evaluated here"):
        double.apply(box("a"))


def test_a_policy_that_may_be_ignored_is_ignored_but_still_listed(double: KubernetesDouble) -> None:
    double.apply(*_policy("nonsense(object)", "Ignore"))
    assert len(double.not_evaluated) == 1
    assert double.apply(box("a"))


def test_people_and_programs_can_be_named(tmp_path: Path) -> None:
    users, robots = [User("root", ("system:masters",))], [ServiceAccount("web", "shop", "web")]
    with KubernetesDouble(tmp_path, users=users, service_accounts=robots) as double:
        assert [o["metadata"]["name"] for o in double.objects("serviceaccounts")] == ["web"]
        assert _get(double, "/api/v1/namespaces/shop", double.token("root")).status == 200
        assert _get(double, "/api/v1/namespaces/shop", double.token("web")).status == 403


def test_to_act_as_another_is_a_right_of_its_own(double: KubernetesDouble) -> None:
    def listed(token: str, **headers: str) -> tuple[int, str]:
        sent = {
            "Authorization": f"Bearer {double.token(token)}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        with urllib3.PoolManager(ca_certs=str(double.ca_file)) as pool:
            answer = pool.request("GET", f"{double.url}/api/v1/namespaces", headers=sent, retries=False)
        return answer.status, str(answer.json().get("message", ""))

    assert listed("admin", Impersonate_User="bob") == (
        403,
        'namespaces is forbidden: User "bob" cannot list resource "namespaces" in API group "" at the cluster scope',
    )
    assert listed("admin", Impersonate_User="x", Impersonate_Group="system:masters")[0] == 200
    assert listed("bob", Impersonate_User="admin") == (
        403,
        (
            'users "admin" is forbidden: User "bob" cannot impersonate resource "users" in API group "" '
            "at the cluster scope"
        ),
    )
    assert listed("bob", Impersonate_Group="system:masters")[0] == 400
    assert listed("bob", Impersonate_User="system:serviceaccount:a:b")[1].startswith('serviceaccounts "b" is forbidden')


def test_a_client_that_never_finishes_its_handshake_is_disconnected_when_the_double_stops(tmp_path: Path) -> None:
    with KubernetesDouble(tmp_path) as cluster:
        address = urlsplit(cluster.url)
        client = socket.create_connection((address.hostname, address.port), timeout=10)
        assert _get(cluster, "/readyz", None).status == 200

    with warnings.catch_warnings(record=True) as found, client:
        warnings.simplefilter("always")
        del cluster
        gc.collect()
        assert client.recv(1) == b""
    assert [str(one.message) for one in found if "unclosed transport" in str(one.message)] == []
