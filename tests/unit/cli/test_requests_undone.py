"""`finops requests` shows an act that was undone as one that saves nothing any more, and how other undos stand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.sample_requests import CREATED, delete_request

from finops_operator.cli.commands.requests import columns


def _cells(undo: dict[str, Any] | None) -> dict[str, tuple[object, str]]:
    request = delete_request(status={"state": "Succeeded", "undo": undo})
    record = request.to_object()
    return {one.name: (one.value(record), one.shown(record)) for one in columns(CREATED)}


def test_an_undone_act_saves_nothing_and_says_by_which_request_it_was_undone() -> None:
    cells = _cells({"request": "u-1", "state": "Succeeded", "message": "Undone by request u-1."})
    assert cells["state"] == ("Succeeded", "Succeeded, undone")
    assert cells["monthlySavings"] == ("0.00", "0.00")
    assert cells["outcome"][0] == "Undone by request u-1. Its saving has ended."


@pytest.mark.parametrize(
    ("undo", "outcome"),
    [
        (None, ""),
        ({"until": "2026-12-24T00:00:00Z"}, ""),
        ({"request": "u-1", "message": "Asked."}, "Its undo is open: request u-1. Asked."),
        (
            {"request": "u-1", "state": "Denied", "message": "Not undone: request u-1 is Denied."},
            "Not undone: request u-1 is Denied.",
        ),
        ({"answered": "v-1", "message": "It was changed since."}, "It was changed since."),
    ],
)
def test_an_act_that_was_not_undone_saves_what_it_did_and_says_how_its_undo_stands(
    undo: dict[str, Any] | None, outcome: str
) -> None:
    cells = _cells(undo)
    assert cells["state"][1] == "Succeeded"
    assert cells["monthlySavings"][1] not in {"", "0.00"}
    assert cells["outcome"][0] == outcome
