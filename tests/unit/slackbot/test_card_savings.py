"""The card shows the saving at list price and what commitments keep of it, where the two differ."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.slackbot.test_card_views import BUTTONS, assert_passes, facts_of

from finops.domain.decision import State
from finops_slackbot.views.card import card
from finops_slackbot.views.details import details


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
