"""Rights against need: the API server's audit log of what operator and bot asked for, beside what their roles say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.e2e.cluster import Object, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import account
from tests.e2e.doubles import REGION
from tests.e2e.loop.scans import IN_PODS, scanned
from tests.e2e.loop.world import Loop, state_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One verb on one resource, of one name if the role says so."""

    group: str
    resource: str
    verb: str
    name: str = ""


RARE = {
    Right(
        "finops.dev", "approvals", "get"
    ): "operator: read again after a conflict; bot: the same vote was sent before",
    Right("finops.dev", "actionrequests", "delete"): "only 30 days after a request has ended",
    Right("finops.dev", "budgets/status", "patch"): "only where somebody has made a Budget",
    Right("", "configmaps", "patch", "-freeze"): "only when the ledger's sinks tell different stories",
    Right("finops.dev", "scanpolicies", "patch"): "the watch canary touches one after a minute without any write",
    Right("finops.dev", "awsaccounts", "patch"): "the watch canary, as above",
    Right("finops.dev", "actionrequests", "patch"): "the watch canary, as above",
    Right("finops.dev", "approvals", "patch"): "the watch canary, as above",
    Right(
        "finops.dev", "approvalsources", "attest"
    ): "a virtual resource: asked for by the admission policy, never a path",
}
"""Rights that a short test does not see used, each with its reason; everything else must be in the audit log."""


def _audited(loop: Loop, account: str) -> list[Object]:
    """What the API server logged about one service account."""
    user = f"system:serviceaccount:{loop.release.namespace}:{account}"
    events = []
    with loop.cluster.audit_log.open(encoding="utf-8") as lines:
        for line in lines:
            if user in line:
                event = json.loads(line)
                if event["user"]["username"] == user:
                    events.append(event)
    return events


def _rules(loop: Loop, account: str) -> Iterator[Right]:
    """Every right that the release's roles give a service account."""
    for kind, binding in (("clusterrole", "clusterrolebindings"), ("role", "rolebindings")):
        where = () if kind == "clusterrole" else ("-A",)
        found = json.loads(loop.cluster.kubectl("get", binding, *where, "-o", "json"))["items"]
        for one in found:
            subject = {"kind": "ServiceAccount", "name": account, "namespace": loop.release.namespace}
            if subject not in one.get("subjects", []):
                continue
            namespace = one["metadata"].get("namespace", "default")
            for rule in loop.cluster.get(kind, one["roleRef"]["name"], namespace)["rules"]:
                yield from _rights(rule)


def _rights(rule: Object) -> Iterator[Right]:
    for group in rule["apiGroups"]:
        for resource in rule["resources"]:
            for verb in rule["verbs"]:
                for name in rule.get("resourceNames", [""]):
                    yield Right(group, resource, verb, name)


def _is_use_of(event: Object, right: Right) -> bool:
    reference = event.get("objectRef", {})
    resource = "/".join(filter(None, (reference.get("resource", ""), reference.get("subresource", ""))))
    return (
        reference.get("apiGroup", "") == right.group
        and resource == right.resource
        and event["verb"] == right.verb
        and (not right.name or reference.get("name") == right.name)
    )


def _is_refused_for_good(event: Object, events: list[Object]) -> bool:
    """An API server that has just begun refuses everybody until it has read its roles: that passes."""
    if event["responseStatus"].get("code") not in {401, 403}:
        return False
    later = [one for one in events if one["requestReceivedTimestamp"] > event["requestReceivedTimestamp"]]
    return not any(_asks_the_same(one, event) and one["responseStatus"].get("code", 0) < 300 for one in later)


def _asks_the_same(one: Object, other: Object) -> bool:
    keys = ("apiGroup", "resource", "subresource", "namespace")
    same = all(one.get("objectRef", {}).get(key) == other.get("objectRef", {}).get(key) for key in keys)
    return same and bool(one["verb"] == other["verb"])


def _reason(loop: Loop, right: Right) -> str:
    name = right.name.removeprefix(loop.release.full_name) if right.resource != "approvalsources" else ""
    return RARE.get(Right(right.group, right.resource, right.verb, name), "")


@pytest.fixture(scope="module")
def one_story(loop: Loop) -> None:
    """One act from vote to verified, a scan in a pod and a restart, so that this file can also run alone."""
    request = loop.next_worker()
    loop.click(request, "U0ALICE001")
    assert state_of(loop.ended(request["metadata"]["name"])) == "Succeeded"
    narrow = unique_name("narrow")
    loop.cluster.apply(account(narrow, loop.team, ()))
    scanned(loop, narrow, regions=[REGION], **IN_PODS)
    loop.cluster.kubectl("delete", "awsaccounts", narrow)
    loop.cluster.kubectl("rollout", "restart", f"deploy/{loop.release.full_name}", "-n", loop.release.namespace)
    wait_until("the new operator holds the lease", lambda: bool(_audited(loop, loop.release.full_name)), seconds=60)
    loop.cluster.kubectl(
        *("rollout", "status", f"deploy/{loop.release.full_name}", "-n", loop.release.namespace, "--timeout=90s"),
        seconds=100,
    )


@pytest.mark.usefixtures("one_story")
@pytest.mark.parametrize("component", ["", "-slackbot"], ids=["operator", "slackbot"])
def test_nothing_was_refused_and_no_right_is_idle(loop: Loop, component: str) -> None:
    account = loop.release.full_name + component
    events = _audited(loop, account)
    refused = [(event["verb"], event["requestURI"]) for event in events if _is_refused_for_good(event, events)]
    assert refused == []
    rights = set(_rules(loop, account))
    assert rights
    idle = {right for right in rights if not any(_is_use_of(event, right) for event in events)}
    unexplained = {right for right in idle if not _reason(loop, right)}
    assert unexplained == set()
