"""A number that an action sets and sets back: its undo is known, bound to what the act left, and gives more."""

from __future__ import annotations

from typing import Final

import pytest

from finops.domain.canonical import Json
from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Parameters
from finops_operator.plugins.number_setting import NumberSetting, Others, Pace, sets_back

_LAMP: Final = ResourceRef("lamp", "hall", "arn:lamp/hall", "111111111111", "us-east-1")
_BRIGHT: Final[dict[str, str]] = {"watts": "60", "made": "t0", "touched": "r1"}


def _wanted(parameters: Parameters) -> int:
    return int(str(parameters["watts"]))


def setting(before: tuple[str, ...] = (), endless: int | None = None) -> NumberSetting:
    return NumberSetting(
        action="lamp_dim",
        parameter="watts",
        fact="watts",
        identity="made",
        label="power",
        shown=lambda watts: f"{watts} W",
        steps=("dim", "wait_dim"),
        wanted=_wanted,
        call=lambda lamp, watts: ("lamps:Dim", {"Lamp": lamp.id, "Watts": watts}),
        others=Others(set="somebody set another power meanwhile", replaced="somebody changed the lamp meanwhile"),
        pace=Pace(settle=60.0),
        bound=lambda assumed: {"Seen": assumed["touched"]},
        before=before,
        applied=lambda _plan, now: now.text("state") == "steady",
        restored=lambda _plan, now: now.text("state") == "steady",
        broken=lambda _plan, now: now.text("state") == "broken",
        endless=endless,
    )


def seen(watts: str = "60", **further: Json) -> Observation:
    facts: dict[str, Json] = {**_BRIGHT, "watts": watts, "state": "steady", **further}
    return Observation(exists=True, facts=facts)


def act(lamp: NumberSetting | None = None) -> Plan:
    return (lamp or setting()).plan(_LAMP, {"watts": 40}, _BRIGHT)


def test_the_call_is_bound_to_what_people_approved_and_the_one_that_leads_back_is_not() -> None:
    (call, _), (back, _) = act().steps, setting().compensation(act())

    assert (call.operation, dict(call.parameters)) == ("lamps:Dim", {"Lamp": "hall", "Watts": 40, "Seen": "r1"})
    assert call.inverse == back.id
    assert (back.operation, dict(back.parameters)) == ("lamps:Dim", {"Lamp": "hall", "Watts": 60})


def test_an_undo_sets_the_old_number_and_is_known_by_its_parameters() -> None:
    parameters = setting().undo.parameters(act(), {})
    undo = setting().plan(_LAMP, parameters, {**_BRIGHT, "watts": "40", "touched": "r2"})

    assert not sets_back(act().parameters)
    assert sets_back(undo.parameters)
    assert undo.steps[0].parameters == {"Lamp": "hall", "Watts": 60, "Seen": "r2"}
    # It is made anew from its own parameters before every call, and must come out the same.
    assert setting().plan(_LAMP, undo.parameters, {**_BRIGHT, "watts": "40", "touched": "r2"}).hash == undo.hash
    assert setting().compensation(undo)[0].parameters == {"Lamp": "hall", "Watts": 40}


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (seen("40"), ""),
        (seen("40", touched="r9"), ""),
        (seen("25"), "Its power is 25 W now; the act had set it to 40 W."),
        (seen("60"), "Its power is 60 W now; the act had set it to 40 W."),
        (seen(""), "Its power is not known now; the act had set it to 40 W."),
        (seen("40", made="t9"), "After the act somebody changed the lamp."),
        (Observation(exists=False), "After the act somebody changed the lamp."),
    ],
    ids=["as left", "touched", "another", "set back by hand", "unknown", "replaced", "gone"],
)
def test_a_number_that_somebody_set_since_is_not_undone(now: Observation, sentence: str) -> None:
    assert setting().undo.changed(act(), now) == sentence


@pytest.mark.parametrize(
    ("now", "wanted", "endless", "codes"),
    [
        ("40", 60, None, []),
        ("60", 60, None, ["NotBack"]),
        ("60", 40, None, ["NotBack"]),
        ("", 60, None, ["NumberUnknown"]),
        ("40", 0, 0, []),
        ("0", 40, 0, ["NotBack"]),
        ("0", 0, 0, ["NotBack"]),
        ("0", 2, None, []),
    ],
)
def test_an_undo_gives_more_and_never_less(now: str, wanted: int, endless: int | None, codes: list[str]) -> None:
    refusals = setting(endless=endless).not_back(seen(now), {"watts": wanted})

    assert [refusal.code for refusal in refusals] == codes


def test_it_is_done_once_it_is_in_force_and_failed_when_aws_says_so_or_another_is_there() -> None:
    rules, plan = setting().procedure(lambda _plan, _now: ""), act()
    wait = rules.steps["wait_dim"]

    assert rules.verified(plan, seen("40"))
    assert not rules.verified(plan, seen("40", state="changing"))
    assert not rules.verified(plan, seen("60"))
    assert not wait.failed(plan, seen("40", state="changing"))
    assert wait.failed(plan, seen("40", state="broken"))
    assert wait.failed(plan, seen("40", made="t9"))


@pytest.mark.parametrize(
    ("before", "step", "now", "clause"),
    [
        ((), "dim", seen("60", touched="r9"), ""),
        (("touched",), "dim", seen("60", touched="r9"), "somebody set another power meanwhile"),
        ((), "restore", seen("25"), "somebody set another power meanwhile"),
        (("touched",), "restore", seen("60", touched="r9"), ""),
        (("touched",), "restore", seen("40", made="t9"), "somebody changed the lamp meanwhile"),
        ((), "restore", Observation(exists=False), ""),
    ],
)
def test_traces_of_a_call_prove_what_somebody_did_before_ours_alone(
    before: tuple[str, ...], step: str, now: Observation, clause: str
) -> None:
    lamp = setting(before)
    rules = lamp.procedure(lambda _plan, _now: "")

    assert rules.steps[step].taken(act(lamp), Journal(), now, 0.0) == clause
