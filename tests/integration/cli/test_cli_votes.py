"""Requests and votes against an API server on which no operator answers; with one: the demo's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.conftest import Ended, Finops
from tests.support.manifests import manifest

from finops.crds.approval import Approval
from finops.k8s.connection import connect
from finops.k8s.kinds import approvals
from finops_sandbox.demo.cluster_files import manifest as demo_manifest
from finops_sandbox.kubernetes import KubernetesDouble

ROOT = Path(__file__).parents[3]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KubernetesDouble]:
    request = manifest("ActionRequest", {"metadata": {"namespace": "default"}}, name="stop-web")
    roles = [*demo_manifest("release"), *demo_manifest("people")]
    with KubernetesDouble(tmp_path, crds=[ROOT / "crds"], manifests=[*roles, request]) as double:
        yield double


@pytest.fixture
def kubectl_finops(cluster: KubernetesDouble, finops: Finops) -> Finops:
    """Return `finops` with the cluster's configuration named."""

    def call(*arguments: str) -> Ended:
        return finops(*arguments, "--kubeconfig", str(cluster.kubeconfig))

    return call


def test_requests_are_listed_for_people_and_programs(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    table = kubectl_finops("requests")
    assert table.code == 0
    assert table.out.splitlines()[0].split() == ["STATE", "SAVES/MONTH", "WHAT", "NAME", "VOTES", "EXPIRES", "ID"]
    assert "60.42" in table.out
    assert "stop-web" in kubectl_finops("requests", "-o", "wide").out
    (one,) = json.loads(kubectl_finops("requests", "-o", "json", "-A").out)
    assert json.loads(kubectl_finops("requests", "-o", "json", "--context", "bob").out) == [one]
    assert kubectl_finops("requests", "-A", "--context", "bob").code == 4
    assert one["kind"] == "ActionRequest"
    assert one["spec"]["resource"]["name"] == "web"
    assert json.loads(kubectl_finops("requests", "-o", "json", "--policy", "other").out) == []
    empty = kubectl_finops("requests", "-n", "kube-system")
    assert empty.code == 0
    assert "kube-system" in empty.err


def test_a_vote_without_an_operators_answer_is_recorded_and_said_to_be_open(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    ended = kubectl_finops("approve", "stop-web", "--yes", "--context", "alice", "--wait", "0.5")
    assert ended.code == 1
    assert "is recorded" in ended.err
    (vote,) = cluster.objects("approvals.finops.dev")
    voter = vote["spec"]["approver"]
    assert (voter["source"], voter["username"]) == ("kubernetes", "alice")
    # A policy may name the group: admission has seen that alice is in it.
    assert "sre" in voter["groups"]
    assert vote["spec"]["decision"] == "Approve"
    again = kubectl_finops("approve", "stop-web", "--yes", "--context", "alice", "--wait", "0.2")
    assert "before" in again.err
    assert len(cluster.objects("approvals.finops.dev")) == 1


def answer(cluster: KubernetesDouble, name: str, result: str, reason: str) -> None:
    """Answer a vote as the operator does."""
    api = approvals(connect(str(cluster.kubeconfig)))
    found = api.get("default", name)
    assert found is not None
    api.replace_status(found, {"result": result, "reason": reason, "message": f"{reason}, says the operator."})


def vote_names(cluster: KubernetesDouble) -> list[str]:
    return [one["metadata"]["name"] for one in cluster.objects("approvals.finops.dev")]


def test_who_forgot_the_reason_may_vote_again_with_one(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    voting = ("approve", "stop-web", "--yes", "--context", "alice", "--wait", "0.2")
    kubectl_finops(*voting)
    (first,) = vote_names(cluster)
    answer(cluster, first, "Refused", "ReasonMissing")

    kubectl_finops(*voting, "--reason", "it idles")

    votes = {one["metadata"]["name"]: one["spec"].get("reason") for one in cluster.objects("approvals.finops.dev")}
    assert votes == {first: None, f"{first}-2": "it idles"}
    answer(cluster, f"{first}-2", "Counted", "Approve")
    ended = kubectl_finops(*voting, "--reason", "it idles")
    assert ended.code == 0
    assert "Approve, says the operator." in ended.err
    assert len(vote_names(cluster)) == 2


def test_who_took_an_approval_back_may_approve_again(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    known: set[str] = set()
    for verb in ("approve", "withdraw", "approve", "withdraw"):
        sure = () if verb == "withdraw" else ("--yes",)
        ended = kubectl_finops(verb, "stop-web", *sure, "--context", "alice", "--wait", "0.2")
        assert "before" not in ended.err
        (new,) = set(vote_names(cluster)) - known
        known.add(new)
        answer(cluster, new, "Counted", verb.capitalize())


def test_an_object_under_the_name_of_a_vote_does_not_swallow_it(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    kubectl_finops("deny", "stop-web", "--yes", "--context", "alice", "--reason", "no", "--wait", "0.2")
    (denial,) = cluster.objects("approvals.finops.dev")
    api = approvals(connect(str(cluster.kubeconfig)))
    name = denial["metadata"]["name"]
    api.delete("default", name)
    spec = {**denial["spec"], "decision": "Approve", "approver": {"source": "kubernetes", "username": "mallory"}}
    api.create(Approval.from_object({**denial, "metadata": {"name": name, "namespace": "default"}, "spec": spec}))
    answer(cluster, name, "Counted", "Approve")

    ended = kubectl_finops("deny", "stop-web", "--yes", "--context", "alice", "--reason", "no", "--wait", "0.2")

    assert ended.code == 1
    assert f"the vote {name}-2 is recorded" in ended.err
    (recorded,) = [one for one in cluster.objects("approvals.finops.dev") if one["metadata"]["name"] == f"{name}-2"]
    assert recorded["spec"] == denial["spec"]


def test_who_may_not_create_approvals_is_refused_with_4(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    ended = kubectl_finops("deny", "stop-web", "--yes", "--context", "bob", "--reason", "no")
    assert ended.code == 4
    assert "administrator" in ended.err
    assert cluster.objects("approvals.finops.dev") == []


def test_a_request_that_does_not_exist_is_wrong_input(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    ended = kubectl_finops("withdraw", "none", "--context", "alice")
    assert ended.code == 2
    assert "finops requests" in ended.err


def test_a_resources_name_stands_for_no_request_and_the_hint_has_its_id(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    """Whoever may tag a resource chooses its name."""
    (line,) = kubectl_finops("requests").out.splitlines()[1:]
    ended = kubectl_finops("approve", "web", "--yes", "--context", "alice")
    assert ended.code == 2
    assert f"hint: the ID of what is named so: {line.split()[-1]}" in ended.err
    assert cluster.objects("approvals.finops.dev") == []


def test_a_context_that_does_not_exist_is_wrong_input(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    ended = kubectl_finops("requests", "--context", "nobody")
    assert ended.code == 2
    assert "--context" in ended.err


def test_a_cluster_that_is_down_ends_with_1(finops: Finops, tmp_path: Path) -> None:
    with KubernetesDouble(tmp_path) as double:
        kubeconfig = str(double.kubeconfig)
    ended = finops("requests", "--kubeconfig", kubeconfig)
    assert ended.code == 1
    assert "does not answer" in ended.err


def test_a_request_is_found_by_its_resource_and_by_the_id_that_listings_show(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    (request,) = cluster.objects("actionrequests.finops.dev")
    shown = kubectl_finops("requests").out.splitlines()[1].split()[-1]
    for name in (request["spec"]["resource"]["id"], request["spec"]["resource"]["arn"], shown, shown[:5]):
        ended = kubectl_finops("deny", name, "--yes", "--context", "alice", "--reason", "no", "--wait", "0.1")
        assert "is recorded" in ended.err, ended.err


def test_an_id_that_begins_no_request_is_wrong_input(cluster: KubernetesDouble, kubectl_finops: Finops) -> None:
    ended = kubectl_finops("approve", "ffffffff", "--yes", "--context", "alice")

    assert ended.code == 2
    assert "finops requests" in ended.err


def test_a_vote_shows_the_act_and_sends_nothing_when_nobody_can_be_asked(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    ended = kubectl_finops("approve", "stop-web", "--context", "alice")

    assert ended.code == 2
    assert "--yes" in ended.err
    assert "60.42 USD a month" in ended.err
    assert "Undo" in ended.err
    assert cluster.objects("approvals.finops.dev") == []


def test_requests_are_narrowed_and_ordered_by_the_options_of_every_list(
    cluster: KubernetesDouble, kubectl_finops: Finops
) -> None:
    def found(*options: str) -> int:
        return len(json.loads(kubectl_finops("requests", "-o", "json", *options).out))

    (request,) = cluster.objects("actionrequests.finops.dev")
    assert found("--region", request["spec"]["region"], "--check", request["spec"]["evidence"]["check"]) == 1
    assert found("--min-savings", "60.43") == 0
    assert found("--status", "denied") == 0
    assert found("--sort", "name", "--limit", "1") == 1
    wrong = kubectl_finops("requests", "--status", "Pendign")
    assert wrong.code == 2
    assert "did you mean pending?" in wrong.err
