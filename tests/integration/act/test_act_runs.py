"""Each action from approval to verified end, on the AWS double and a real Valkey."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_world import (
    ACCOUNT,
    ACTIONS,
    REGION,
    World,
    make_sessions,
    propose,
    reference,
    vote,
)

from finops.domain.decision import State
from finops.domain.recommendation import ResourceRef
from finops.store.connection import open_store
from finops.store.realized import StoredSavings
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.estate import resource_id


def find(name: str) -> ResourceRef:
    """Return the estate's resource of a name."""
    kind = "volume" if name == "old-data" else "instance"
    word = "ebs-volume" if kind == "volume" else "ec2-instance"
    return reference(word, resource_id(kind, ACCOUNT, REGION, name))


CASES: dict[str, tuple[str, dict[str, Any], dict[str, int]]] = {
    "ec2_instance_stop": ("web", {}, {"StopInstances": 1}),
    "ec2_instance_resize": (
        "web",
        {"instanceType": "m5.large"},
        {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1},
    ),
    "ebs_volume_modify": (
        "old-data",
        {"volumeType": "gp3", "iops": 3000, "throughput": 125},
        {"ModifyVolume": 1},
    ),
    "ebs_volume_delete": ("old-data", {}, {"CreateSnapshot": 1, "DeleteVolume": 1}),
}


@pytest.mark.parametrize("action", sorted(CASES))
def test_an_approved_act_is_carried_out_once_verified_and_recorded(action: str, world: World, aws: AwsDouble) -> None:
    name, parameters, expected = CASES[action]
    request = propose(make_sessions(world.clock), ACTIONS[action], find(name), parameters, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    result = world.executor(ledger).run(request)
    assert result.state is State.SUCCEEDED, result
    assert effects(aws.calls) == expected
    check(aws.calls, world.ledger_path, session=request.name)
    assert world.status.states[0] is State.EXECUTING
    assert world.status.states[-1] is State.SUCCEEDED
    last = world.status.reports[-1]
    assert last.before != last.after
    assert last.monthly_savings == "70.08"
    entries = list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read())
    assert [entry["request"] for entry in entries] == ["u1"]


@pytest.mark.parametrize("action", sorted(CASES))
def test_a_dry_run_asks_aws_and_changes_nothing(action: str, world: World, aws: AwsDouble) -> None:
    name, parameters, expected = CASES[action]
    request = propose(make_sessions(world.clock), ACTIONS[action], find(name), parameters, uid="u1", dry_run=True)
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    result = world.executor(ledger).run(request)
    assert result.state is State.SUCCEEDED
    assert "nothing was changed" in result.message
    assert effects(aws.calls) == {}
    assert sum(1 for call in aws.calls if call.dry_run) == sum(expected.values())
    told = [record for record in records(world.ledger_path) if record["result"] == "dry-run"]
    assert {record["detail"]["code"] for record in told} == {"DryRunOperation"}
    assert list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read()) == []
