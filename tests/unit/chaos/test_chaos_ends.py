"""What an act leaves behind is compared with what was there before, and both sinks with what was anchored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.chaos.chaos_checker import Broken, Evidence, Expected, check
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS
from tests.support.ledger_lines import TWO_CALLS, entry, lines, of_plan, records
from tests.unit.chaos.test_chaos_checker import EXPECTED, KEPT, STOP, STORY, broken, call, request

from finops.domain.audit import Entry, RecordKind
from finops.domain.plan import PlanStep
from finops.ledger.checkpoint import Checkpoint
from finops.ledger.merkle import root_of

MODIFY = PlanStep("modify", "ec2:ModifyInstanceAttribute", {"InstanceId": "i-1"})
BEFORE = {"i-1": {"type": "m5.xlarge", "state": "running"}}
BACK = replace(EXPECTED, forward=(STOP, MODIFY), back=(replace(MODIFY, id="modify_back"),), before=BEFORE)


def ended(state: str, now: dict[str, Any]) -> Evidence:
    end = entry("ended", RecordKind.OUTCOME, result=state, detail={"reason": "refused"})
    story = of_plan(TWO_CALLS, *STORY[:6], end)
    return replace(KEPT, calls=(), ledger=tuple(lines(story)), requests=(request(state),), resources={"i-1": now})


@pytest.mark.parametrize("now", [{"type": "m5.large", "state": "running"}, {"type": "m5.xlarge"}, {}])
@pytest.mark.parametrize("state", ["RolledBack", "Withdrawn", "Expired", "Denied", "Pending"])
def test_what_an_act_that_was_not_carried_out_left_otherwise_than_before_is_found(
    state: str, now: dict[str, str]
) -> None:
    expected = replace(BACK, ends=frozenset({state}))
    assert Broken.NOT_ENDED in broken(ended(state, now), expected)
    assert Broken.NOT_ENDED not in broken(ended(state, BEFORE["i-1"]), expected)


def test_a_change_that_was_never_led_back_is_found_although_the_instance_runs() -> None:
    expected = replace(BACK, ends=frozenset({"RolledBack"}))
    evidence = replace(ended("RolledBack", {"type": "m5.large", "state": "running"}), calls=(call(MODIFY),))
    evidence_of_it = [one.evidence for one in check(expected, evidence, PUBLIC_KEYS) if one.broken is Broken.NOT_ENDED]
    assert evidence_of_it == ["it is RolledBack, and type of i-1 is m5.large, not m5.xlarge"]


def test_a_complete_act_may_leave_its_resource_changed() -> None:
    expected: Expected = replace(EXPECTED, before=BEFORE)
    assert broken(replace(KEPT, resources={"i-1": {"type": "m5.large", "state": "running"}}), expected) == set()


def anchored(size: int) -> str:
    """The checkpoint of the story's first records, as it is kept outside of the sinks."""
    covered = records(STORY)[:size]
    root = root_of([bytes.fromhex(one.hash) for one in covered]).hex()
    return Checkpoint(size, root, covered[-1].hash, covered[-1].time, 2).signed_by(KEYS).text


@pytest.mark.parametrize("size", [len(STORY), len(STORY) - 1])
def test_sinks_that_hold_what_was_anchored_and_continue_one_another_are_in_order(size: int) -> None:
    whole = replace(KEPT, checkpoint=anchored(size), other_sink=KEPT.ledger)
    assert broken(whole) == set()
    assert broken(replace(whole, other_sink=KEPT.ledger[:size])) == set()


def test_a_sink_whose_end_was_cut_off_is_found_by_what_was_anchored() -> None:
    cut = replace(KEPT, checkpoint=anchored(len(STORY)), other_sink=KEPT.ledger[:-1])
    assert broken(cut) == {Broken.LEDGER}
    swapped = replace(cut, ledger=KEPT.ledger[:-1], other_sink=KEPT.ledger)
    assert Broken.LEDGER in broken(swapped)


@pytest.mark.parametrize("other", [STORY[:4], STORY[:1] + STORY[2:], ()])
def test_a_second_sink_that_was_forged_or_is_another_one_or_empty_is_found(other: tuple[Entry, ...]) -> None:
    story = of_plan(TWO_CALLS, *other, entry("other", RecordKind.OUTCOME, result="dry run")) if other else ()
    assert broken(replace(KEPT, other_sink=tuple(lines(story)))) == {Broken.LEDGER}


def test_a_second_sink_whose_record_nobody_signed_is_found() -> None:
    forged = KEPT.ledger[2].replace("k8s.alice", "k8s.mallory")
    assert Broken.LEDGER in broken(replace(KEPT, other_sink=(*KEPT.ledger[:2], forged, *KEPT.ledger[3:])))
