"""The operator dies at each boundary, loses its lease, its store, its API server: nothing half, nothing twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.operator_estate import SYSTEM, Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig
from tests.support.stalling_proxy import running_proxy
from tests.support.valkey import running_valkey

from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("crashes"), start=False) as rig:
        yield rig


@pytest.fixture
def rig(world: Rig) -> Iterator[Rig]:
    yield world
    if world.process is not None and world.process.poll() is None:
        world.kill()
    world.aws.control.clear_faults()
    world.switch("freeze")


def proposed(rig: Rig, **spec: Any) -> tuple[Case, Obj, Obj]:
    case = rig.case(**spec)
    case.apply()
    first, second = case.proposed()
    return case, first, second


@pytest.mark.parametrize("boundary", ["propose.intended", "propose.created", "propose.recorded"])
def test_killed_while_proposing_each_request_is_made_once(rig: Rig, boundary: str) -> None:
    rig.start(kill_point=boundary)
    case = rig.case()
    case.apply()
    rig.wait_killed()
    assert len(case.requests()) == (0 if boundary == "propose.intended" else 1)

    rig.start()

    requests = case.proposed()
    assert len({request["spec"]["resource"]["id"] for request in requests}) == 2
    made = [record for record in case.story("proposed") if record["result"] == "created"]
    assert sorted(record["request"].rpartition("/")[2] for record in made) == sorted(
        request["metadata"]["uid"] for request in requests
    )
    case.check()


@pytest.mark.parametrize("boundary", ["vote.recorded", "decided.recorded"])
def test_killed_while_deciding_the_vote_is_answered_and_acted_on_once(rig: Rig, boundary: str) -> None:
    rig.start()
    case, first, _ = proposed(rig)
    rig.restart(kill_point=boundary)
    vote = case.vote(first)
    rig.wait_killed()
    assert case.state(first) == "Pending"

    rig.start()

    assert case.answer(vote)[:2] == ("Counted", "Approve")
    case.wait_state(first, "Succeeded")
    assert [record["result"] for record in case.story("voted")] == ["counted"]
    assert [record["result"] for record in case.story("decided")] == ["Approved"]
    case.check(StopInstances=1)


@pytest.mark.parametrize("boundary", ["scan.judged", "scan.publish"])
def test_killed_in_mid_scan_nothing_half_is_visible_and_the_next_process_scans(rig: Rig, boundary: str) -> None:
    rig.start(kill_point=boundary)
    case = rig.case()
    case.apply()
    rig.wait_killed()
    store = open_store(rig.valkey.url)
    assert RecommendationStore(store).head((case.name, "p")) is None
    assert case.condition("Ready").get("status") == "False"

    rig.start()

    case.proposed()
    head = RecommendationStore(store).head((case.name, "p"))
    store.client.close()
    assert head is not None
    assert head.summary.recommendations == 2
    case.check()


def test_a_restart_scans_nothing_that_is_not_due_and_forgets_nothing(rig: Rig) -> None:
    rig.start()
    case, first, _ = proposed(rig)
    eventually(lambda: case.condition("Ready").get("status") == "True")

    rig.restart()
    eventually(lambda: rig.http("/readyz")[0] == 200)

    case.vote(first)
    case.wait_state(first, "Succeeded")
    assert len([line for line in rig.lines("scan started") if line["namespace"] == case.name]) == 1
    assert rig.stop() == 0
    case.check(StopInstances=1)


def test_killed_in_mid_act_the_next_process_ends_it(rig: Rig) -> None:
    rig.start()
    case, first, _ = proposed(rig)
    rig.restart(kill_point="aws.sent")
    case.vote(first)
    rig.wait_killed()
    assert len(case.calls()) == 1
    rig.requests_as("operator").delete(case.name, first["metadata"]["name"])

    rig.start()

    eventually(lambda: case.story("verified"), 40, rig.tail())
    case.check(StopInstances=1)


def test_a_lost_lease_stops_deciding_until_it_is_held_again_under_a_higher_fence(rig: Rig) -> None:
    rig.start()
    case, first, second = proposed(rig)
    lease = next(one for one in rig.k8s.objects("leases.coordination.k8s.io"))
    fence = lease["spec"]["leaseTransitions"]
    thief = {**lease["spec"], "holderIdentity": "somebody-else", "leaseTransitions": fence + 5}
    metadata = {"name": lease["metadata"]["name"], "namespace": SYSTEM}
    rig.k8s.apply(
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": thief},
    )
    eventually(lambda: rig.lines("lease lost"), 15)

    case.vote(first)
    case.stays(first, "Pending", 3.0)

    case.wait_state(first, "Succeeded")
    assert case.request(first["metadata"]["name"])["status"]["fence"] > fence + 5
    assert min(record["fence"] for record in case.story("voted")) > fence + 5
    assert case.state(second) == "Pending"
    case.check(StopInstances=1)


def test_a_hanging_store_in_mid_act_delays_it_and_breaks_nothing(rig: Rig) -> None:
    rig.start()
    case, first, _ = proposed(rig)
    case.vote(first)
    eventually(case.calls)
    assert rig.valkey.process is not None
    os.kill(rig.valkey.process.pid, signal.SIGSTOP)
    try:
        time.sleep(8)
        assert not case.story("verified")
    finally:
        os.kill(rig.valkey.process.pid, signal.SIGCONT)

    case.wait_state(first, "Succeeded")
    case.check(StopInstances=1)


def test_without_its_store_the_operator_decides_nothing_says_so_and_goes_on_later(rig: Rig) -> None:
    rig.start()
    case, first, _ = proposed(rig)
    rig.valkey.kill()
    try:
        vote = case.vote(first)
        case.scan_now("while the store is down", wait=False)
        eventually(lambda: case.condition("StoreReachable").get("status") == "False", 40, rig.tail())
        # The scan that was asked for may be trying its luck right now.
        eventually(lambda: case.condition("Ready")["reason"] == "StoreUnreachable", 20)
        status, told = rig.http("/readyz")
        assert (status, "store" in told) == (503, True)
        assert rig.http("/healthz")[0] == 200
        case.stays(first, "Pending", 1.0)
        unanswered = [one for one in rig.k8s.objects("approvals.finops.dev") if one["metadata"]["name"] == vote]
        assert not unanswered[0].get("status")
    finally:
        rig.valkey.start()

    assert case.answer(vote, 40)[0] == "Counted"
    case.wait_state(first, "Succeeded")
    eventually(lambda: case.condition("StoreReachable").get("status") == "True", 50)
    case.check(StopInstances=1)


def test_a_store_that_evicts_is_refused_with_what_to_set(rig: Rig) -> None:
    # The ledger of all these tests begins in the store they share: the first one is anchored, another is a cut one.
    rig.start()
    eventually(lambda: rig.http("/readyz")[0] == 200, what=rig.tail())
    rig.stop()
    with running_valkey("--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb") as evicting:
        rig.start(redis_url=evicting.url, ledger_path=str(rig.directory / "other-ledger.jsonl"))
        case = rig.case()
        case.apply()

        eventually(lambda: case.condition("StoreReachable").get("status") == "False", what=rig.tail())
        assert "noeviction" in case.condition("StoreReachable")["message"]
        assert case.requests() == []
        rig.kill()


def test_an_api_server_that_restarts_is_followed_again(rig: Rig) -> None:
    rig.start()
    case, first, second = proposed(rig)
    rig.k8s.restart(down_seconds=1.0)

    case.vote(first)
    case.wait_state(first, "Succeeded", seconds=60)
    rig.k8s.expire_watches()
    assert case.answer(case.vote(second, "carol"), 60)[1] == "NotEligible"
    case.check(StopInstances=1)


@pytest.mark.slow
@pytest.mark.timeout(150)
def test_a_watch_that_stands_still_is_seen_by_the_liveness_probe(rig: Rig) -> None:
    target = ("127.0.0.1", int(rig.k8s.url.rpartition(":")[2]))
    with running_proxy(target) as proxy:
        config = rig.k8s.kubeconfig_for("operator").read_text(encoding="utf-8")
        through = rig.directory / "kubeconfig-through-proxy"
        through.write_text(config.replace(str(target[1]), str(proxy.port)), encoding="utf-8")
        rig.settings["KUBECONFIG"] = str(through)
        try:
            rig.start()
            case, *_ = proposed(rig)
            time.sleep(6)
            assert rig.http("/healthz")[0] == 200
            assert proxy.freeze_unused(4.0) >= 4

            _, told = eventually(
                lambda: answer if (answer := rig.http("/healthz"))[0] == 503 else None, 90, "the probe stays green"
            )
        finally:
            del rig.settings["KUBECONFIG"]
            rig.kill()
    assert "never came back through the watch" in told
    case.check()


def test_probes_and_metrics_show_a_healthy_operator(rig: Rig) -> None:
    rig.start()
    case, *_ = proposed(rig)
    eventually(lambda: "finops_lease_held 1.0" in rig.http("/metrics")[1], 20)

    assert rig.http("/healthz") == (200, "watch: ok\nloops: ok\n")
    assert rig.http("/readyz") == (200, "store: ok\nwatch: ok\nprotection: ok\nledger: ok\nfreeze: ok\nacts: ok\n")
    assert rig.http("/elsewhere")[0] == 404
    # The scan's figures come a moment after its requests.
    saving = f'finops_potential_monthly_savings{{namespace="{case.name}",policy="p"}}'
    eventually(lambda: saving in rig.http("/metrics")[1], 10)
    assert 'finops_open_requests{state="Pending"}' in rig.http("/metrics")[1]
