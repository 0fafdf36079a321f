"""Who may write what, put to a real API server with real service accounts and impersonated people."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client
from tests.e2e.cluster_api import Cluster, KindClient, refusal, unique_name
from tests.support.manifests import SLACK_VOTER, manifest

from finops.crds.admission import policies
from finops.crds.crd import GROUP

pytestmark = pytest.mark.cluster

HOUSEKEEPER = "system:serviceaccount:kube-system:generic-garbage-collector"
NOT_SELF = "spec.approver.username is not the user who sends this"
NOT_IN_GROUP = "spec.approver.groups names a group the sender is not in"
MAY_NOT_VOUCH = "spec.approver.source is one the sender may not vouch for"
NO_OWN_VOTE = "spec.approver.source is kubernetes, but the sender vouches for others"
ONLY_OPERATOR = "only the finops operator makes and changes ActionRequests and answers Approvals"
PATIENCE_SECONDS = 40


@dataclass(frozen=True, slots=True)
class Policed:
    """A namespace in which the policies hold, with an operator, a bot, and a program without rights to vouch.

    `controller` is a service account of another namespace with every right here, as GitOps controllers have it. Another
    release serves the namespace `neighbour`; each of the two bots, and of the two operators, has all rights in both.
    """

    cluster: Cluster
    namespace: str
    controller: str
    neighbour: str

    def account(self, name: str, namespace: str = "") -> str:
        return f"system:serviceaccount:{namespace or self.namespace}:{name}"

    def approvals(self, user: str = "", group: str = "", namespace: str = "") -> KindClient:
        return self.cluster.kind("Approval", user, group, namespace or self.namespace)

    def requests(self, user: str = "", namespace: str = "") -> KindClient:
        return self.cluster.kind("ActionRequest", user, namespace=namespace or self.namespace)


def _eventually(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {PATIENCE_SECONDS} s")
        time.sleep(0.2)


def _rule(group: str, resources: list[str], verbs: list[str], names: list[str] | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"apiGroups": [group], "resources": resources, "verbs": verbs}
    return {**rule, "resourceNames": names} if names else rule


def _grant(cluster: Cluster, namespace: str, name: str, rules: list[dict[str, Any]], *subjects: dict[str, str]) -> None:
    api = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name, "namespace": namespace}}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    cluster.create(
        {**api, "kind": "Role", "rules": rules},
        {**api, "kind": "RoleBinding", "roleRef": reference, "subjects": list(subjects)},
    )


def _account(namespace: str, name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def _service_account(subject: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": subject["name"], "namespace": subject["namespace"]}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _person(name: str) -> dict[str, str]:
    return {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}


@pytest.fixture(scope="module")
def policed(cluster: Cluster) -> Iterator[Policed]:
    namespace = unique_name("kinds-policed")
    cluster.create_namespace(namespace)
    operator, bot, program = (_account(namespace, name) for name in ("operator", "bot", "program"))
    vote = _rule(GROUP, ["approvals"], ["create", "get", "delete"])
    attest = _rule(GROUP, ["approvalsources"], ["attest"], ["slack"])
    cluster.create(*(_service_account(account) for account in (operator, bot, program)))
    everything = _rule(
        GROUP,
        ["approvals", "approvals/status", "actionrequests", "actionrequests/status"],
        ["create", "get", "patch", "update"],
    )
    _grant(cluster, namespace, "operator", [everything], operator)
    _grant(cluster, namespace, "voter", [vote], bot, program, _person("alice"), _person("carol"))
    _grant(cluster, namespace, "attester", [attest], bot, _person("carol"))
    controller = _account(cluster.namespace, "gitops-controller")
    neighbour = unique_name("kinds-neighbour")
    cluster.create_namespace(neighbour)
    others = [_account(neighbour, name) for name in ("operator", "bot")]
    cluster.create(*(_service_account(account) for account in (controller, *others)))
    _grant(cluster, namespace, "every-right", [_rule("*", ["*"], ["*"])], controller, *others)
    _grant(cluster, neighbour, "every-right", [_rule("*", ["*"], ["*"])], operator, bot, *others)
    # A right to vouch in another namespace must not help here.
    _grant(cluster, cluster.namespace, "attester", [attest], program)
    documents = [*_policies(namespace), *_policies(neighbour)]
    cluster.create(*documents)
    made = Policed(cluster, namespace, f"system:serviceaccount:{cluster.namespace}:gitops-controller", neighbour)
    try:
        _eventually(lambda: _is_refused(made, "Approval"), "the policy on Approvals holds")
        _eventually(lambda: _is_refused(made, "ActionRequest"), "the policy on ActionRequests holds")
        _eventually(lambda: _is_refused(made, "ActionRequest", neighbour), "the neighbour's policies hold")
        yield made
    finally:
        for document in documents:
            cluster.kubectl("delete", document["kind"], document["metadata"]["name"])
        cluster.delete_namespace(namespace)
        cluster.delete_namespace(neighbour)


def _policies(namespace: str) -> list[dict[str, Any]]:
    """What a release brings that serves one namespace and runs in it."""
    users = f"system:serviceaccount:{namespace}:"
    return policies(f"{users}operator", {"slack": f"{users}bot"}, namespace, [namespace])


def _is_refused(policed: Policed, kind: str, namespace: str = "") -> bool:
    """Whether a write that must not pass is refused already: policies take effect a moment after they are made."""
    objects = policed.cluster.kind(kind, namespace=namespace or policed.namespace)
    name = unique_name("probe")
    try:
        objects.create(manifest(kind, name=name))
    except client.ApiException as error:
        return bool(error.status == 403)
    objects.delete(name)
    return False


def _ballot(**approver: Any) -> dict[str, Any]:
    return manifest("Approval", {"spec": {"approver": approver}}, name=unique_name("vote"))


def _refused(message: str, act: Callable[[], object]) -> None:
    with pytest.raises(client.ApiException) as caught:
        act()
    code, said = refusal(caught.value)
    assert (code, message in said) == (403, True), said


def test_every_expression_type_checks_on_the_server(policed: Policed) -> None:
    for document in policies("unused", {}, policed.namespace)[::2]:
        name = document["metadata"]["name"]
        _eventually(functools.partial(_is_type_checked, policed, name), f"{name} is type checked")
        assert not (_policy_status(policed, name) or {}).get("expressionWarnings")


def _is_type_checked(policed: Policed, name: str) -> bool:
    return _policy_status(policed, name) is not None


def _policy_status(policed: Policed, name: str) -> dict[str, Any] | None:
    """What the server's type check of a policy says; None while it has not looked at it."""
    policy = json.loads(policed.cluster.kubectl("get", "validatingadmissionpolicy", name, "-o", "json"))
    status = policy.get("status", {})
    if status.get("observedGeneration") != policy["metadata"]["generation"]:
        return None
    return dict(status.get("typeChecking", {}))


