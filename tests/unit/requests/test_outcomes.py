"""What is written back about recommendations after requests were made."""

from __future__ import annotations

from dataclasses import replace

from tests.support.scan_samples import recommendation

from finops.domain.recommendation import Block, Status
from finops_operator.requests.cooldown import CooldownReason
from finops_operator.requests.outcomes import Outcomes
from finops_operator.rules.candidates import Skip

ITEM = recommendation()
ADVICE = replace(ITEM, status=Status.ADVICE)


def test_what_the_scan_judged_already_is_not_written_again() -> None:
    outcomes = Outcomes()
    outcomes.skipped(Skip(ADVICE, "It is advice only."))
    outcomes.skipped(Skip(replace(ITEM, counted=False), "A better recommendation exists."))

    assert outcomes.changed() == ()


def test_a_status_that_changed_since_the_scan_is_written() -> None:
    outcomes = Outcomes()
    outcomes.skipped(Skip(ADVICE, "It is advice only.", is_news=True))

    assert outcomes.changed() == (ADVICE,)


def test_what_nobody_is_asked_about_is_counted_by_its_reason() -> None:
    outcomes = Outcomes()
    spot = Block("Spot", "It is a Spot instance.")
    outcomes.asked(recommendation(1), "p-stop-1")
    outcomes.skipped(Skip(recommendation(2), "The request p-stop-2 for this resource is open.", is_asked=True))
    outcomes.skipped(Skip(recommendation(3), "The same act was Denied."))
    outcomes.skipped(Skip(ADVICE, "It is advice only."))
    outcomes.skipped(Skip(replace(ITEM, status=Status.BLOCKED), "The policy does not allow it."))
    outcomes.passed_over(recommendation(4), CooldownReason(spot.message, (spot,)))

    found = outcomes.unproposed()

    assert found.count == 3
    for reason in ("1: The same act was Denied.", "1: The policy does not allow it.", f"1: {spot.message}"):
        assert reason in found.message


def test_what_is_asked_waits_or_was_refused_says_so() -> None:
    outcomes = Outcomes()
    outcomes.asked(recommendation(1), "p-stop-1")
    outcomes.skipped(Skip(recommendation(2), "The same act was Denied."))
    outcomes.passed_over(
        recommendation(3), CooldownReason("It is a Spot instance.", (Block("Spot", "It is a Spot instance."),))
    )
    outcomes.passed_over(recommendation(4), CooldownReason("AWS did not answer."))

    assert [
        (one.id, one.status.value, one.note, [block.code for block in one.blocked_by]) for one in outcomes.changed()
    ] == [
        ("rec1", "Actionable", "The request p-stop-1 for this resource is open.", []),
        ("rec2", "Actionable", "The same act was Denied.", []),
        ("rec3", "Blocked", "", ["RefusedByPreflight:Spot"]),
        ("rec4", "Actionable", "AWS did not answer.", []),
    ]
