"""Each action from approval to verified end, on the AWS double and a real Valkey."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import prepare, run_to_end
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACTIONS, World, make_sessions, propose, vote

from finops.audit_verify import verify
from finops.domain.decision import State
from finops.store.connection import open_store
from finops.store.realized import StoredSavings
from finops_sandbox.aws.double import AwsDouble


@pytest.mark.parametrize("action", sorted(CASES))
def test_an_approved_act_is_carried_out_once_verified_and_recorded(action: str, world: World, aws: AwsDouble) -> None:
    name, parameters, expected = CASES[action]
    request = propose(make_sessions(world.clock), ACTIONS[action], find(name), parameters, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    assert effects(aws.calls) == expected
    check(aws.calls, world.ledger_path, session=request.name)
    assert world.status.states[0] is State.EXECUTING
    assert world.status.states[-1] is State.SUCCEEDED
    last = world.status.reports[-1]
    assert last.before != last.after
    assert last.monthly_savings == "70.08"
    end = ledger.of_request("u1")[-1]
    assert (last.ledger_sequence, last.ledger_hash) == (end.sequence, end.hash)
    assert last.checkpoint == ledger.tree_head(), "nothing was recorded after the end"
    assert last.checkpoint.size == end.sequence
    line = f"Ledger checkpoint {last.checkpoint.size:,} · sha256:{last.checkpoint.root}"
    assert verify(world.ledger_path.read_bytes().splitlines(keepends=True), kept=[line]).ok
    assert {report.checkpoint for report in world.status.reports[:-1]} == {None}
    assert {report.ledger_hash for report in world.status.reports[:-1]} == {""}, "only the end is anchored in Slack"
    assert last.message == result.message
    begins = ("The instance is ", "The volume ", "The log group ", "The database ", "The table ")
    further = ("The service ", "The function ", "The snapshot ", "The bucket ")
    of_networks = (
        "The address ",
        "The NAT gateway ",
        "The load balancer ",
        "The group ",
        "The node group ",
        "The cache ",
        "The image ",
    )
    assert last.message.startswith((*begins, *further, *of_networks))
    assert last.message.endswith(f" To undo it: {ACTIONS[action].undo_by_hand}.")
    entries = list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read())
    assert [entry["request"] for entry in entries] == ["u1"]


def test_a_stop_of_a_database_is_booked_once_with_the_days_that_it_lasts(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_instance_stop")
    request = replace(request, estimate={**request.estimate, "lastsDays": "7"})
    for _ in range(2):
        assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    (entry,) = StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read()
    assert (entry["saving"], entry["lastsDays"]) == ("70.08", "7")
    (verified,) = [record for record in records(world.ledger_path) if record["kind"] == "verified"]
    assert verified["detail"]["lastsDays"] == "7"
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("action", sorted(CASES))
def test_a_dry_run_asks_aws_and_changes_nothing(action: str, world: World, aws: AwsDouble) -> None:
    name, parameters, expected = CASES[action]
    request = propose(make_sessions(world.clock), ACTIONS[action], find(name), parameters, uid="u1", dry_run=True)
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED
    assert "nothing was changed" in result.message
    assert effects(aws.calls) == {}
    has_dry_run = bool(ACTIONS[action].calls.dry_run_passed)
    assert sum(1 for call in aws.calls if call.dry_run) == (sum(expected.values()) if has_dry_run else 0)
    dry_runs = [record for record in records(world.ledger_path) if record["result"] == "dry-run"]
    assert {record["detail"]["code"] for record in dry_runs} == {"DryRunOperation" if has_dry_run else "NoDryRun"}
    assert list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read()) == []
