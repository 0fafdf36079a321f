"""Writes that somebody sends to the API server who may change what is in a namespace; each is drawn as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import urllib3
from hypothesis import strategies as st
from tests.chaos.chaos_world import Doubles
from tests.integration.attacks.attacked import FORMER, GROUP, MEMBER, Attacked, vote_document
from tests.integration.attacks.conftest import EDITOR

Obj = dict[str, Any]
_OURS: Final = "/apis/finops.dev/v1alpha1/namespaces/{namespace}"
_MERGE: Final = "application/merge-patch+json"
_SYSTEM_MAPS: Final = ("finops-operator-freeze", "finops-operator-identities")

_NAMES: Final = st.sampled_from(["own", "vote-0", "vote-1", "forged-alice", "forged-bob"])
_STATES: Final = ("Approved", "Scheduled", "Executing", "Verifying", "Pending", "Succeeded")
_APPROVERS: Final[tuple[Obj, ...]] = (
    *({"source": "kubernetes", "username": name} for name in ("alice", "bob", EDITOR)),
    *({"source": "slack", "slackTeam": "T0FINOPS01", "slackUser": who, "groups": [GROUP]} for who in (MEMBER, FORMER)),
)
_TERMS: Final[tuple[Obj, ...]] = (
    {"required": 1},
    {"approvers": [{"kubernetesUser": EDITOR}]},
    {"required": 1, "approvers": [{"kubernetesUser": EDITOR}, {"kubernetesUser": "alice"}]},
    {"required": 1, "destructive": {"required": 1}},
)
_SPECS: Final[tuple[Obj, ...]] = (
    {"approval": {"required": 1, "approvers": [{"kubernetesUser": EDITOR}]}},
    {"planHash": "0" * 64},
    {"expiresAt": "2039-01-31T09:00:00Z"},
    {"destructive": False},
    {"dryRun": False},
)
_METADATA: Final[tuple[Obj, ...]] = (
    {"ownerReferences": []},
    {"finalizers": ["example.org/kept"]},
    {"annotations": {"finops.dev/approved": "true"}},
)
_COUNTS: Final[Obj] = {"approve": 2, "deny": 0, "required": 2, "summary": "2/2"}
_VERDICT: Final[Obj] = {"result": "Counted", "reason": "Approve", "message": "counted"}


def _write(kind: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(kind), *parts)


WRITES: Final = st.one_of(
    _write("vote", st.sampled_from(_APPROVERS), st.sampled_from(["Approve", "Deny", "Withdraw"]), _NAMES),
    _write("vote status", _NAMES),
    _write("vote spec", _NAMES, st.sampled_from(_APPROVERS)),
    _write("remove vote", _NAMES),
    _write("request spec", st.sampled_from(_SPECS)),
    _write("request status", st.sampled_from(_STATES)),
    _write("copy request", st.sampled_from(_SPECS)),
    _write("request metadata", st.sampled_from(_METADATA)),
    _write("remove request"),
    _write("policy", st.sampled_from(_TERMS)),
    _write("policy status"),
    _write("remove policy"),
    _write("map", st.sampled_from(["{namespace}", "finops-system"]), st.sampled_from(_SYSTEM_MAPS)),
)
"""One write: its kind and what is forged in it."""


def allow(world: Doubles, namespace: str, *, everything: bool) -> None:
    """Give the editor what an editor has in a namespace, or every right on everything that is in it."""
    group = "rbac.authorization.k8s.io"
    all_verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    ours = {"apiGroups": ["finops.dev"]}
    rules = [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": all_verbs},
        {**ours, "resources": ["scanpolicies"], "verbs": all_verbs},
        {**ours, "resources": ["actionrequests", "approvals"], "verbs": ["get", "list", "watch"]},
    ]
    if everything:
        rules.append({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    place = {"apiVersion": f"{group}/v1", "metadata": {"name": "editor", "namespace": namespace}}
    world.k8s.apply(
        {**place, "kind": "Role", "rules": rules},
        {
            **place,
            "kind": "RoleBinding",
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "editor"},
            "subjects": [{"kind": "User", "apiGroup": group, "name": EDITOR}],
        },
    )


def write(attacked: Attacked, parts: tuple[Any, ...]) -> int:
    """Send a write as the editor, who may be refused; return the status of the answer."""
    method, path, body = _call(attacked, *parts)
    k8s = attacked.place.world.k8s
    url = k8s.url + path.format(namespace=attacked.place.namespace)
    headers = {
        "Authorization": f"Bearer {k8s.token(EDITOR)}",
        "Content-Type": _MERGE if method == "PATCH" else "application/json",
    }
    with urllib3.PoolManager(ca_certs=str(k8s.ca_file)) as pool:
        answer = pool.request(method, url, headers=headers, body=json.dumps(body).encode(), retries=False)
    return answer.status


Call = tuple[str, str, Obj]


def _call(attacked: Attacked, kind: str, *parts: Any) -> Call:
    """Return method, path and body of a write."""
    if "request" in kind:
        return _of_request(attacked, kind, *parts)
    return _of_vote(attacked, kind, *parts) if "vote" in kind else _of_policy(kind, *parts)


def _of_vote(attacked: Attacked, kind: str, *parts: Any) -> Call:
    votes = f"{_OURS}/approvals"
    if kind == "vote":
        approver, decision, name = parts
        return "POST", votes, vote_document(attacked, _stamped(approver), decision, name)
    if kind == "vote spec":
        name, approver = parts
        return "PATCH", f"{votes}/{name}", {"spec": {"decision": "Approve", "approver": _stamped(approver)}}
    (name,) = parts
    if kind == "vote status":
        return "PATCH", f"{votes}/{name}/status", {"status": _VERDICT}
    return "DELETE", f"{votes}/{name}", {}


def _of_request(attacked: Attacked, kind: str, *parts: Any) -> Call:
    request = f"{_OURS}/actionrequests/{attacked.proposal.name}"
    if kind == "request status":
        return "PATCH", f"{request}/status", {"status": {"state": parts[0], "votes": _COUNTS, "fence": 0}}
    if kind == "request spec":
        return "PATCH", request, {"spec": parts[0]}
    if kind == "request metadata":
        return "PATCH", request, {"metadata": parts[0]}
    if kind == "copy request":
        return "POST", f"{_OURS}/actionrequests", _copy(attacked, parts[0])
    return "DELETE", request, {}


def _of_policy(kind: str, *parts: Any) -> Call:
    policy = f"{_OURS}/scanpolicies/p"
    if kind == "policy":
        return "PATCH", policy, {"spec": {"approval": parts[0]}}
    if kind == "policy status":
        return "PATCH", f"{policy}/status", {"status": {"observedGeneration": 99}}
    if kind == "remove policy":
        return "DELETE", policy, {}
    namespace, name = parts
    path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"
    return "PATCH", path, {"data": {"frozen": "false", EDITOR: "k8s.bob"}}


def _stamped(approver: Mapping[str, Any]) -> Obj:
    if approver["source"] != "slack":
        return dict(approver)
    return {**approver, "attestedAt": datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")}


def _copy(attacked: Attacked, change: Mapping[str, Any]) -> Obj:
    """Return a request like the proposed one with other terms; an empty object when that is gone."""
    for one in attacked.place.objects("actionrequests"):
        metadata = {"name": "copied", "namespace": attacked.place.namespace}
        kind = {"apiVersion": one["apiVersion"], "kind": one["kind"]}
        return {**kind, "metadata": metadata, "spec": {**one["spec"], **change}}
    return {}