def test_a_person_votes_under_her_own_name(policed: Policed) -> None:
    policed.approvals("alice").create(_ballot(username="alice"))


def test_nobody_votes_under_another_name(policed: Policed) -> None:
    _refused(NOT_SELF, lambda: policed.approvals("alice").create(_ballot(username="bob")))
    _refused(NOT_SELF, lambda: policed.approvals().create(_ballot(username="alice")))


def test_a_voter_may_name_groups_she_is_in(policed: Policed) -> None:
    policed.approvals("alice", "sre").create(_ballot(username="alice", groups=["sre", "system:authenticated"]))


def test_a_voter_may_not_name_groups_she_is_not_in(policed: Policed) -> None:
    _refused(
        NOT_IN_GROUP, lambda: policed.approvals("alice", "sre").create(_ballot(username="alice", groups=["sre", "dba"]))
    )


def test_the_bot_vouches_for_people_in_slack(policed: Policed) -> None:
    policed.approvals(policed.account("bot")).create(_ballot(**SLACK_VOTER, groups=["S0123"]))


def test_a_person_may_not_vouch_even_with_the_right_to(policed: Policed) -> None:
    _refused(MAY_NOT_VOUCH, lambda: policed.approvals("alice").create(_ballot(**SLACK_VOTER)))
    _refused(MAY_NOT_VOUCH, lambda: policed.approvals("carol").create(_ballot(**SLACK_VOTER)))
    _refused(MAY_NOT_VOUCH, lambda: policed.approvals().create(_ballot(**SLACK_VOTER)))


def test_a_program_vouches_only_where_it_has_the_right_to(policed: Policed) -> None:
    elsewhere = policed.cluster.kind("Approval", namespace=policed.cluster.namespace)
    elsewhere.create(_ballot(username="anybody: no policy holds there"))
    _refused(MAY_NOT_VOUCH, lambda: policed.approvals(policed.account("program")).create(_ballot(**SLACK_VOTER)))


def test_a_program_that_vouches_for_nobody_has_its_own_vote(policed: Policed) -> None:
    program = policed.account("program")
    policed.approvals(program).create(_ballot(username=program))


def test_the_bot_has_no_vote_of_its_own(policed: Policed) -> None:
    bot = policed.account("bot")
    _refused(NO_OWN_VOTE, lambda: policed.approvals(bot).create(_ballot(username=bot)))
    _refused(NOT_SELF, lambda: policed.approvals(bot).create(_ballot(username="alice")))


def test_a_controller_with_every_right_vouches_for_nobody(policed: Policed) -> None:
    question = ("auth", "can-i", "attest", "approvalsources.finops.dev/slack", "-n", policed.namespace)
    # The right is there, by the wildcard: it is the name that is missing.
    assert policed.cluster.kubectl(*question, "--as", policed.controller).strip() == "yes"
    _refused(MAY_NOT_VOUCH, lambda: policed.approvals(policed.controller).create(_ballot(**SLACK_VOTER)))
    _refused(NOT_SELF, lambda: policed.approvals(policed.controller).create(_ballot(username="alice")))


def test_a_controller_with_every_right_keeps_its_own_vote(policed: Policed) -> None:
    policed.approvals(policed.controller).create(_ballot(username=policed.controller))


