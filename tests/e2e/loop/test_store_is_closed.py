"""What each user of the store may do there; who reaches it at all stands in test_who_reaches_whom."""

from __future__ import annotations

import pytest
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("user", "password"), [("default", ""), ("operator", "guess"), ("slackbot", "guess"), ("web", "guess")]
)
def test_nobody_is_served_without_the_password(loop: Loop, user: str, password: str) -> None:
    said = loop.release.valkey("GET", "finops:schema", user=user, password=password)
    assert "NOAUTH" in said or "WRONGPASS" in said


LEDGER_WRITES = (
    ("XADD", "finops:ledger", "*", "record", "forged"),
    ("DEL", "finops:ledger"),
    ("SET", "finops:ledger:head", "x"),
    ("HSET", "finops:policy:team:everything:head", "summary", "{}"),
    ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'a', 'b')", "1", "finops:ledger"),
)


@pytest.mark.parametrize("command", LEDGER_WRITES, ids=lambda command: command[0])
def test_the_bot_writes_nothing_but_its_own_keys(loop: Loop, command: tuple[str, ...]) -> None:
    before = loop.release.ledger()
    assert "NOPERM" in loop.release.valkey(*command, user="slackbot")
    assert loop.release.ledger()[: len(before)] == before


@pytest.mark.parametrize("command", [*LEDGER_WRITES, ("SET", "finops:slack:seen:e2e", "1")], ids=" ".join)
def test_the_dashboard_writes_nothing(loop: Loop, command: tuple[str, ...]) -> None:
    assert "NOPERM" in loop.release.valkey(*command, user="web")
    assert loop.release.valkey("GET", "finops:schema", user="web") == "1"


def test_the_bot_reads_what_it_shows_and_writes_what_is_its_own(loop: Loop) -> None:
    release = loop.release
    assert release.valkey("GET", "finops:schema", user="slackbot") == "1"
    assert release.valkey("SET", "finops:slack:seen:e2e", "1", "EX", "5", user="slackbot") == "OK"


@pytest.mark.parametrize("user", ["operator", "slackbot", "web"])
@pytest.mark.parametrize(
    "command",
    [
        ("CONFIG", "SET", "appendonly", "no"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("ACL", "LIST"),
        ("SHUTDOWN",),
        ("GET", "other:key"),
    ],
    ids=lambda command: "-".join(command[:2]),
)
def test_no_user_administers_the_server_or_leaves_its_keys(loop: Loop, user: str, command: tuple[str, ...]) -> None:
    assert "NOPERM" in loop.release.valkey(*command, user=user)


def test_the_store_keeps_everything_and_evicts_nothing(loop: Loop) -> None:
    settings = {
        name: loop.release.valkey("CONFIG", "GET", name).splitlines()[1]
        for name in ("appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy")
    }
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
    }
