"""The card of an act for which the others of its kind wait says so, as long as they do."""

from __future__ import annotations

import pytest
from tests.support.sample_requests import resize_request

from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card


@pytest.mark.parametrize(
    ("state", "first", "said"),
    [
        ("Scheduled", True, True),
        ("Executing", True, True),
        ("Verifying", True, True),
        ("Succeeded", True, False),
        ("Executing", None, False),
    ],
)
def test_the_first_of_its_kind_is_named_while_the_others_wait(state: str, first: bool | None, said: bool) -> None:
    request = resize_request(status={"state": state, "firstOfKind": first})
    shown = str(card(card_facts(request, (), demo=False), Buttons(b"a key for tests only")).blocks)
    assert ("*First of its kind:* the others wait until it is verified." in shown) is said
