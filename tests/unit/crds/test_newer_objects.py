"""Objects of a newer release, read by one that is older: a bot shows them, an operator refuses to act on them."""

from __future__ import annotations

import pytest
from tests.support.sample_requests import resize_request

from finops.crds.action_request import ActionRequest
from finops.crds.invalid import InvalidObject
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card


def newer_request() -> dict[str, object]:
    """A request with an act, a kind, a check and fields that this release does not know, at several depths."""
    made = resize_request(status={"state": "Pending"}).to_object()
    spec = made["spec"]
    spec["action"], spec["resource"]["kind"] = "quantum_computer_cool", "quantum-computer"
    spec["evidence"]["check"] = "quantum_computer_warm"
    spec["carbon"] = {"kilograms": "12"}
    spec["presentation"]["verb"], spec["presentation"]["kind"] = "Cool", "Quantum computer"
    spec["presentation"]["mood"] = "hopeful"
    for number, step in enumerate(spec["plan"]):
        step["priority"] = number
    made["status"]["weather"] = "sunny"
    return made


def test_a_bot_one_release_older_shows_the_request_and_carries_its_votes() -> None:
    request = ActionRequest.from_object(newer_request(), newer=True)
    shown = card(card_facts(request, [], demo=False), Buttons(b"a key for tests"))
    assert shown.blocks[0]["text"]["text"] == "Cool web-1 → t3.small: save $49.94 a month"
    assert request.spec.action == "quantum_computer_cool"
    assert request.spec.plan_hash == resize_request().spec.plan_hash
    assert len(request.spec.plan) == 5


def test_who_acts_on_objects_refuses_fields_that_it_does_not_know() -> None:
    with pytest.raises(InvalidObject, match="is not a field of this kind"):
        ActionRequest.from_object(newer_request())


def test_a_newer_object_that_is_wrong_otherwise_is_refused_all_the_same() -> None:
    made = newer_request()
    made["spec"]["planHash"] = "short"  # type: ignore[index]  # an object as JSON
    with pytest.raises(InvalidObject, match="planHash"):
        ActionRequest.from_object(made, newer=True)
