"""What a card says about the undo of its act, and the card of an undo itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.sample_requests import CREATED, resize_request

from finops.crds.action_request import ActionRequest, UndoneAct
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import Card, card
from finops_slackbot.views.thread import thread_lines

_BUTTONS = Buttons(b"a key for tests only")
_UNTIL = (CREATED + timedelta(days=30)).isoformat()


def shown(request: ActionRequest) -> Card:
    return card(card_facts(request, (), demo=False), _BUTTONS)


def succeeded(**undo: Any) -> ActionRequest:
    return resize_request(status={"state": "Succeeded", "undo": undo} if undo else {"state": "Succeeded"})


def buttons(of: Card) -> list[str]:
    (actions,) = [block for block in of.blocks if block["type"] == "actions"]
    return [element["action_id"] for element in actions["elements"]]


def undo_request(state: str) -> ActionRequest:
    """Return the undo of the sample: it costs again what the act saved."""
    request = resize_request(status={"state": state})
    before = request.spec.estimate
    figures = {
        "current_monthly_cost": before.new_monthly_cost,
        "new_monthly_cost": before.current_monthly_cost,
        "monthly_savings": Decimal("0.00"),
    }
    undoes = UndoneAct(name="prod-resize-web-1", uid="u0", required=1)
    spec = request.spec.model_copy(update={"undoes": undoes, "estimate": before.model_copy(update=figures)})
    return request.model_copy(update={"spec": spec})


def test_an_act_that_can_be_undone_has_the_button_and_says_until_when() -> None:
    found = shown(succeeded(until=_UNTIL))

    assert buttons(found) == ["finops_undo", "finops_details"]
    assert "It can be undone until" in str(found.blocks)
    assert "needs 1 approval. Nothing changes before." in str(found.blocks)


@pytest.mark.parametrize(
    "undo",
    [
        {},
        {"message": "Not undone: It was started since."},
        {"until": _UNTIL, "request": "r-2", "message": "k8s.bob asked."},
        {"until": _UNTIL, "request": "r-2", "state": "Succeeded", "message": "Undone by request r-2."},
    ],
)
def test_nothing_is_offered_that_is_not_possible_under_way_or_done(undo: dict[str, Any]) -> None:
    assert buttons(shown(succeeded(**undo))) == ["finops_details"]


def test_after_a_denied_undo_it_can_be_asked_for_again() -> None:
    undo = {"until": _UNTIL, "request": "r-2", "state": "Denied", "message": "Not undone: request r-2 is Denied."}

    found = shown(succeeded(**undo))

    assert "finops_undo" in buttons(found)
    assert "Not undone: request r-2 is Denied." in str(found.blocks)


def test_an_undone_act_says_so_first_and_no_longer_that_it_saves() -> None:
    undo = {"until": _UNTIL, "request": "r-2", "state": "Succeeded", "message": "Undone by request r-2."}

    found = shown(succeeded(**undo))

    assert found.blocks[0]["text"]["text"] == "Undone: resize web-1 → t3.small"
    assert "Undone by request r-2." in str(found.blocks)
    assert "Saves" not in str(found.blocks)
    assert ": undone (" in found.text


def test_the_card_of_an_undo_says_what_it_costs_and_each_line_of_its_act() -> None:
    waiting, done = shown(undo_request("Pending")), shown(undo_request("Succeeded"))

    assert waiting.blocks[0]["text"]["text"] == "Resize web-1 → t3.small: costs $49.94 more a month"
    assert "*Undo* of the act in this thread." in str(waiting.blocks)
    assert "It costs $66.58 a month again." in str(done.blocks)
    assert "Nothing was undone: it costs $16.64 a month." in str(shown(undo_request("Denied")).blocks)
    lines = dict(thread_lines(card_facts(undo_request("Succeeded"), (), demo=False)))
    assert all(line.startswith("*Resize web-1") for line in lines.values())


def test_the_thread_says_once_what_came_of_each_ask() -> None:
    asked = succeeded(until=_UNTIL, answered="apv-1", request="r-2", message="k8s.bob asked to undo it.")
    ended = succeeded(
        until=_UNTIL, answered="apv-1", request="r-2", state="Succeeded", message="Undone by request r-2."
    )

    first = thread_lines(card_facts(asked, (), demo=False))[-1]
    second = thread_lines(card_facts(ended, (), demo=False))[-1]

    assert first == ("undo:apv-1:", "k8s.bob asked to undo it.")
    assert second == ("undo:apv-1:Succeeded", "Undone by request r-2.")


def test_an_undo_cannot_be_snoozed() -> None:
    assert "finops_snooze" not in buttons(shown(undo_request("Pending")))
    assert "finops_snooze" in buttons(shown(resize_request()))
