"""A bot that comes to the store as the operator is found, whatever Secret its address is in."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, cast

import pytest

from finops_operator.upkeep.shared_store_user import SharedStoreUser


class Status:
    """The fields of the bot's status; `written` is what was put beside them."""

    def __init__(self, **fields: str) -> None:
        self.fields = fields
        self.written: list[Mapping[str, str]] = []

    def read(self) -> tuple[Mapping[str, str], Mapping[str, Any]]:
        return self.fields, {}

    def put(self, fields: Mapping[str, str]) -> None:
        self.written.append(fields)
        self.fields |= fields


def test_a_bot_with_the_operators_user_is_said_once_and_no_longer_when_it_has_its_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    status = Status(storeUser="operator")
    shared = SharedStoreUser(cast("Any", status), "operator")

    shared.show()
    shared.show()

    assert status.written == [{"sharedUser": "operator"}]
    assert len([one for one in caplog.records if "operator's own user" in one.message]) == 1
    status.fields["storeUser"] = "slackbot"
    shared.show()
    assert status.fields["sharedUser"] == ""


@pytest.mark.parametrize("fields", [{}, {"storeUser": "slackbot"}], ids=["an older bot", "its own"])
def test_a_bot_with_a_user_of_its_own_or_of_an_older_release_is_left_alone(fields: dict[str, str]) -> None:
    status = Status(**fields)
    SharedStoreUser(cast("Any", status), "operator").show()
    assert status.written == []