def test_a_controller_with_every_right_neither_makes_requests_nor_answers_votes(policed: Policed) -> None:
    requests = policed.requests(policed.controller)
    _refused(ONLY_OPERATOR, lambda: requests.create(manifest("ActionRequest", name=unique_name("stop-web"))))
    ballot = _ballot(username="alice")
    policed.approvals("alice").create(ballot)
    answer = {"status": {"result": "Counted", "reason": "Eligible", "message": "counted"}}
    controller = policed.approvals(policed.controller)
    _refused(ONLY_OPERATOR, lambda: controller.patch_status(ballot["metadata"]["name"], answer))


def test_of_two_releases_each_bot_vouches_in_its_own_namespaces_alone(policed: Policed) -> None:
    home, neighbour = policed.namespace, policed.neighbour
    for bot, own, foreign in (
        (policed.account("bot"), home, neighbour),
        (policed.account("bot", neighbour), neighbour, home),
    ):
        policed.approvals(bot, namespace=own).create(_ballot(**SLACK_VOTER))
        elsewhere = policed.approvals(bot, namespace=foreign)
        _refused(MAY_NOT_VOUCH, functools.partial(elsewhere.create, _ballot(**SLACK_VOTER)))


def test_of_two_releases_each_operator_makes_requests_in_its_own_namespaces_alone(policed: Policed) -> None:
    home, neighbour = policed.namespace, policed.neighbour
    for operator, own, foreign in (
        (policed.account("operator"), home, neighbour),
        (policed.account("operator", neighbour), neighbour, home),
    ):
        request = manifest("ActionRequest", name=unique_name("stop-web"))
        policed.requests(operator, own).create(request)
        _refused(ONLY_OPERATOR, functools.partial(policed.requests(operator, foreign).create, request))


def test_people_with_every_right_keep_their_own_vote(policed: Policed) -> None:
    policed.approvals("carol").create(_ballot(username="carol"))
    policed.approvals("root", "system:masters").create(_ballot(username="root"))


def test_the_operator_makes_requests_and_writes_their_story(policed: Policed) -> None:
    requests = policed.requests(policed.account("operator"))
    request = manifest("ActionRequest", name=unique_name("stop-web"))
    name = request["metadata"]["name"]
    requests.create(request)
    requests.patch(name, {"metadata": {"annotations": {"example.org/seen": "yes"}}})
    requests.patch_status(name, {"status": {"state": "Pending", "fence": 1}})
    assert requests.get(name)["status"]["state"] == "Pending"


def test_nobody_else_makes_or_changes_requests(policed: Policed) -> None:
    request = manifest("ActionRequest", name=unique_name("stop-web"))
    name = request["metadata"]["name"]
    policed.requests(policed.account("operator")).create(request)
    admin = policed.requests()
    other = manifest("ActionRequest", name=unique_name("stop-web"))
    annotated = {"metadata": {"annotations": {"example.org/seen": "yes"}}}
    _refused(ONLY_OPERATOR, lambda: admin.create(other))
    _refused(ONLY_OPERATOR, lambda: admin.patch(name, annotated))
    _refused(ONLY_OPERATOR, lambda: admin.patch_status(name, {"status": {"state": "Approved"}}))
    _refused(ONLY_OPERATOR, lambda: policed.requests(HOUSEKEEPER).patch_status(name, {"status": {"state": "Approved"}}))


def test_the_control_plane_may_tidy_a_requests_metadata(policed: Policed) -> None:
    request = manifest("ActionRequest", name=unique_name("stop-web"))
    policed.requests(policed.account("operator")).create(request)
    patch = {"metadata": {"finalizers": ["example.org/hold"]}}
    policed.requests(HOUSEKEEPER).patch(request["metadata"]["name"], patch)
    policed.requests(HOUSEKEEPER).patch(request["metadata"]["name"], {"metadata": {"finalizers": None}})


def test_only_the_operator_answers_a_vote(policed: Policed) -> None:
    ballot = _ballot(username="alice")
    name = ballot["metadata"]["name"]
    policed.approvals("alice").create(ballot)
    answer = {"status": {"result": "Counted", "reason": "Eligible", "message": "counted"}}
    _refused(ONLY_OPERATOR, lambda: policed.approvals().patch_status(name, answer))
    policed.approvals(policed.account("operator")).patch_status(name, answer)


def test_a_request_deleted_in_the_foreground_goes_with_its_votes(policed: Policed) -> None:
    request = manifest("ActionRequest", name=unique_name("stop-web"))
    made = policed.requests(policed.account("operator")).create(request)
    metadata = made["metadata"]
    owner = {
        "apiVersion": made["apiVersion"],
        "kind": "ActionRequest",
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    ballot = _ballot(username="root")
    ballot["metadata"]["ownerReferences"] = [{**owner, "blockOwnerDeletion": True}]
    policed.approvals("root", "system:masters").create(ballot)
    policed.cluster.kubectl(
        "delete", "actionrequest", metadata["name"], "-n", policed.namespace, "--cascade=foreground", "--timeout=40s"
    )
    left = policed.cluster.kubectl("get", "approvals", "-n", policed.namespace, "-o", "name")
    assert ballot["metadata"]["name"] not in left
