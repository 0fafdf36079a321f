"""The world around the bot, one per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.slackbot.bot_world import World, running_world


@pytest.fixture
def world(tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Doubles and a store; no bot yet."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with running_world(tmp_path, valkey_url) as made:
        yield made
        assert made.control.observed.failures() == []
