"""Acts of which the ledger lost records: whoever carries them on leads them back, and a person is called in doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import instance, prepare, run_to_end
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_world import ACCOUNT, REGION, World

from finops.domain.audit import LOSS_ACCEPTED, Entry, RecordKind
from finops.domain.decision import State
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.journal import RECORDS_LOST, started_entry
from finops_sandbox.aws.double import AwsDouble


def accept_a_loss(ledger: DurableLedger) -> None:
    head = ledger.head()
    left = f"{head.sequence} {head.hash}"
    detail: dict[str, Any] = {"accepted": left, "problem": "its end was cut off", "anchored": []}
    kind = RecordKind.CHECKPOINT
    ledger.append(Entry(f"checkpoint:accepted:{left}", "operator", kind, result=LOSS_ACCEPTED, detail=detail))


def test_an_act_that_comes_back_by_its_object_alone_is_still_known_as_one_with_lost_records(
    world: World, aws: AwsDouble
) -> None:
    """Its account was missing at the take-over, so it was not adopted; the request says nothing of a loss."""
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)
    accept_a_loss(ledger)
    world.lease.fence = 2

    assert (request.abandoned, request.only_back) == ("", "")
    assert run_to_end(world, request, world.ledger()).state is State.ROLLED_BACK

    assert effects(aws.calls) == {"StopInstances": 1, "StartInstances": 1}
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    check(aws.calls, world.ledger_path, session=request.name)


def test_an_act_that_began_after_the_loss_goes_forward(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    accept_a_loss(ledger)

    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


def started(world: World, *, dry_run: bool = False) -> tuple[ActRequest, DurableLedger]:
    """Return an act of which the ledger still has that it began, and nothing after that."""
    request, ledger = prepare(world)
    request = replace(request, dry_run=dry_run)
    ledger.append(started_entry(request))
    accept_a_loss(ledger)
    world.lease.fence = 2
    return request, world.ledger()


@pytest.mark.parametrize(
    ("left", "end", "seen"),
    [
        ("running", State.WITHDRAWN, "The resource is as it was proposed."),
        ("stopped", State.STALE, "The resource changed since it was proposed: "),
    ],
)
def test_an_act_of_whose_calls_nothing_is_left_calls_a_person_before_it_ends(
    left: str, end: State, seen: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = started(world)
    if left == "stopped":
        aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"state": left})

    first = world.executor(ledger).run(request)
    assert first.state is None
    shown = world.status.reports[-1]
    assert shown.state is State.NEEDS_HUMAN
    for sentence in (RECORDS_LOST, "Whether it called anything is not known.", seen, "Compare it with CloudTrail."):
        assert sentence in shown.message

    ended = run_to_end(world, request, ledger)
    assert ended.state is end
    assert "Whether it called anything is not known." in ended.message
    assert "Nothing was called" not in ended.message
    alarm, last = records(world.ledger_path)[-2:]
    assert (alarm["result"], alarm["step"]) == ("NeedsHuman", "unrecorded")
    assert last["result"] == end.value
    assert effects(aws.calls) == {}


def test_somebody_has_ten_minutes_to_compare_before_such_an_act_ends(world: World) -> None:
    request, ledger = started(world)
    run_to_end(world, request, ledger)
    alarm, last = [record["time"] for record in records(world.ledger_path)[-2:]]
    assert (datetime.fromisoformat(last) - datetime.fromisoformat(alarm)).total_seconds() >= 600


def test_a_dry_run_with_lost_records_ends_without_calling_a_person(world: World, aws: AwsDouble) -> None:
    request, ledger = started(world, dry_run=True)

    assert run_to_end(world, request, ledger).state in {State.WITHDRAWN, State.STALE}

    assert "NeedsHuman" not in [record["result"] for record in records(world.ledger_path)]
    assert aws.calls == []
