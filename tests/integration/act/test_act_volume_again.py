"""The undo of a volume's deletion, on the double of AWS: one new volume from the last snapshot, whatever is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.integration.act.act_checker import effects
from tests.integration.act.act_story import run_to_end
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACCESS, ACCOUNT, ACTIONS, REGION, TENANT, World, make_sessions, propose, vote

from finops.audit_verify import verify
from finops.audit_verify.plan import problem_of_undo
from finops.domain.decision import State
from finops.errors import InvalidInput
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.journal import journal_of
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.ec2.rules.snapshot_steps import LAST
from finops_operator.services.ec2.rules.volume_again import CREATE
from finops_sandbox.aws import keys
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.volumes import render_volume

_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f3c2a9e-1d2b-4c3d-8e4f-5a6b7c8d9e0f"


def deleted(world: World, action: str = "ebs_volume_delete") -> tuple[ActRequest, DurableLedger]:
    """Carry the deletion of the case's volume out."""
    world.sessions = make_sessions(world.clock)
    name, parameters, _ = CASES[action]
    request = propose(world.sessions, ACTIONS[action], find(name), parameters, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    return request, ledger


def undone(world: World, act: ActRequest, ledger: DurableLedger, uid: str = "u2") -> ActRequest:
    """Return the request that undoes it, voted on."""
    action = ACTIONS[act.plan.action]
    assert action.undo is not None
    parameters = dict(action.undo.parameters(act.plan, journal_of(ledger.of_request(act.uid)).made))
    request = propose(make_sessions(world.clock), action, act.plan.resource, parameters, uid=uid)
    vote(ledger, request, world.clock)
    return request


def volumes(aws: AwsDouble) -> dict[str, dict[str, Any]]:
    """Return the volumes of the estate as AWS shows them, those that were there from the start included."""
    found = aws.estate.backend(ACCOUNT, REGION).volumes.values()
    return {one.id: render_volume(aws.estate, ACCOUNT, REGION, one) for one in found}


def tags(volume: dict[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in volume["Tags"]}


@pytest.mark.parametrize("action", ["ebs_volume_delete", "ebs_volume_detach_delete"])
def test_a_deleted_volume_comes_back_from_its_last_snapshot_as_it_was_under_a_new_id(
    action: str, world: World, aws: AwsDouble
) -> None:
    name = CASES[action][0]
    before = volumes(aws)[find(name).id]
    act, ledger = deleted(world, action)
    assert find(name).id not in volumes(aws)

    back = undone(world, act, ledger)
    result = run_to_end(world, back, ledger)

    assert result.state is State.SUCCEEDED
    made = journal_of(ledger.of_request("u2")).made[CREATE]
    assert made != find(name).id
    assert f"{find(name).id} is now {made}" in result.message
    after = volumes(aws)[made]
    same = ("AvailabilityZone", "VolumeType", "Size", "Iops", "Throughput", "Encrypted")
    assert {key: after.get(key) for key in same} == {key: before.get(key) for key in same}
    assert tags(after) == {**tags(before), "finops.dev/request": "u2", "finops.dev/step": CREATE}
    assert after["SnapshotId"] == journal_of(ledger.of_request("u1")).made[LAST]
    assert effects(aws.calls)["CreateVolume"] == 1
    kept = journal_of(ledger.of_request("u1")).made
    assert problem_of_undo(act.plan.to_json(), back.plan.to_json(), kept) == ""
    assert problem_of_undo(act.plan.to_json(), back.plan.to_json(), {**kept, LAST: "snap-other"}) != ""
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_an_answer_that_is_lost_makes_no_second_volume(fault: str, world: World, aws: AwsDouble) -> None:
    act, ledger = deleted(world)
    back, others = undone(world, act, ledger), set(volumes(aws))
    aws.control.inject({"kind": fault, "action": "CreateVolume", "count": 1})

    assert run_to_end(world, back, ledger).state is State.SUCCEEDED

    assert len(set(volumes(aws)) - others) == 1
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()


@pytest.mark.parametrize("permitted", [True, False])
def test_the_new_volume_has_the_old_key_and_one_whose_key_cannot_be_used_is_taken_away_and_named(
    permitted: bool, world: World, aws: AwsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = aws.estate.volume(ACCOUNT, REGION, find("old-data").id)
    volume.encrypted = True
    aws.estate.volume_facts(volume).customer_key = _KEY
    keys.seed(Place(ACCOUNT, REGION, (), (), (), ()), _KEY)
    act, ledger = deleted(world)
    back, others = undone(world, act, ledger), set(volumes(aws))
    assert dict(back.plan.steps[0].parameters)["KmsKeyId"] == _KEY
    if not permitted:
        without = replace(ACTIONS["ebs_volume_delete"], observed_statements=lambda _plan, _step, _now: ())
        monkeypatch.setitem(ACTIONS, "ebs_volume_delete", without)

    result = run_to_end(world, back, ledger)

    made = [one for one_id, one in volumes(aws).items() if one_id not in others]
    if permitted:
        assert result.state is State.SUCCEEDED
        assert [one["KmsKeyId"] for one in made] == [_KEY]
    else:
        assert result.state is State.ROLLED_BACK
        assert "takes back a volume whose key" in result.message
        assert made == []


def test_without_the_snapshot_and_while_the_old_volume_is_there_nothing_is_made(world: World, aws: AwsDouble) -> None:
    act, ledger = deleted(world)
    undo = ACTIONS["ebs_volume_delete"].undo
    assert undo is not None
    made = journal_of(ledger.of_request("u1")).made
    parameters = undo.parameters(act.plan, made)
    reader = make_sessions(world.clock).reader(ACCESS, REGION, tenant=TENANT)

    def codes() -> list[str]:
        seen = ACTIONS["ebs_volume_delete"].observe(reader, Target(act.plan.resource, parameters))
        found = ACTIONS["ebs_volume_delete"].preflight(seen, parameters, PolicyFacts())
        return [one.code for one in found]

    assert codes() == []
    aws.control.change(ACCOUNT, REGION, made[LAST], {"delete": True})
    assert codes() == ["SnapshotGone"]
    with pytest.raises(InvalidInput, match="last one"):
        undo.parameters(act.plan, {})
