"""Each action from approval to verified end, on the AWS double and a real Valkey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import prepare, run_to_end
from tests.support.act_cases import CASES, find
from tests.support.act_world import ACCESS, ACTIONS, REGION, TENANT, World, make_sessions, propose, vote

from finops.audit_verify import verify
from finops.domain.decision import State
from finops.domain.watching import Health
from finops.ports.act import ActRequest
from finops.store.connection import open_store
from finops.store.realized import StoredSavings
from finops_operator.plugins.action import WatchedAct
from finops_sandbox.aws.double import AwsDouble

COMPARES_NOTHING = frozenset({"s3_bucket_set_lifecycle"})
"""Whether what they set still stands is in their plans."""


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
    assert last.message.startswith("The ")
    assert last.message.endswith(f" To undo it: {ACTIONS[action].undo_by_hand}.")
    entries = list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read())
    assert [entry["request"] for entry in entries] == ["u1"]
    intents = [one["detail"] for one in records(world.ledger_path) if one["kind"] == "intent"]
    watched = ACTIONS[action].watch is not None
    assert ["before" in one for one in intents] == [watched, *[False] * (len(intents) - 1)]
    compares = watched and action not in COMPARES_NOTHING
    assert bool(intents[0].get("before")) is compares, "what its watch compares with is kept before the first call"
    _is_watched(world, request, intents[0].get("before", {}))


def _is_watched(world: World, request: ActRequest, before: Mapping[str, str]) -> None:
    """Let the act be read as its watch reads it: no right is missing, and nothing is worse than it was."""
    watch, now = ACTIONS[request.plan.action].watch, world.clock.now()
    if watch is None:
        return
    act = WatchedAct(
        resource=request.plan.resource,
        parameters=request.plan.parameters,
        promised={},
        started=now - timedelta(hours=10, minutes=5),
        since=now - timedelta(hours=10),
        until=now + timedelta(hours=14),
        now=now,
        before=before,
        alarm="shop-slow",
    )
    reader = make_sessions(world.clock).reader(ACCESS, REGION, tenant=TENANT)
    found = {sign.name: sign for sign in watch.signs(reader, act)}
    assert found.pop("alarm").sentence == "There is no alarm shop-slow in this account and region."
    assert found
    assert not [one.sentence for one in found.values() if one.health is Health.WORSE or "allow" in one.sentence]


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
