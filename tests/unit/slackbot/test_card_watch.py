"""What card and thread say of the hours after an act: a worse state beside the Undo button, and one line at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.sample_requests import CREATED, resize_request

from finops.crds.action_request import ActionRequest
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card
from finops_slackbot.views.thread import thread_lines

_BUTTONS = Buttons(b"a key for tests only")
_UNTIL = (CREATED + timedelta(days=1)).isoformat()
_WORSE = (
    "Its CPU is full. An approver can ask for its undo (finops undo r-1, or Undo on its card); it needs 1 approval."
)


def watched(**watch: Any) -> ActionRequest:
    undo = {"until": (CREATED + timedelta(days=30)).isoformat()}
    return resize_request(status={"state": "Succeeded", "undo": undo, "watch": {"until": _UNTIL, **watch}})


def lines(request: ActionRequest) -> dict[str, str]:
    return dict(thread_lines(card_facts(request, (), demo=False)))


def test_a_worse_state_is_one_line_in_the_thread_and_stands_on_the_card_beside_the_button() -> None:
    worse = watched(state="Worse", worse=_WORSE)

    assert lines(worse)["watch:worse"] == f"*Worse than promised:* {_WORSE}"
    assert "watch:end" not in lines(worse)
    shown = card(card_facts(worse, (), demo=False), _BUTTONS)
    assert "*Worse than promised:* Its CPU is full." in str(shown.blocks)
    assert "finops_undo" in str(shown.blocks)


def test_the_end_is_one_line_and_adds_nothing_to_the_card() -> None:
    well = watched(state="Well", message="24 hours later: it does well. Its status checks pass.")

    assert lines(well)["watch:end"] == "24 hours later: it does well. Its status checks pass."
    assert "watch:worse" not in lines(well)
    assert "hours later" not in str(card(card_facts(well, (), demo=False), _BUTTONS).blocks)


def test_while_nothing_bad_is_found_nothing_is_said() -> None:
    assert not [key for key in lines(watched(state="Watching")) if key.startswith("watch")]
    assert not [key for key in lines(resize_request(status={"state": "Succeeded"})) if key.startswith("watch")]
