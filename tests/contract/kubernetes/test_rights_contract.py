"""Who may do what: roles, reviews, and the admission policy that binds a vote to its author."""

import pytest
from tests.contract.kubernetes.worlds import RBAC, Api, Obj, eventually, probe, unique


def _grant(api: Api, user: str, *rules: Obj) -> None:
    """A role and a binding in the namespace of the test."""
    name = unique("role")
    metadata = {"name": name, "namespace": api.world.namespace}
    subject = {"kind": "User", "name": user, "apiGroup": RBAC}
    if user == "bot":
        subject = {"kind": "ServiceAccount", "name": "bot", "namespace": api.world.namespace}
    reference = {"apiGroup": RBAC, "kind": "Role", "name": name}
    api.install(
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": list(rules)},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": reference,
            "subjects": [subject],
        },
    )


def _rule(group: str, resources: list[str], verbs: list[str], names: list[str] | None = None) -> Obj:
    rule: Obj = {"apiGroups": [group], "resources": resources, "verbs": verbs}
    return {**rule, "resourceNames": names} if names else rule


READ_PROBES = _rule("contract.finops.dev", ["probes"], ["get", "list", "watch"])
WRITE_PROBES = _rule("contract.finops.dev", ["probes"], ["get", "create"])


def test_without_a_role_everything_is_forbidden_in_the_servers_words(api: Api) -> None:
    listed = api.call("GET", api.probes, user="bob")
    assert (listed.code, listed.body["reason"]) == (403, "Forbidden")
    assert listed.message == (
        'probes.contract.finops.dev is forbidden: User "bob" cannot list resource "probes" in API group '
        f'"contract.finops.dev" in the namespace "{api.world.namespace}"'
    )
    assert listed.body["details"] == {"group": "contract.finops.dev", "kind": "probes"}
    one = api.call("GET", f"{api.probes}/x/status", user="bob")
    assert one.message == (
        'probes.contract.finops.dev "x" is forbidden: User "bob" cannot get resource "probes/status" in API group '
        f'"contract.finops.dev" in the namespace "{api.world.namespace}"'
    )
    everywhere = api.call("GET", "/api/v1/namespaces", user="bob")
    assert everywhere.message == (
        'namespaces is forbidden: User "bob" cannot list resource "namespaces" in API group "" at the cluster scope'
    )


def test_a_role_grants_its_verbs_and_nothing_else(api: Api) -> None:
    _grant(api, "alice", READ_PROBES)
    eventually(lambda: api.call("GET", api.probes, user="alice").code == 200)
    assert api.call("POST", api.probes, probe({"text": "a"}), user="alice").code == 403
    assert api.call("GET", f"{api.core}/configmaps", user="alice").code == 403
    assert api.call("GET", "/apis/contract.finops.dev/v1/probes", user="alice").code == 403


def test_a_right_can_be_limited_to_names(api: Api) -> None:
    for name in ("a", "b"):
        api.create({"text": "x"}, name)
    _grant(api, "alice", _rule("contract.finops.dev", ["probes"], ["get", "list"], ["a"]))
    eventually(lambda: api.call("GET", f"{api.probes}/a", user="alice").code == 200)
    assert api.call("GET", f"{api.probes}/b", user="alice").code == 403
    assert api.call("GET", api.probes, user="alice").code == 403
    assert api.call("GET", api.probes, user="alice", query={"fieldSelector": "metadata.name=a"}).code == 200


def test_status_is_a_right_of_its_own(api: Api) -> None:
    api.create({"text": "x"})
    _grant(api, "bot", _rule("contract.finops.dev", ["probes/status"], ["patch"]))
    patch = {"status": {"note": "n"}}
    where, kind = f"{api.probes}/p", "application/merge-patch+json"
    eventually(lambda: api.call("PATCH", f"{where}/status", patch, user="bot", content_type=kind).code == 200)
    assert api.call("PATCH", where, patch, user="bot", content_type=kind).code == 403


