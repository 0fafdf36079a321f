"""The whole loop with nothing but kubectl and `finops`: found, priced, proposed, approved, done, proven."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from tests.e2e.cluster import ROOT, Object, run
from tests.e2e.documents import condition
from tests.e2e.loop.installation import AWS_KEYS
from tests.e2e.loop.world import POLICY, Loop, state_of

from finops.domain.decision import Choice

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]

STORED = ("resources", "monthlyCost", "savings")


@pytest.fixture
def fresh(loop: Loop) -> Object:
    """Return the policy just scanned, with its figures as of now."""
    stamp = f"figures-{loop.policy()['metadata']['resourceVersion']}"
    loop.scan_now(stamp)
    return loop.scanned(stamp)


def test_the_same_figures_are_in_the_columns_the_status_redis_finops_and_a_scan_without_a_cluster(
    loop: Loop, fresh: Object, tmp_path: Path
) -> None:
    status = fresh["status"]
    assert condition(fresh, "Ready")["status"] == condition(fresh, "CredentialsValid")["status"] == "True"
    resources, cost, savings = (
        status["lastScan"]["resources"],
        status["monthlyCost"],
        status["potentialMonthlySavings"],
    )
    assert resources > 30
    assert Decimal(cost) > Decimal(savings) > 0

    row = loop.cluster.kubectl("get", "sp", POLICY, "-n", loop.team)
    assert {str(resources), cost, savings} <= set(row.splitlines()[1].split())
    fields = loop.release.valkey("HMGET", f"finops:policy:{loop.team}:{POLICY}:head", *STORED).splitlines()
    assert [fields[0], f"{Decimal(fields[1]):.2f}"] == [str(resources), cost]
    stored = {name: money for name, (money, *_) in json.loads(fields[2]).items()}
    assert stored == status["savings"]
    assert stored["actionable"] == savings
    assert len(_finops(loop, "resources")) == resources
    lines = _finops(loop, "costs")
    known = [one for one in lines if one["monthlyCost"] is not None]
    assert sum(Decimal(one["monthlyCost"]) for one in known) == pytest.approx(Decimal(cost), abs=1)
    # A service has no sum only where nothing of it has a price of its own: unknown is no zero.
    assert all(one["unpricedResources"] + one["groups"] == one["resources"] for one in lines if one not in known)

    report = _scan_here(loop, fresh, tmp_path)
    assert report["summary"]["resources"] == resources
    assert round(Decimal(report["summary"]["monthlyCost"]), 2) == Decimal(cost)
    # Only the operator's preflights know what AWS would refuse: the parts may differ, the whole may not.
    assert sum(map(Decimal, report["summary"]["savings"].values())) == sum(map(Decimal, stored.values()))
    # Alternatives for one resource are listed, and counted once.
    counted = [one for one in _finops(loop, "recommendations") if one["counted"]]
    assert report["summary"]["recommendations"] == status["recommendations"] == len(counted)
    ready = [one for one in counted if one["status"] == "Actionable"]
    assert f"{sum(Decimal(one['monthlySavings']) for one in ready):.2f}" == savings


def _finops(loop: Loop, command: str) -> list[Object]:
    # Other stories have policies and accounts of their own in the same store.
    found: list[Object] = json.loads(loop.release.finops(command, "--policy", f"{loop.team}/{POLICY}", "-o", "json"))
    return found


def _scan_here(loop: Loop, policy: Object, folder: Path) -> Object:
    """`finops scan -f` on this machine, with a store of its own."""
    account = loop.cluster.get("awsaccounts", loop.team, loop.team)
    file = folder / "policy.yaml"
    bare = [
        {key: one[key] for key in ("apiVersion", "kind", "spec")}
        | {"metadata": {key: one["metadata"][key] for key in ("name", "namespace") if key in one["metadata"]}}
        for one in (account, policy)
    ]
    file.write_text(yaml.safe_dump_all(bare))
    program = Path(sys.executable).with_name("finops")
    environment = {**AWS_KEYS, "AWS_ENDPOINT_URL": loop.aws.url, "AWS_REGION": "us-east-1"}
    environment |= {"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), "PYTHONPATH": str(ROOT / "operator")}
    done = run([str(program), "scan", "-f", str(file), "-o", "json"], seconds=60, environment=environment)
    assert done.returncode == 0, done.stderr
    report: Object = json.loads(done.stdout)
    return report


def test_one_approval_by_kubectl_resizes_the_instance_and_the_ledger_shows_it(loop: Loop) -> None:
    request = loop.next_worker()
    approval = loop.vote(request, "alice")
    assert approval["status"]["result"] == "Counted"
    ended = loop.ended(request["metadata"]["name"])
    assert state_of(ended) == "Succeeded", ended["status"]
    assert condition(ended, "Approved")["status"] == "True"
    assert Decimal(ended["status"]["outcome"]["monthlySavings"]) > 0
    loop.assert_resized_once(request)
    records = loop.records(request)
    voted = next(one for one in records if one["kind"] == "voted")
    assert "alice" in json.dumps(voted)
    sessions = {call["sourceIdentity"] for call in loop.aws.changes(request["spec"]["resource"]["id"])}
    assert sessions == {"k8s.alice"}


def test_a_denial_needs_a_reason_and_then_nothing_is_called(loop: Loop) -> None:
    request = loop.next_worker()
    silent = loop.vote(request, "bob", Choice.DENY)["status"]
    assert (silent["result"], silent["reason"]) == ("Refused", "ReasonMissing")
    approval = loop.vote(request, "alice", Choice.DENY, reason="Month-end closing runs on it.")
    assert approval["status"]["result"] == "Counted"
    ended = loop.ended(request["metadata"]["name"])
    assert state_of(ended) == "Denied"
    assert not loop.aws.changes(request["spec"]["resource"]["id"])
    assert "Month-end closing" in json.dumps(loop.records(request))


def test_deleting_a_volume_takes_two_people_and_begins_with_a_snapshot(loop: Loop) -> None:
    request = loop.next_volume()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    loop.vote(request, "alice")
    waiting = loop.wait_state(name, "Pending")
    assert waiting["status"]["votes"]["summary"] == "1/2"
    assert not loop.aws.changes(target)
    loop.vote(request, "bob")
    ended = loop.ended(name)
    assert state_of(ended) == "Succeeded", ended["status"]
    calls = [call["action"] for call in loop.aws.changes(target)]
    assert calls == ["CreateSnapshot", "CreateSnapshot", "DeleteVolume"]
    loop.assert_every_change_has_its_intent(request)


def test_an_upgrade_keeps_passwords_votes_and_ledger(loop: Loop) -> None:
    request = loop.next_volume()
    name = request["metadata"]["name"]
    loop.vote(request, "alice")
    secret, ledger = loop.release.secret(), loop.release.ledger()
    loop.release.upgrade("--reuse-values", "--set", "log.level=DEBUG")
    assert loop.release.secret() == secret
    assert loop.release.ledger()[: len(ledger)] == ledger
    loop.vote(request, "bob")
    assert state_of(loop.ended(name)) == "Succeeded"
    loop.assert_every_change_has_its_intent(request)


def test_after_a_change_by_hand_an_approval_calls_nothing(loop: Loop) -> None:
    request = loop.next_worker()
    target = request["spec"]["resource"]["id"]
    loop.aws.change(target, tags={"owner": "somebody-new"})
    loop.vote(request, "alice")
    ended = loop.ended(request["metadata"]["name"])
    # Stale when the act found it, Withdrawn when a scan came first.
    assert state_of(ended) in {"Stale", "Withdrawn"}
    assert not loop.aws.changes(target)


def test_the_freeze_switch_holds_an_approved_act_until_it_is_released(loop: Loop) -> None:
    request = loop.next_worker()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    _freeze(loop, "true")
    try:
        loop.vote(request, "alice")
        loop.wait_state(name, "Approved")
        held = loop.request(name)
        assert not loop.aws.changes(target)
    finally:
        _freeze(loop, "false")
    assert state_of(held) == "Approved"
    assert state_of(loop.ended(name)) == "Succeeded"
    loop.assert_resized_once(request)


def _freeze(loop: Loop, value: str) -> None:
    data = json.dumps({"data": {"frozen": value, "reason": "tested"}})
    loop.cluster.kubectl(
        *("patch", "configmap", f"{loop.release.full_name}-freeze", "-n", loop.release.namespace, "-p", data)
    )
