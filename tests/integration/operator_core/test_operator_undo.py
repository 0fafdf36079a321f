"""Undo, end to end: asked for by an Approval, proposed by the operator, voted, carried out, recorded."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.support.operator_estate import Obj
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.store.connection import open_store
from finops.store.realized import StoredSavings


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("undo")) as rig:
        yield rig


def stopped(case: Case) -> Obj:
    """Return the request of a stop that succeeded."""
    act, _ = case.proposed(2)
    case.vote(act, "alice")
    return case.wait_state(act, "Succeeded")


def undo_of(case: Case, act: Obj) -> Obj:
    """Wait for the request that undoes `act` and return it."""

    def found() -> Obj:
        undos = [one for one in case.requests() if one["spec"].get("undoes", {}).get("uid") == act["metadata"]["uid"]]
        return undos[-1] if undos and undos[-1].get("status", {}).get("state") else {}

    return dict(eventually(found, what=f"{case.request(act['metadata']['name'])}\n{case.rig.tail()}"))


def undo_status(case: Case, act: Obj, **expected: str) -> Obj:
    """Wait until the act's request shows what came of its undo."""

    def shown() -> Obj:
        undo = case.request(act["metadata"]["name"])["status"].get("undo", {})
        return undo if expected.items() <= undo.items() else {}

    return dict(eventually(shown, what=f"{case.request(act['metadata']['name'])['status']}\n{case.rig.tail()}"))


def realised(case: Case) -> Decimal:
    store = open_store(case.rig.valkey.url)
    try:
        entries = [one for one in StoredSavings(store).read() if one["namespace"] == case.name]
    finally:
        store.client.close()
    return sum((Decimal(one["saving"]) for one in entries), Decimal(0))


def test_a_stop_is_undone_by_a_request_of_its_own_and_its_saving_ends(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    assert act["status"]["undo"]["until"]
    assert realised(case) == Decimal(act["spec"]["estimate"]["monthlySavings"]) > 0

    assert case.answer(case.vote(act, "bob", "Undo", reason="The team needs it."))[:2] == ("Counted", "Undo")

    undo = undo_of(case, act)
    assert undo["spec"]["undoes"] == {
        "name": act["metadata"]["name"],
        "uid": act["metadata"]["uid"],
        "required": act["spec"]["approval"]["required"],
    }
    assert "k8s.bob" in undo["spec"]["evidence"]["reason"]
    assert "The team needs it." in undo["spec"]["evidence"]["reason"]
    assert undo["spec"]["action"] == "ec2_instance_stop"
    assert undo["spec"]["estimate"]["newMonthlyCost"] == act["spec"]["estimate"]["currentMonthlyCost"]
    undo_status(case, act, request=undo["metadata"]["name"])
    case.stays(undo, "Pending")
    assert case.instance(act)["state"] == "stopped"

    case.vote(undo, "alice")

    case.wait_state(undo, "Succeeded")
    assert case.instance(act)["state"] == "running"
    undo_status(case, act, state="Succeeded", message=f"Undone by request {undo['metadata']['name']}.")
    assert case.state(act) == "Succeeded"
    assert realised(case) == 0
    assert [(one["actor"], one["result"]) for one in case.story("undone")] == [
        ("k8s.bob", "proposed"),
        ("operator", "ok"),
    ]
    case.check(StopInstances=1, StartInstances=1)
    again = case.answer(case.vote(act, "alice", "Undo"))
    assert again[:2] == ("Refused", "NothingToUndo")


def test_only_approvers_undo_only_what_succeeded_and_only_its_plan(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act, pending = case.proposed(2)
    early = case.answer(case.vote(act, "alice", "Undo"))
    assert early == ("Refused", "NothingToUndo", "There is nothing to undo: the request is Pending.")
    case.vote(act, "alice")
    act = case.wait_state(act, "Succeeded")

    stranger = case.answer(case.vote(act, "carol", "Undo"))
    other_plan = case.answer(case.vote({**act, "spec": {**act["spec"], "planHash": "0" * 64}}, "alice", "Undo"))

    assert stranger[:2] == ("Refused", "NotEligible")
    assert other_plan[:2] == ("Refused", "WrongPlan")
    assert len(case.requests()) == 2
    assert case.state(pending) == "Pending"
    case.check(StopInstances=1)


def test_what_somebody_started_meanwhile_is_not_ours_to_undo(rig: Rig) -> None:
    case = rig.case()
    case.apply()
    act = stopped(case)
    case.change_by_hand(act, state="running")

    case.vote(act, "alice", "Undo")

    undo_status(case, act, message="Not undone: It was started since the act stopped it.")
    assert [one["result"] for one in case.story("undone")] == ["refused"]
    case.check(StopInstances=1)
