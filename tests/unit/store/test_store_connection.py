"""A store that would lose data, or cannot take any, is named before anything relies on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from tests.support.answering import answering
from tests.support.valkey import ValkeyProcess, running_valkey

from finops.errors import InvalidInput, StoreRefused, StoreUnavailable, StoreUnsafe
from finops.store.address import redacted
from finops.store.connection import (
    SCHEMA_VERSION,
    Store,
    check_server,
    open_ledger_connection,
    open_store,
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
        ("no-appendfsync-on-rewrite", "yes", "StoreSyncsLate"),
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


def test_a_user_without_the_right_to_a_key_learns_so(own: Store, server: ValkeyProcess) -> None:
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
    with pytest.raises(redis.ResponseError), store_errors():
        own.client.eval("return nothing()", 0)


def asked_in_a_transaction(client: redis.Redis) -> None:
    with client.pipeline(transaction=True) as both:
        both.hget("text", "field")
        both.execute()


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.hget("text", "field"),
        lambda client: client.eval("return redis.call('HGET', KEYS[1], 'field')", 1, "text"),
        asked_in_a_transaction,
    ],
    ids=["plainly", "in a script", "in a transaction"],
)
def test_a_key_in_which_somebody_else_put_something_is_refused_and_waited_for(
    ask: Callable[[redis.Redis], None], own: Store
) -> None:
    own.client.set("text", "a")

    with pytest.raises(StoreRefused, match="something else under one of our keys") as caught, store_errors():
        ask(own.client)
    assert caught.value.code == "StoreOtherContent"
    assert "prefix of its own" in caught.value.hint


@pytest.mark.parametrize(
    "error",
    [
        redis.ResponseError("wrong number of arguments for 'get' command"),
        redis.ResponseError("user_script:1: attempt to index a nil value"),
        redis.exceptions.ExecAbortError("Transaction discarded because of previous errors."),
        redis.DataError("Invalid input of type: 'dict'"),
        redis.WatchError("Watched variable changed."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_only_a_defect_of_ours_can_cause_goes_through(error: redis.RedisError) -> None:
    with pytest.raises(type(error)) as caught, store_errors():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (redis.exceptions.MovedError("3999 127.0.0.1:6381"), "StoreIsCluster", "Redis Cluster"),
        (redis.exceptions.AskError("3999 127.0.0.1:6381"), "StoreIsCluster", "Redis Cluster"),
        (redis.exceptions.ClusterCrossSlotError("Keys in request don't hash"), "StoreIsCluster", "Redis Cluster"),
        (redis.exceptions.ClusterDownError("The cluster is down"), "StoreIsCluster", "Redis Cluster"),
        (redis.exceptions.TryAgainError("Multiple keys request"), "StoreIsCluster", "Redis Cluster"),
        (redis.ResponseError("DB index is out of range"), "StoreNoSuchDatabase", "no such database"),
        (redis.ResponseError("DENIED Redis is running in protected mode"), "StoreProtected", "protected mode"),
        (redis.exceptions.NoPermissionError("this user has no permissions"), "StoreAuthenticationFailed", "refused"),
        (
            redis.exceptions.AuthenticationWrongNumberOfArgsError("wrong number of arguments for 'auth' command"),
            "StoreAuthenticationFailed",
            "password",
        ),
        (redis.AuthenticationError("WRONGPASS invalid"), "StoreAuthenticationFailed", "password"),
        (redis.InvalidResponse("Protocol Error: b'HTTP/1.1 400 s3cret'"), "StoreNotRedis", "protocol"),
        (redis.exceptions.LockError("lock"), "StoreNotRedis", "protocol"),
        (redis.RedisError("something else"), "StoreNotRedis", "protocol"),
        (
            redis.ResponseError("unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'u' 's3cret'"),
            "StoreRefused",
            "unknown command 'HELLO'",
        ),
        (redis.ResponseError("NOPROTO unsupported protocol version"), "StoreRefused", "NOPROTO"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_server_that_does_not_serve_us_is_reported_by_cause_and_the_loops_go_on_waiting(
    error: redis.RedisError, code: str, words: str
) -> None:
    with pytest.raises(StoreRefused) as caught, store_errors():
        raise error

    # Loops wait for what is unavailable; start-up checks name what is unsafe. It is both.
    assert isinstance(caught.value, StoreUnavailable)
    assert isinstance(caught.value, StoreUnsafe)
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        redis.ResponseError("BUSY Redis is busy running a script."),
        redis.ResponseError("MISCONF cannot persist"),
        redis.ResponseError("NOREPLICAS Not enough good replicas to write."),
        redis.exceptions.MasterDownError("Link with MASTER is down"),
        redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        redis.exceptions.MaxConnectionsError("Too many connections"),
        redis.ConnectionError("max number of clients reached"),
    ],
    ids=str,
)
def test_a_server_that_cannot_now_is_unavailable_and_not_refused(error: redis.RedisError) -> None:
    with pytest.raises(StoreUnavailable) as caught, store_errors():
        raise error
    assert not isinstance(caught.value, StoreRefused)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", StoreRefused),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", StoreRefused),
        (b"-ERR unknown command 'INFO'\r\n", StoreRefused),
        (b"\x15\x03\x01\x00\x02\x02\x46\r\n", StoreRefused),
        (b"", StoreUnavailable),
    ],
    ids=["http", "cluster", "few-commands", "tls", "silent"],
)
def test_a_server_of_another_kind_is_reported_at_start(answer: bytes, kind: type[StoreUnavailable]) -> None:
    with answering(answer) as port:
        found = open_ledger_connection(f"redis://127.0.0.1:{port}/0", timeout_seconds=0.5)
        with pytest.raises(kind):
            check_server(found, allow_volatile=True)
        found.client.close()


def test_a_key_that_somebody_else_wrote_is_reported_and_left_alone(own: Store) -> None:
    own.client.set(own.keys.schema, "hello")

    with pytest.raises(StoreUnsafe, match="never wrote") as caught:
        check_server(own, allow_volatile=True)
    assert "FINOPS_REDIS_PREFIX" in caught.value.hint
    assert str(own.client.get(own.keys.schema)) == "hello"


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


@pytest.mark.parametrize("url", ["redis://:s3c@h:abc/0", "redis://u:s3c@[::1", "redis://:s3#c@h", "s3c", "", "unix://"])
def test_an_address_that_cannot_be_read_is_not_shown_at_all(url: str) -> None:
    assert redacted(url) == "an address that cannot be read"


def test_options_are_not_shown() -> None:
    assert redacted("redis://h:6379/0?password=s3cret") == "redis://h:6379/0"
    assert redacted("unix:///run/valkey.sock?password=s3cret") == "unix:///run/valkey.sock"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:6379",
        "http://:secret@host",
        "REDIS://:secret@host",
        "redis://host:port",
        "redis://host:0",
        "redis://host:99999",
        "redis://:secret@host:abc/0",
        "redis://u:secret@[::1",
        "redis://u:se#cret@host/0",
        "redis://u:secret#@host/0",
        "redis://u:12/secret@host/0",
        "redis://u:secret/x@host/0",
        "redis://u:12?secret@host/0",
        "redis://u:12?secret=1@host/0",
        "redis://u:secret\n@host/0",
        "redis://u:secret @host/0",
        "redis://u:secret@/0",
        "redis://host/secret",
        "redis://host/0?secret=bar",
        "redis://host/0?db=secret",
        "redis://host/0?socket_timeout=60",
        "redis://host/0?retry_on_timeout=true",
        "redis://host/0?ssl_cert_reqs=none",
        "rediss://host/0?ssl_cert_reqs=secret",
        "unix://secret/valkey.sock",
        "unix://",
        "unix:///run/valkey.sock?secret=bar",
    ],
)
def test_what_is_no_address_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        open_store(url)

    assert caught.value.field == "FINOPS_REDIS_URL"
    assert "percent-encode" in caught.value.hint
    assert "secret" not in str(caught.value)
    # A log that shows the cause would show the password as well.
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://host",
        "redis://:p%23%2F%40@host:6379/0",
        "redis://user:p@ss:word@host:6379/15",
        "redis://[::1]:6379/0",
        "rediss://user:word@host/0?ssl_cert_reqs=none&ssl_ca_certs=/ca.pem",
        "redis://host?db=3&client_name=finops",
        "unix:///run/valkey.sock?db=1",
        "unix://user:word@/run/valkey.sock",
    ],
)
def test_an_address_as_the_documents_show_it_is_taken(url: str) -> None:
    open_store(url).client.close()
