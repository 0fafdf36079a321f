"""A store that refuses a running bot ends none of its threads: clicks are answered, and it goes on when let in."""

from __future__ import annotations

from pathlib import Path

from tests.integration.slackbot.bot_world import BOB, running_world
from tests.support.valkey import running_valkey


def test_a_bot_whose_password_was_changed_loses_no_thread_and_goes_on_when_it_is_let_in(tmp_path: Path) -> None:
    with running_valkey() as server, running_world(tmp_path, server.url) as world, world.bot() as bot:
        request = world.propose()
        world.until(lambda: world.card(request))
        server.lock_out()
        world.until(lambda: "password" in bot._store_problem())
        sent = world.click(request, BOB)
        assert sent["acked"]
        assert "nothing will happen" in world.answered(BOB, "Not recorded")
        assert world.votes() == []
        server.let_in()
        world.until(lambda: bot._store_problem() == "")
        assert [thread.name for thread in bot.threads if not thread.is_alive()] == []
        world.click(request, BOB)
        world.answered(BOB, "Your approval on")
