"""The chart's access list on a real Valkey: what each user may do, and that a restart replays every transaction."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.support.valkey import ValkeyProcess

from finops.errors import StoreUnsafe
from finops.store.connection import Store, check_server, open_store
from finops.store.outbox import Outbox
from finops.store.slack_groups import SlackGroups
from finops.store.slack_status import SlackStatus
from finops_operator.store_users import access_list

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(slots=True)
class GuardedValkey(ValkeyProcess):
    """A server that nobody uses without a name and a password."""

    user: str = "operator"

    @property
    def url(self) -> str:
        return self.url_of(self.user)

    def url_of(self, user: str) -> str:
        return f"unix://{user}@{self.directory}/valkey.sock?password={user}-password"


@pytest.fixture
def guarded() -> Iterator[GuardedValkey]:
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    users = folder / "users.acl"
    users.write_text(access_list("operator-password", "slackbot-password"), encoding="utf-8")
    server = GuardedValkey(folder, ("--aclfile", str(users)))
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def send(store: Store, *command: str) -> None:
    """Send any command, as somebody who has taken over the user could."""
    client: Any = store.client
    client.execute_command(*command)


@pytest.fixture
def bot(guarded: GuardedValkey) -> Iterator[Store]:
    store = open_store(guarded.url_of("slackbot"))
    yield store
    store.client.close()


@pytest.fixture
def operator(guarded: GuardedValkey) -> Iterator[Store]:
    store = open_store(guarded.url_of("operator"))
    yield store
    store.client.close()


def test_transactions_are_replayed_from_the_file_after_a_restart(guarded: GuardedValkey, operator: Store) -> None:
    # The server replays as its default user and drops the transactions that this user may not execute.
    groups = SlackGroups(operator, "key")
    groups.want({"S0SRE00001"})
    groups.put("S0SRE00001", frozenset({"U0ALICE001"}), NOW)
    with operator.client.pipeline(transaction=True) as pipe:
        pipe.hset("finops:probe", "field", "value")
        pipe.set("finops:probe:second", "2")
        pipe.execute()
    guarded.kill()
    guarded.start()
    assert operator.client.hgetall("finops:probe") == {"field": "value"}
    assert operator.client.get("finops:probe:second") == "2"
    assert groups.wanted() == {"S0SRE00001"}
    assert groups.read("S0SRE00001").members == {"U0ALICE001"}


def test_the_bot_does_its_work_with_the_commands_that_are_named(bot: Store, operator: Store) -> None:
    check_server(operator, allow_volatile=False)
    check_server(bot, allow_volatile=False)
    SlackGroups(operator).want({"S0SRE00001"})
    groups = SlackGroups(bot)
    assert groups.wanted() == {"S0SRE00001"}
    SlackGroups(operator).ask("S0SRE00001", NOW)
    assert groups.asked() == {"S0SRE00001": NOW}
    groups.put("S0SRE00001", frozenset({"U0ALICE001"}), NOW)
    groups.put_error("S0SRE00001", "no_such_subteam")
    outbox = Outbox(bot)
    assert outbox.messages.of("a-uid").ts == ""
    status = SlackStatus(bot)
    status.put({"team": "T0FINOPS1"})
    status.clear()
    assert status.read()[0]["team"] == "T0FINOPS1"
    assert not status.lease("bot-1") or status.lease("bot-2")
    assert bot.client.eval("return redis.call('HSET', KEYS[1], 'a', 'b')", 1, "finops:slack:probe") == 1
    assert bot.client.register_script("return redis.call('HGETALL', KEYS[1])")(keys=["finops:slack:probe"])


@pytest.mark.parametrize(
    "command",
    [
        ("XADD", "finops:ledger", "*", "record", "forged"),
        ("HSET", "finops:ledger:head", "sequence", "0"),
        ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'a', 'b')", "1", "finops:ledger"),
        ("SET", "elsewhere", "x"),
        ("FUNCTION", "LIST"),
        ("SCRIPT", "FLUSH"),
        ("SCRIPT", "KILL"),
        ("KEYS", "*"),
        ("FLUSHALL",),
        ("CONFIG", "SET", "appendonly", "no"),
        ("ACL", "LIST"),
        ("RENAME", "finops:slack:a", "finops:slack:b"),
    ],
    ids=" ".join,
)
def test_the_bot_is_refused_everything_else(bot: Store, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.ResponseError, match=r"(?i)permission|script executed"):
        send(bot, *command)


@pytest.mark.parametrize(
    "command", [("FUNCTION", "LIST"), ("SCRIPT", "FLUSH"), ("FLUSHALL",), ("ACL", "LIST")], ids=" ".join
)
def test_the_operator_does_not_administer_the_server(operator: Store, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        send(operator, *command)


@pytest.mark.parametrize(("user", "password"), [("default", ""), ("operator", "guess"), ("slackbot", "guess")])
def test_nobody_is_served_without_the_password(guarded: GuardedValkey, user: str, password: str) -> None:
    store = open_store(f"unix://{user}@{guarded.directory}/valkey.sock?password={password}")
    with pytest.raises(StoreUnsafe):
        check_server(store, allow_volatile=False)
    store.client.close()
