"""The card shows the saving at list price and what commitments keep of it, where the two differ."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.slackbot.test_card_views import BUTTONS, assert_passes, facts_of

from finops.domain.decision import State
from finops_slackbot.card_facts import CardFacts
from finops_slackbot.views.card import card
from finops_slackbot.views.details import details
from finops_slackbot.views.digest import digest
from finops_slackbot.views.wording import worth


@pytest.mark.parametrize(
    ("listed", "net", "note", "said"),
    [
        (
            "70.08",
            "35.04",
            "a Savings Plan covers it",
            "Saves $70.08 at list price; $35.04 net: a Savings Plan covers it.",
        ),
        ("70.08", None, "not read", "Saves $70.08 at list price; the net saving is not known: not read."),
    ],
)
def test_the_card_says_what_a_commitment_keeps(listed: str, net: str | None, note: str, said: str) -> None:
    known = None if net is None else Decimal(net)
    facts = facts_of(State.PENDING)
    facts = replace(facts, list_monthly_savings=Decimal(listed), net_monthly_savings=known, net_note=note)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    assert f"*Money:* {said}" in json.dumps(shown.blocks)
    assert said in json.dumps(details(facts)["blocks"])


def test_list_and_net_that_are_alike_are_said_in_details_alone() -> None:
    same, facts = Decimal("70.08"), facts_of(State.PENDING)
    facts = replace(facts, list_monthly_savings=same, net_monthly_savings=same, net_note="no commitment covers it")
    assert "Money:" not in json.dumps(card(facts, BUTTONS).blocks)
    assert "$70.08 at list price and net: no commitment covers it." in json.dumps(details(facts)["blocks"])


def unknown(state: State = State.PENDING, **changes: Any) -> CardFacts:
    nothing: dict[str, Any] = {"monthly_savings": None, "new_monthly_cost": None, "list_monthly_savings": None}
    return replace(facts_of(state), **{**nothing, "saving_unknown": "AWS does not say it", **changes})


@pytest.mark.parametrize("state", list(State))
def test_a_card_of_a_saving_that_nobody_can_know_says_why_and_never_shows_a_zero(state: State) -> None:
    facts = unknown(state, realized_monthly_savings=None)
    shown = card(facts, BUTTONS)
    assert_passes(shown.blocks, shown.text)
    said = shown.text + json.dumps(shown.blocks) + json.dumps(details(facts)["blocks"])
    assert "*Money:* Saving unknown: AWS does not say it." in said
    assert "It costs $66.58 a month now. Saving unknown" in said
    for wrong in ("$0", "None", "saves saving", "save saving"):
        assert wrong not in said.replace("Downtime: None", "").replace("None: a dry", "")


def test_before_its_vote_the_title_and_the_sentence_say_that_the_saving_is_unknown() -> None:
    shown = card(unknown(), BUTTONS)
    assert ": saving unknown" in json.dumps(shown.blocks[0])
    assert "saving unknown. Needs " in shown.text


def test_where_the_cost_is_unknown_too_the_card_holds_no_amount() -> None:
    facts = unknown(State.DENIED, current_monthly_cost=None)
    said = json.dumps(card(facts, BUTTONS).blocks) + json.dumps(details(facts)["blocks"])
    assert "Nothing was saved." in said
    assert "$" not in said


def test_a_digest_counts_unknown_savings_apart() -> None:
    known, other = replace(facts_of(State.PENDING), monthly_savings=Decimal("10.00")), unknown()
    heading = json.dumps(digest([other, known]).blocks[0])
    assert "2 new requests: save $10.00 a month; 1 with unknown saving" in heading
    assert "saving unknown: resize web-1" in json.dumps(digest([other, known]).blocks)
    assert "2 new requests: saving unknown" in json.dumps(digest([other, other]).blocks[0])


def test_the_undo_of_such_an_act_says_that_nobody_knows_what_it_costs() -> None:
    facts = unknown(undoes="uid", current_monthly_cost=None)
    assert "costs more, how much is unknown" in card(facts, BUTTONS).text


def test_a_card_of_a_start_says_what_it_costs_more() -> None:
    facts = replace(
        facts_of(State.PENDING),
        current_monthly_cost=Decimal("0.00"),
        new_monthly_cost=Decimal("280.32"),
        monthly_savings=Decimal("0.00"),
    )
    assert worth(facts) == "costs $280.32 more a month"
