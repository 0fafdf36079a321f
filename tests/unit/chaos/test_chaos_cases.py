"""Which runs `make chaos` makes: all that the registry holds, and the same sample for the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.chaos import chaos_cases
from tests.chaos.chaos_cases import Case, Fault, Variant, cases, not_met, sample, small_sample, undisturbed
from tests.chaos.chaos_checker import Broken
from tests.chaos.chaos_summary import Seen, failures, progress, summary

from finops_operator.killpoint import ACT_KILL_POINTS
from finops_operator.plugins.loaded import load_actions

PLAIN = Case("ec2_instance_stop", Variant.FORWARD)
BACK = Case("ec2_instance_stop", Variant.TURNED_BACK)
MET: Mapping[Case, Mapping[str, int]] = {
    PLAIN: {"aws.sent": 2, "act.observed": 9},
    BACK: {"aws.sent": 3, "act.observed": 9, "compensate.before": 1},
}


def seen(case: Case, *violations: tuple[Broken, str], **changes: Any) -> Seen:
    return Seen(**{"case": case, "reached": True, "state": "", "seconds": 1.0, "violations": violations, **changes})


def test_every_action_of_the_registry_is_run_in_every_variant() -> None:
    assert {(one.action, one.variant) for one in undisturbed()} == {
        (name, variant)
        for name, action in load_actions().items()
        for variant in Variant
        if variant is not Variant.UNDONE or action.undo is not None
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_a_small_sample_disturbs_two_undos_chosen_by_the_seed_and_every_action_once(seed: int) -> None:
    found = small_sample(seed)
    assert sorted(one.action for one in found) == sorted(load_actions())
    undone = [one.action for one in found if one.variant is Variant.UNDONE]
    assert len(undone) == 2
    assert all(load_actions()[name].undo is not None for name in undone)
    assert undone != [one.action for one in small_sample(seed + 2) if one.variant is Variant.UNDONE]


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_small_sample_disturbs_a_rollback_that_has_calls_to_make_and_a_search_after_a_lost_answer(seed: int) -> None:
    by_variant = {one.variant: one for one in small_sample(seed)}
    turned, lost = by_variant[Variant.TURNED_BACK], by_variant[Variant.ANSWER_LOST]
    assert turned.boundary.startswith("compensate.")
    assert lost.boundary.startswith("settle.")
    assert turned.action in {"ec2_instance_resize", "ebs_volume_detach_delete"}


def test_an_undo_is_walked_from_its_beginning_whatever_the_act_met() -> None:
    undo = Case("ec2_instance_stop", Variant.UNDONE)
    found = {one.boundary for one in cases({**MET, undo: {"aws.sent": 1}}) if one.variant is Variant.UNDONE}
    assert found == {"aws.sent:1"}


def test_an_action_without_a_resource_in_the_estate_is_named_and_not_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos_cases, "CASES", {})
    with pytest.raises(LookupError, match="ec2_instance_stop"):
        undisturbed()


def test_each_boundary_that_was_met_is_disturbed_in_every_way() -> None:
    found = cases({PLAIN: {"aws.sent": 2}})
    assert {(one.boundary, one.fault) for one in found} == {
        (boundary, fault) for boundary in ("aws.sent:1", "aws.sent:2") for fault in Fault
    }


def test_of_a_rollback_only_what_lies_behind_the_plain_way_is_walked_again() -> None:
    found = {one.boundary for one in cases(MET) if one.variant is Variant.TURNED_BACK}
    assert found == {"aws.sent:3", "compensate.before:1"}


def test_a_registered_boundary_that_no_run_met_is_named() -> None:
    everything = dict.fromkeys(ACT_KILL_POINTS, 1)
    assert not_met([everything]) == set()
    del everything["aws.sent"]
    assert not_met([everything, {"ledger.voted": 1}]) == {"aws.sent"}


def test_the_same_seed_takes_the_same_sample_and_another_seed_another_one() -> None:
    found = cases({case: {f"b{number}": 1 for number in range(20)} for case in (PLAIN, Case("x", Variant.FORWARD))})
    assert sample(found, 30, 7) == sample(found, 30, 7)
    assert sample(found, 30, 7) != sample(found, 30, 8)
    assert len(set(sample(found, 30, 7))) == 30
    assert sorted(one.text for one in sample(found, len(found), 7)) == sorted(one.text for one in found)


def test_a_small_sample_holds_every_fault_of_every_action() -> None:
    found = cases({case: {f"b{number}": 1 for number in range(20)} for case in (PLAIN, Case("x", Variant.FORWARD))})
    assert len({(one.action, one.fault) for one in sample(found, 2 * len(Fault), 1)}) == 2 * len(Fault)


@pytest.mark.parametrize("case", [PLAIN, Case("ec2_instance_resize", Variant.ANSWER_LOST, "aws.sent:2", Fault.PAUSE)])
def test_a_case_is_read_back_from_its_text(case: Case) -> None:
    assert Case.of(case.text) == case


def test_a_run_that_broke_something_is_printed_as_the_command_that_repeats_it() -> None:
    one = seen(Case("ec2_instance_stop", Variant.FORWARD, "aws.sent:1", Fault.KILL), (Broken.TWICE, "stopped twice"))
    command = "make chaos SEED=7 CASE=ec2_instance_stop/forward/aws.sent:1/kill"
    assert failures([one, seen(PLAIN)], 7).splitlines()[:2] == [command, "  double effects: stopped twice"]
    assert command in summary([one], 3.0, 7).splitlines()
    assert "    1  double effects" in summary([one], 3.0, 7).splitlines()


def test_a_run_that_did_not_come_to_its_boundary_is_counted_apart() -> None:
    text = summary([seen(PLAIN), seen(BACK, reached=False)], 3.0, 7)
    assert "1 runs in 3 s, 0 violations; 1 more did not come to their boundary; seed 7" in text


def test_what_a_run_broke_is_counted_although_it_did_not_come_to_its_boundary() -> None:
    text = summary([seen(PLAIN), seen(BACK, (Broken.UNAPPROVED, "one vote"), reached=False)], 3.0, 7)
    assert "    1  acts without approval" in text.splitlines()
    assert "1 runs in 3 s, 1 violations; 1 more did not come to their boundary; seed 7" in text


def test_progress_says_how_far_it_is_and_how_long_it_takes() -> None:
    assert progress([seen(PLAIN)] * 30, 60, 120.0) == "30 of 60 runs, 0 with violations, about 2 min left"
