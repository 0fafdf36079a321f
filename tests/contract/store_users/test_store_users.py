"""The chart's access list on a real Valkey: what each user may do, and that a restart replays every transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import redis
from fastapi import FastAPI
from tests.support.notices import budget_alert
from tests.support.pushes import ISOLATED, SHEET, ClassicClient
from tests.support.valkey import GuardedValkey, running_guarded_valkey
from tests.support.web_estate import Site, StoredScan, priced, resource, running_site

from finops.errors import StoreUnsafe
from finops.store.connection import Store, check_server, open_store
from finops.store.ended_sessions import EndedSessions
from finops.store.notices import StoredNotices
from finops.store.outbox import Outbox
from finops.store.slack_groups import SlackGroups
from finops.store.slack_notices import SlackNotices
from finops.store.slack_status import SlackStatus

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def guarded() -> Iterator[GuardedValkey]:
    with running_guarded_valkey() as server:
        yield server


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
    StoredNotices(operator).announce(budget_alert(80))
    ((place, notice),) = StoredNotices(bot).after(SlackNotices(bot).place(), 10)
    SlackNotices(bot).taken(place)
    assert notice is not None
    assert (notice.channels, SlackNotices(bot).place()) == (("C0FINOPS01",), place)
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
        ("HSET", "finops:ledger:packed", "1", "forged"),
        ("EVAL", "return redis.call('XADD', KEYS[1], '*', 'a', 'b')", "1", "finops:ledger"),
        ("XADD", "finops:notices", "*", "notice", "{}"),
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_the_dashboard_answers_everything_as_a_user_that_may_write_little(
    guarded: GuardedValkey, operator: Store, site: Site
) -> None:
    StoredScan(operator).write({"one": (resource("ec2-instance", "i-1"), priced("0.10"))})
    reader = open_store(guarded.url_of("web"))
    client = site.client(reader)

    pages = [entry.path for entry in cast("FastAPI", client.app).state.navigation]
    paths = [*pages, "/audit?checked=true", "/api/resources", "/api/costing/current", "/api/savings", "/readyz"]
    answers = {path: client.get(path, headers=site.bearer()).status_code for path in paths}

    assert len(pages) >= 7
    assert answers == dict.fromkeys(paths, 200)
    assert [row["id"] for row in client.get("/api/resources", headers=site.bearer()).json()["data"]] == ["i-1"]
    ended = EndedSessions(reader)
    ended.end("a session", keep_seconds=60)
    assert (ended.has("a session"), ended.has("another")) == (True, False)
    pushing = ClassicClient(client, site.bearer())
    assert pushing.post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201
    assert [row["volume_id"] for row in pushing.get("ebs-volumes")] == ["vol-1"]
    whole = client.post("/api/pushes?namespace=team-a&run=r", json={"accounts": [ISOLATED]}, headers=site.bearer())
    assert whole.status_code == 201
    reader.client.close()


@pytest.mark.parametrize(
    "command",
    [
        ("SET", "finops:schema", "2"),
        ("SET", "finops:slack:frozen", ""),
        ("HSET", "finops:pushed:team-a:444455556666:us-east-1:ebs-volume", "vol-1", "forged"),
        ("HSET", "finops:pushed", "team-a", "9"),
        ("HDEL", "finops:shards", "x"),
        ("HINCRBY", "finops:ledger:head", "sequence", "1"),
        ("HGETALL", "elsewhere"),
        ("HSET", "finops:ledger:head", "sequence", "0"),
        ("HSET", "finops:ledger:packed", "1", "forged"),
        ("XADD", "finops:ledger", "*", "record", "forged"),
        ("EXPIRE", "finops:schema", "1"),
        ("DEL", "finops:schema"),
        ("EVAL", "return 1", "0"),
        ("GET", "elsewhere"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
    ],
    ids=" ".join,
)
def test_the_dashboard_is_refused_everything_else(guarded: GuardedValkey, command: tuple[str, ...]) -> None:
    reader = open_store(guarded.url_of("web"))
    with pytest.raises(redis.exceptions.NoPermissionError):
        send(reader, *command)
    reader.client.close()


@pytest.mark.parametrize(
    "command", [("FUNCTION", "LIST"), ("SCRIPT", "FLUSH"), ("FLUSHALL",), ("ACL", "LIST")], ids=" ".join
)
def test_the_operator_does_not_administer_the_server(operator: Store, command: tuple[str, ...]) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        send(operator, *command)


@pytest.mark.parametrize(
    ("user", "password"), [("default", ""), ("operator", "guess"), ("slackbot", "guess"), ("web", "guess")]
)
def test_nobody_is_served_without_the_password(guarded: GuardedValkey, user: str, password: str) -> None:
    store = open_store(f"unix://{user}@{guarded.directory}/valkey.sock?password={password}")
    with pytest.raises(StoreUnsafe):
        check_server(store, allow_volatile=False)
    store.client.close()