def test_access_reviews_answer_for_a_user_and_for_oneself(api: Api) -> None:
    _grant(api, "alice", READ_PROBES)
    asked = {"verb": "list", "group": "contract.finops.dev", "resource": "probes", "namespace": api.world.namespace}
    path = "/apis/authorization.k8s.io/v1"

    def allowed(verb: str) -> bool:
        spec = {"user": "alice", "resourceAttributes": {**asked, "verb": verb}}
        answer = api.call("POST", f"{path}/subjectaccessreviews", {"spec": spec})
        assert answer.code == 201
        return bool(answer.body["status"]["allowed"])

    eventually(lambda: allowed("list"))
    assert not allowed("delete")
    own = {"spec": {"resourceAttributes": asked}}
    mine = api.call("POST", f"{path}/selfsubjectaccessreviews", own, user="alice").body["status"]
    assert mine["allowed"] is True
    assert mine["reason"].startswith("RBAC: allowed by RoleBinding")
    theirs = api.call("POST", f"{path}/selfsubjectaccessreviews", own, user="bob").body["status"]
    assert theirs["allowed"] is False
    rules = api.call(
        "POST", f"{path}/selfsubjectrulesreviews", {"spec": {"namespace": api.world.namespace}}, user="alice"
    )
    found = [rule for rule in rules.body["status"]["resourceRules"] if rule["resources"] == ["probes"]]
    assert found[0]["verbs"] == ["get", "list", "watch"]


def test_identity_reviews_say_who_one_is_and_refuse_unknown_tokens(api: Api) -> None:
    path = "/apis/authentication.k8s.io/v1"
    info = api.call("POST", f"{path}/selfsubjectreviews", {}, user="alice").body["status"]["userInfo"]
    assert info["username"] == "alice"
    assert set(info["groups"]) == {"sre", "system:authenticated"}
    unknown = api.call("POST", f"{path}/tokenreviews", {"spec": {"token": "nonsense"}}).body["status"]
    assert unknown["user"] == {}
    assert unknown["error"]
    assert not unknown.get("authenticated")


def _policy(api: Api, *validations: Obj, **spec: object) -> Obj:
    rule = {
        "apiGroups": ["contract.finops.dev"],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE", "DELETE"],
        "resources": ["probes"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": unique("policy")},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "validations": list(validations),
            **spec,
        },
    }


def _enforce(api: Api, policy: Obj) -> str:
    """Install a policy with its binding; wait until the server enforces it (a real one takes a moment)."""
    name = str(policy["metadata"]["name"])
    canary = {"expression": f"object == null || object.metadata.name != '{name}'", "message": "canary"}
    policy["spec"]["validations"].insert(0, canary)
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": api.world.namespace}}}
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": where},
    }
    api.install(policy, binding)

    def refused() -> bool:
        return api.call("POST", api.probes, probe({"text": "a"}, name), query={"dryRun": "All"}).code == 422

    eventually(refused)
    api.after_close.append(lambda: eventually(lambda: not refused()))
    return name


AUTHOR_RULES = (
    {
        "expression": "variables.source != 'kubernetes' || variables.person == request.userInfo.username",
        "messageExpression": "'you are ' + request.userInfo.username + ', not ' + variables.person",
    },
    {
        "expression": "variables.source != 'kubernetes' || variables.groups.all(g, g in request.userInfo.groups)",
        "message": "you are not in these groups",
        "reason": "Forbidden",
    },
    {
        "expression": (
            "variables.source == 'kubernetes' || (request.userInfo.username.startsWith('system:serviceaccount:') && "
            "authorizer.group('finops.dev').resource('approvalsources').namespace(request.namespace)"
            ".name(variables.source).check('attest').allowed())"
        ),
        "message": "you may not attest this source",
    },
)
AUTHOR_VARIABLES = [
    {"name": "source", "expression": "object.metadata.annotations['source']"},
    {"name": "person", "expression": "object.metadata.annotations['person']"},
    {
        "name": "groups",
        "expression": "'groups' in object.metadata.annotations ? object.metadata.annotations['groups'].split(',') : []",
    },
]


