"""The bot where it may serve some namespaces alone: its rights are then Roles in these, as the chart makes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.slackbot.bot_world import BOB, NAMESPACE, running_world

ONLY = (NAMESPACE, "team-b")


def test_a_bot_of_two_namespaces_shows_cards_and_takes_votes(
    tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running_world(tmp_path, valkey_url, only=ONLY) as world, world.bot(watch_namespaces=ONLY):
        request = world.propose()
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
        world.shown(request, "Approved")
