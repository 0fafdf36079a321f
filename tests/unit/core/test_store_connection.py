"""A store that would lose data, or cannot take any, is named before anything relies on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from tests.valkey import ValkeyProcess, running_valkey

from finops.errors import InvalidInput, StoreUnavailable, StoreUnsafe
from finops.store.connection import (
    SCHEMA_VERSION,
    Store,
    check_server,
    open_ledger_connection,
    open_store,
    redacted,
    store_errors,
)


@pytest.fixture
def server() -> Iterator[ValkeyProcess]:
    with running_valkey() as server:
        yield server


@pytest.fixture
def own(server: ValkeyProcess) -> Iterator[Store]:
    opened = open_store(server.url, timeout_seconds=1.0)
    yield opened
    opened.client.close()


def configure(store: Store, name: str, value: str) -> None:
    store.client.config_set(name, value)


def test_a_durable_server_is_accepted_and_marked_with_the_schema(own: Store) -> None:
    assert int(check_server(own, allow_volatile=False).split(".")[0]) >= 7
    assert str(own.client.get(own.keys.schema)) == str(SCHEMA_VERSION)
    check_server(own, allow_volatile=False)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("maxmemory-policy", "allkeys-lru", "StoreEvicts"),
        ("maxmemory-policy", "volatile-ttl", "StoreEvicts"),
        ("appendonly", "no", "StoreNotPersistent"),
        ("appendfsync", "everysec", "StoreSyncsLate"),
    ],
)
def test_a_server_that_could_lose_data_is_refused_with_the_setting_to_change(
    own: Store, name: str, value: str, code: str
) -> None:
    configure(own, name, value)

    with pytest.raises(StoreUnsafe) as caught:
        check_server(own, allow_volatile=False)

    assert caught.value.code == code
    assert name in caught.value.message
    assert f"set {name}" in caught.value.hint
    check_server(own, allow_volatile=True)


def test_a_store_of_a_newer_program_is_left_alone(own: Store) -> None:
    own.client.set(own.keys.schema, SCHEMA_VERSION + 1)

    with pytest.raises(StoreUnsafe, match="newer version"):
        check_server(own, allow_volatile=True)
    assert str(own.client.get(own.keys.schema)) == str(SCHEMA_VERSION + 1)


def test_a_server_that_is_too_old_is_refused(own: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def info(section: str) -> dict[str, Any]:
        return {"redis_version": "6.0.16"}

    monkeypatch.setattr(own.client, "info", info)

    with pytest.raises(StoreUnsafe, match=r"6\.0\.16"):
        check_server(own, allow_volatile=True)


def test_a_wrong_password_is_not_an_outage(own: Store, server: ValkeyProcess) -> None:
    configure(own, "requirepass", "right")
    wrong = open_store(server.url.replace("unix://", "unix://:wrong@"))

    with pytest.raises(StoreUnsafe) as caught:
        check_server(wrong, allow_volatile=False)

    assert caught.value.code == "StoreAuthenticationFailed"


def test_a_user_without_the_right_to_a_key_is_told_so(own: Store, server: ValkeyProcess) -> None:
    own.client.acl_setuser("bot", enabled=True, passwords=["+pass"], keys=["finops:slack:*"], commands=["+@all"])
    bot = open_store(server.url.replace("unix://", "unix://bot:pass@"))

    with pytest.raises(StoreUnsafe), store_errors():
        bot.client.get(bot.keys.ledger)
    bot.client.close()


def test_a_server_that_is_gone_is_unavailable(server: ValkeyProcess, own: Store) -> None:
    server.kill()

    with pytest.raises(StoreUnavailable, match="does not answer"):
        check_server(own, allow_volatile=False)


def test_a_full_server_is_unavailable_not_broken(own: Store) -> None:
    configure(own, "maxmemory", "1")

    with pytest.raises(StoreUnavailable, match="full"), store_errors():
        own.client.set("a", "b")


def test_a_server_that_does_not_write_is_unavailable_not_broken(own: Store) -> None:
    own.client.replicaof("127.0.0.1", "1")

    with pytest.raises(StoreUnavailable, match="does not write"), store_errors():
        own.client.set("a", "b")


def test_a_server_that_lost_our_scripts_twice_was_restarted_and_is_asked_again(own: Store) -> None:
    with pytest.raises(StoreUnavailable, match="restarted"), store_errors():
        own.client.evalsha("0" * 40, 0)


def test_a_defect_of_ours_is_not_hidden_as_an_outage(own: Store) -> None:
    own.client.set("text", "a")

    with pytest.raises(redis.ResponseError), store_errors():
        own.client.hget("text", "field")


def test_the_ledgers_connection_sends_each_command_once(own: Store, server: ValkeyProcess) -> None:
    ledger = open_ledger_connection(server.url)

    retry: Any = ledger.client.get_retry()
    assert retry._retries == 0
    assert ledger.client.connection_pool.connection_kwargs["socket_timeout"] == 2.0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("rediss://user:secret@host", "rediss://user:***@host"),
        ("redis://host:6379", "redis://host:6379"),
    ],
)
def test_an_address_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redacted(url) == shown


@pytest.mark.parametrize("url", ["http://:secret@host", "host:6379", "redis://host:port"])
def test_what_is_no_address_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_store(url)

    assert caught.value.field == "FINOPS_REDIS_URL"
    assert "secret" not in str(caught.value)