def _vote(api: Api, user: str, name: str, **annotations: str) -> tuple[int, str]:
    answer = api.call("POST", api.probes, probe({"text": "a"}, name, annotations=annotations), user=user)
    return answer.code, answer.message


@pytest.fixture
def voting(api: Api) -> str:
    """The policy that binds a vote to its author; bot may attest slack, everybody may create."""
    for user in ("alice", "bob", "bot"):
        _grant(api, user, WRITE_PROBES)
    _grant(api, "bot", _rule("finops.dev", ["approvalsources"], ["attest"], ["slack"]))
    policy = _policy(api, *AUTHOR_RULES, variables=AUTHOR_VARIABLES)
    policy["spec"]["matchConditions"] = [
        {"name": "votes", "expression": "request.operation == 'CREATE' && !object.metadata.name.startsWith('free')"},
    ]
    return _enforce(api, policy)


def test_a_vote_names_its_author_and_only_groups_the_author_is_in(api: Api, voting: str) -> None:
    denied = f"ValidatingAdmissionPolicy '{voting}' with binding '{voting}' denied request: "
    assert _vote(api, "alice", "v1", source="kubernetes", person="alice", groups="sre")[0] == 201
    forged = _vote(api, "alice", "v2", source="kubernetes", person="bob")
    assert forged == (422, f'probes.contract.finops.dev "v2" is forbidden: {denied}you are alice, not bob')
    grouped = _vote(api, "bob", "v3", source="kubernetes", person="bob", groups="sre")
    assert grouped == (403, f'probes.contract.finops.dev "v3" is forbidden: {denied}you are not in these groups')


def test_only_a_service_account_with_the_right_may_attest_and_only_its_source(api: Api, voting: str) -> None:
    assert _vote(api, "bot", "v1", source="slack", person="U1")[0] == 201
    for user, source in (("bot", "web"), ("alice", "slack"), ("admin", "slack")):
        code, message = _vote(api, user, "v2", source=source, person="U1")
        assert code == 422, (user, source)
        assert message.endswith("denied request: you may not attest this source")
    assert _vote(api, "bot", "v3", source="kubernetes", person="alice")[0] == 422


def test_an_expression_that_fails_refuses_and_a_condition_that_does_not_match_lets_pass(api: Api, voting: str) -> None:
    code, message = _vote(api, "alice", "v1")
    assert code == 422
    assert "resulted in error" in message
    assert _vote(api, "alice", "free1")[0] == 201


def test_a_policy_can_ask_whether_the_author_may_do_something_else_with_the_object(api: Api) -> None:
    policy = _policy(
        api,
        {
            "expression": "authorizer.requestResource.check('delete').allowed()",
            "message": "who makes must be able to remove",
        },
    )
    for user in ("alice", "bob"):
        _grant(api, user, WRITE_PROBES)
    _grant(api, "bob", _rule("contract.finops.dev", ["probes"], ["delete"]))
    _enforce(api, policy)
    assert _vote(api, "bob", "v1")[0] == 201
    assert _vote(api, "alice", "v2")[1].endswith("who makes must be able to remove")


def test_a_policy_sees_what_was_and_which_operation_it_is(api: Api) -> None:
    policy = _policy(
        api,
        {
            "expression": "request.operation != 'UPDATE' || object.spec.text == oldObject.spec.text",
            "message": "text is fixed",
        },
        {"expression": "request.operation != 'DELETE' || oldObject.spec.count < 5", "message": "too many to delete"},
    )
    name = _enforce(api, policy)
    api.create({"text": "a", "count": 6})
    where, kind = f"{api.probes}/p", "application/merge-patch+json"
    refused = api.call("PATCH", where, {"spec": {"text": "b"}}, content_type=kind)
    assert (refused.code, refused.message.rpartition(": ")[2]) == (422, "text is fixed")
    assert refused.body["details"]["causes"][0]["message"].startswith(f"ValidatingAdmissionPolicy '{name}'")
    assert api.call("DELETE", where).message.endswith("too many to delete")
    assert api.call("PATCH", where, {"spec": {"count": 4}}, content_type=kind).code == 200
    assert api.call("DELETE", where).code == 200
