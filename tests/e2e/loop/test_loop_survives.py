"""Pods and the API server die in the middle of scans and acts: nothing half visible, nothing twice, all told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from tests.e2e.cluster import Object, wait_until
from tests.e2e.documents import condition
from tests.e2e.loop.world import POLICY, Loop, state_of

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]

IN_FLIGHT_SECONDS = 4


@pytest.fixture(autouse=True)
def no_fault_stays(loop: Loop) -> Iterator[None]:
    """Every story starts and ends with an AWS that works."""
    loop.aws.clear_faults()
    yield
    loop.aws.clear_faults()


def _called(loop: Loop, target: str, action: str) -> Callable[[], bool]:
    return lambda: any(call["action"] == action for call in loop.aws.changes(target))


@pytest.mark.parametrize("action", ["StopInstances", "ModifyInstanceAttribute", "StartInstances"])
def test_an_operator_killed_in_the_middle_of_a_resize_ends_it_once(loop: Loop, action: str) -> None:
    request = loop.next_worker()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    # The call is done at AWS, its answer comes late: the pod dies between the two.
    loop.aws.inject(kind="latency", service="ec2", action=action, seconds=IN_FLIGHT_SECONDS, resource=target, count=1)
    loop.vote(request, "alice")
    wait_until(f"{action} is under way", lambda: loop.aws.hits() > 0, seconds=60, every=0.1)
    loop.release.kill("operator")
    ended = loop.ended(name, seconds=150)
    assert state_of(ended) == "Succeeded", ended["status"]
    loop.assert_resized_once(request)
    fences = [record["fence"] for record in loop.records(request)]
    assert fences == sorted(fences)
    assert fences[-1] > fences[0]


def test_an_operator_killed_in_the_middle_of_a_scan_shows_the_scan_before_until_the_next_is_whole(loop: Loop) -> None:
    stamp = f"whole-{time.time_ns()}"
    loop.scan_now(stamp)
    loop.scanned(stamp)
    head = f"finops:policy:{loop.team}:{POLICY}:head"
    before, figures = _sorted_fields(loop, head), _figures(loop.policy())
    loop.aws.inject(kind="latency", service="ec2", action="DescribeVolumes", seconds=IN_FLIGHT_SECONDS, count=2)
    stamp = f"killed-{time.time_ns()}"
    loop.scan_now(stamp)
    wait_until("the scan is under way", lambda: loop.aws.hits() > 0, seconds=30, every=0.1)
    dead = loop.release.strike("operator")
    assert _sorted_fields(loop, head) == before
    assert _figures(loop.policy()) == figures
    loop.release.wait_ready("operator", but_not=dead)
    after = loop.scanned(stamp)
    assert condition(after, "Ready")["status"] == "True"
    assert _sorted_fields(loop, head) != before
    assert _figures(after) == figures
    mine = ("--policy", f"{loop.team}/{POLICY}", "-o", "json")
    assert len(json.loads(loop.release.finops("resources", *mine))) == after["status"]["lastScan"]["resources"]


def _sorted_fields(loop: Loop, key: str) -> list[str]:
    """A hash of the store; its order is the server's own affair, and an empty value at its end is cut off."""
    return sorted(line for line in loop.release.valkey("HGETALL", key).splitlines() if line)


def _figures(policy: Object) -> tuple[object, ...]:
    status = policy["status"]
    return status["lastScan"]["resources"], status["monthlyCost"], status["recommendations"]


def test_a_restarted_operator_does_not_scan_again_what_is_not_due(loop: Loop) -> None:
    stamp = f"rest-{time.time_ns()}"
    loop.scan_now(stamp)
    ended = loop.scanned(stamp)["status"]["lastScan"]["completionTime"]
    loop.release.kill("operator")
    # Votes are answered by an operator that has begun its work; its first look at the schedule came before.
    request = loop.next_worker()
    loop.vote(request, "carol")
    assert loop.policy()["status"]["lastScan"]["completionTime"] == ended


def test_a_restarted_store_has_every_key_and_every_record(loop: Loop) -> None:
    head, ledger = f"finops:policy:{loop.team}:{POLICY}:head", loop.release.ledger()
    figures = _sorted_fields(loop, head)
    loop.release.kill("valkey")
    # Transactions too are replayed: the server does so as its default user, whom nobody can be.
    assert _sorted_fields(loop, head) == figures
    assert loop.release.ledger()[: len(ledger)] == ledger
    pod = f"{loop.release.full_name}-valkey-0"
    assert "CRITICAL" not in loop.cluster.kubectl("logs", pod, "-n", loop.release.namespace)


def test_a_store_that_dies_in_the_middle_of_an_act_loses_nothing(loop: Loop) -> None:
    request = loop.next_worker()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    loop.vote(request, "bob")
    wait_until("the instance stops", _called(loop, target, "StopInstances"), seconds=60, every=0.1)
    loop.release.kill("valkey")
    ended = loop.ended(name, seconds=150)
    assert state_of(ended) in {"Succeeded", "RolledBack"}, ended["status"]
    assert loop.aws.resource(target)["state"] == "running"
    if state_of(ended) == "Succeeded":
        loop.assert_resized_once(request)
    loop.assert_every_change_has_its_intent(request)
    assert loop.release.restarts("operator") == 0


def test_an_api_server_that_restarts_in_the_middle_of_an_act_changes_nothing(loop: Loop) -> None:
    request = loop.next_worker()
    name, target = request["metadata"]["name"], request["spec"]["resource"]["id"]
    loop.vote(request, "alice")
    wait_until("the instance stops", _called(loop, target, "StopInstances"), seconds=60, every=0.1)
    loop.cluster.restart_api_server()
    ended = loop.ended(name, seconds=120)
    assert state_of(ended) == "Succeeded", ended["status"]
    loop.assert_resized_once(request)
    # The watches live on: a scan asked for now is seen and done, by the same operator.
    stamp = f"restarted-{time.time_ns()}"
    loop.scan_now(stamp)
    loop.scanned(stamp)
    assert loop.release.restarts("operator") == 0
