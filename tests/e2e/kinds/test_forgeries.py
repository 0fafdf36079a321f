"""Every forgery of the security page, tried by everybody on a real API server with the chart's own roles."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubernetes import client
from tests.e2e.cluster_api import Cluster, Object, refusal, unique_name
from tests.support.forgeries import (
    FORGERIES,
    NO_RIGHT,
    ONLY_ADMINISTRATORS,
    WHO,
    Call,
    Forgery,
    Place,
    refused_to_all,
    tries,
)
from tests.support.manifests import manifest

pytestmark = pytest.mark.cluster

CHART: Final = Path(__file__).parents[3] / "charts" / "finops-operator"
NAME: Final = "finops-operator"
RBAC: Final = "rbac.authorization.k8s.io"
RIGHTS: Final = frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount"})
ADMISSION: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})
CLUSTER_WIDE: Final = ("Cluster", "Validating")
PEOPLE: Final = {"viewer": "victor", "editor": "edith", "approver": "carol"}
PATIENCE_SECONDS: Final = 40
HTTP_REFUSED: Final = 400


@dataclass(frozen=True, slots=True)
class Stage:
    """A release's rights and admission policies, a namespace it serves, and a client for everybody who tries."""

    cluster: Cluster
    place: Place
    clients: dict[str, client.ApiClient]

    def send(self, who: str, call: Call) -> None:
        """Send a call. Raises ApiException when it is refused."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if call.method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        api = self.clients[who]
        sent = api.param_serialize(
            call.method, call.path, header_params=headers, body=call.body, auth_settings=["BearerToken"]
        )
        answer = api.call_api(*sent)
        text = (answer.read() or b"").decode()
        if answer.status >= HTTP_REFUSED:
            raise client.ApiException(http_resp=answer, body=text)

    def attacked(self) -> dict[tuple[str, str], Any]:
        """Return what must be as it was: specs, statuses and data of all objects that are attacked."""
        team, system, release = self.place.team, self.place.system, self.place.release
        found: dict[tuple[str, str], Any] = {}
        for kind, namespace, names in (
            ("actionrequests,approvals,scanpolicies", team, ()),
            ("configmaps,leases,secrets", system, ()),
            ("awsaccounts", "", ("production",)),
            ("validatingadmissionpolicies", "", (f"{release}-{system}-voter",)),
            ("validatingadmissionpolicybindings", "", (f"{release}-{system}-voter",)),
        ):
            where = ("-n", namespace) if namespace else ()
            listed = json.loads(self.cluster.kubectl("get", kind, *names, *where, "-o", "json"))
            for one in listed.get("items", [listed]):
                kept = {key: value for key, value in one.items() if key in {"spec", "data"}}
                state = one.get("status", {}) if one["kind"] in {"ActionRequest", "Approval"} else {}
                found[one["kind"], one["metadata"]["name"]] = (kept, state)
        return found


def _rendered(namespace: str, team: str) -> list[Object]:
    settings = f"slack.existingSecret=slack,web.enabled=true,watch.namespaces={{{team}}}"
    command = ["helm", "template", NAME, str(CHART), "--namespace", namespace, "--set", settings]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    made = [one for one in yaml.safe_load_all(text) if one]
    policed = [
        one for one in made if one["kind"] in ADMISSION and one["metadata"]["name"].endswith(("-voter", "-writes"))
    ]
    found = [one for one in made if one["kind"] in RIGHTS] + policed
    for one in found:
        if not one["kind"].startswith(CLUSTER_WIDE):
            one["metadata"].setdefault("namespace", namespace)
    return found


def _bind(team: str, role: Object, subject: Object) -> Object:
    metadata = {"name": unique_name("forger"), "namespace": team}
    reference = {"apiGroup": RBAC, **role}
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": reference,
        "subjects": [subject],
    }


def _people(place: Place) -> list[Object]:
    """Return the bindings that an administrator makes for people, and the controller with every right."""
    prefix = f"{place.release}-{place.system}"
    roles = {"viewer": ("view",), "editor": ("view", "edit"), "approver": ("view", "approver")}
    controller = {"kind": "ServiceAccount", "name": "controller", "namespace": place.team}
    return [
        *(
            _bind(
                place.team,
                {"kind": "ClusterRole", "name": f"{prefix}-{role}"},
                {"kind": "User", "apiGroup": RBAC, "name": name},
            )
            for who, name in PEOPLE.items()
            for role in roles[who]
        ),
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "controller", "namespace": place.team}},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "Role",
            "metadata": {"name": "everything", "namespace": place.team},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
        },
        _bind(place.team, {"kind": "Role", "name": "everything"}, controller),
    ]


def _platform(place: Place) -> list[Object]:
    """Return a controller with every right in the cluster, as platforms bind them; an administrator by another name."""
    name = f"{place.team}-platform"
    metadata = {"name": name}
    every = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    subject = {"kind": "ServiceAccount", "name": "platform", "namespace": place.team}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "platform", "namespace": place.team}},
        {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": [every]},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
            "subjects": [subject],
        },
    ]


def _attacked_objects(place: Place) -> list[Object]:
    core = {"apiVersion": "v1"}
    system = {"namespace": place.system}
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "operator-0"}}
    return [
        {**core, "kind": "ConfigMap", "metadata": {"name": f"{NAME}-freeze", **system}, "data": {"frozen": "true"}},
        {**core, "kind": "ConfigMap", "metadata": {"name": f"{NAME}-identities", **system}},
        {**core, "kind": "Secret", "metadata": {"name": f"{NAME}-secrets", **system}, "stringData": {"key": "secret"}},
        {**lease, "metadata": {"name": f"{NAME}-executor", **system}},
        manifest("AwsAccount", name="production"),
        {**manifest("ScanPolicy", name="p"), "metadata": {"name": "p", "namespace": place.team}},
    ]


def _clients(cluster: Cluster, place: Place) -> dict[str, client.ApiClient]:
    account = f"system:serviceaccount:{place.system}:{NAME}"
    controller = f"system:serviceaccount:{place.team}:controller"
    speakers = {
        "nobody": "system:anonymous",
        "stranger": "mallory",
        **PEOPLE,
        "bot": f"{account}-slackbot",
        "dashboard": f"{account}-web",
        "controller": controller,
        "operator": account,
        "alice": "alice",
    }
    made = {who: cluster.api(user) for who, user in speakers.items()}
    # With tokens of their own: who speaks for another already cannot speak for a third.
    made["impostor"] = _by_token(cluster, place, "controller")
    made["impostor"].set_default_header("Impersonate-User", speakers["operator"])
    for who, speaks_as in (("namespaced as bot", "controller"), ("platform", "platform"), ("as bot", "platform")):
        made[who] = _by_token(cluster, place, speaks_as)
        if who.endswith("as bot"):
            made[who].set_default_header("Impersonate-User", speakers["bot"])
    return made


def _by_token(cluster: Cluster, place: Place, account: str) -> client.ApiClient:
    token = cluster.kubectl("create", "token", account, "-n", place.team).strip()
    plain = cluster.api().configuration
    own = client.Configuration()
    own.host, own.ssl_ca_cert = plain.host, plain.ssl_ca_cert
    own.api_key = {"authorization": f"Bearer {token}"}
    return client.ApiClient(own)


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    system, team = unique_name("forged-system"), unique_name("forged-team")
    place = Place(NAME, system, team)
    for namespace in (system, team):
        cluster.create_namespace(namespace)
    documents = _rendered(system, team) + _platform(place)
    cluster.create(*documents, *_people(place), *_attacked_objects(place))
    try:
        made = Stage(cluster, place, _clients(cluster, place))
        grants = [{"kind": "User", "apiGroup": RBAC, "name": "alice"}]
        role = {"kind": "ClusterRole", "name": f"{NAME}-{system}-approver"}
        cluster.create(*(_bind(team, role, subject) for subject in grants))
        _prepare(made)
        yield made
    finally:
        for document in documents:
            if document["kind"].startswith(CLUSTER_WIDE):
                cluster.kubectl("delete", document["kind"], document["metadata"]["name"])
        cluster.kubectl("delete", "awsaccount", "production")
        cluster.delete_namespace(team)
        cluster.delete_namespace(system)


def _prepare(stage: Stage) -> None:
    """Make the request and the vote that are attacked, once the admission policies hold."""
    place = stage.place
    probe = next(one for one in FORGERIES if one.admitted == {"controller"})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_refused(stage, probe):
        assert time.monotonic() < deadline, "the admission policies do not hold"
        time.sleep(0.2)
    path = f"/apis/finops.dev/v1alpha1/namespaces/{place.team}"
    request = manifest("ActionRequest", name=place.request)
    stage.send("operator", Call("POST", f"{path}/actionrequests", request))
    ballot = manifest("Approval", name=place.vote)
    stage.send("alice", Call("POST", f"{path}/approvals", ballot))


def _is_refused(stage: Stage, forgery: Forgery) -> bool:
    call = forgery.call(stage.place)
    try:
        stage.send("controller", call)
    except client.ApiException as error:
        return bool(error.status == 403)
    stage.send("controller", Call("DELETE", f"{call.path}/{call.body['metadata']['name']}"))
    return False


@pytest.mark.parametrize(("forgery", "who"), tries(), ids=[f"{who}: {one.words}" for one, who in tries()])
def test_a_forgery_is_refused_and_changes_nothing(forgery: Forgery, who: str, stage: Stage) -> None:
    with pytest.raises(client.ApiException) as caught:
        stage.send(who, forgery.call(stage.place))
    code, said = refusal(caught.value)
    assert code in {403, 422}, said
    assert forgery.said in said if who in forgery.admitted else NO_RIGHT.search(said), said


@pytest.mark.parametrize("forgery", refused_to_all(), ids=[one.words for one in refused_to_all()])
def test_every_right_in_the_cluster_forges_nothing_under_its_own_name(forgery: Forgery, stage: Stage) -> None:
    with pytest.raises(client.ApiException) as caught:
        stage.send("platform", forgery.call(stage.place))
    code, said = refusal(caught.value)
    assert code in {403, 422}, said
    assert forgery.said in said


def test_speaking_as_the_bot_takes_every_right_in_the_cluster(stage: Stage) -> None:
    """The security page says so: who may impersonate it or make tokens for it is an administrator."""
    token, vote = (call(stage.place) for call in ONLY_ADMINISTRATORS.values())
    stage.send("platform", token)
    stage.send("as bot", vote)

    for who, call in (("controller", token), ("namespaced as bot", vote)):
        with pytest.raises(client.ApiException) as caught:
            stage.send(who, call)
        code, said = refusal(caught.value)
        assert code == 403, said
        assert NO_RIGHT.search(said), said


def test_after_all_forgeries_every_object_is_as_it_was(stage: Stage) -> None:
    before = stage.attacked()
    for forgery, who in tries():
        with pytest.raises(client.ApiException):
            stage.send(who, forgery.call(stage.place))
    assert stage.attacked() == before


def test_enough_is_tried_by_enough_kinds_of_people() -> None:
    assert len(tries()) >= 40
    assert len({who for _, who in tries()}) == len(WHO) >= 6
