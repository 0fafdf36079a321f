"""Opens the store, refuses a server that would lose data, and translates the client's errors.

Called by every process at start; the two clients differ on purpose: `open_store` may resend idempotent commands,
`open_ledger_connection` never resends anything (a lost answer must reach the caller).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from finops.errors import FinopsError, InvalidInput, StoreRefused, StoreUnavailable, StoreUnsafe
from finops.store.address import HINT, VARIABLE, require_address
from finops.store.keys import Keys

SCHEMA_VERSION: Final = 1
_TIMEOUT_SECONDS: Final = 5.0
_MINIMUM_VERSION: Final = (6, 2)
_RETRIES: Final = 3
_CANNOT_WRITE: Final = ("MISCONF", "NOREPLICAS")
_PROTECTED: Final = "DENIED"
"""How a server in protected mode turns away everyone who is not on its own machine."""
_OTHER_TYPE: Final = "WRONGTYPE"
_BUSY: Final = ("BUSY ", "UNBLOCKED")
_NOT_LET_IN: Final = (
    redis.AuthenticationError,
    redis.exceptions.AuthenticationWrongNumberOfArgsError,
    redis.exceptions.NoPermissionError,
)
_OF_A_CLUSTER: Final = (
    redis.exceptions.ClusterError,
    redis.exceptions.AskError,
    redis.exceptions.ClusterCrossSlotError,
    redis.exceptions.TryAgainError,
)
_DEFECTS: Final = (
    *("wrong number of arguments", "wrong kind", "syntax error", "value is not"),
    *("index out of range", "no such key", "user_script", "Error compiling script", "Error running script"),
    *("Invalid stream ID", "The ID specified", "invalid expire", "Number of keys"),
)
"""How the server begins its answer to a command that should never have been sent."""
_LONGEST_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class Store:
    """A connected client and the names of its keys."""

    client: redis.Redis
    keys: Keys


def open_store(
    url: str, *, prefix: str = "finops:", timeout_seconds: float = _TIMEOUT_SECONDS, named: str = VARIABLE
) -> Store:
    """Return a store on `url`; nothing is sent yet. `named` is the variable or option that `url` came from.

    Raises:
        InvalidInput: the address cannot be used; names `named` and never repeats the address.
    """
    return Store(_client(url, retries=_RETRIES, timeout_seconds=timeout_seconds, named=named), Keys(prefix))


def open_ledger_connection(url: str, *, prefix: str = "finops:", timeout_seconds: float = 2.0) -> Store:
    """Return a store whose client sends every command at most once and times out soon: a hanging sink must not hang us.

    Raises:
        InvalidInput: as `open_store`.
    """
    return Store(_client(url, retries=0, timeout_seconds=timeout_seconds), Keys(prefix))


def _client(url: str, *, retries: int, timeout_seconds: float, named: str = VARIABLE) -> redis.Redis:
    require_address(url, named=named)
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
        )
        # Options are only judged when a connection is made, which is in the middle of somebody's work.
        pool = client.connection_pool
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        # The cause may quote the address, and with it the password.
        problem = "is not a store address: an option after the ? has a bad value, or does not belong to this scheme"
        raise InvalidInput(problem, field=named, hint=HINT) from None
    return client


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the client's errors into ours around any block that talks to the server.

    What only a defect of ours can cause (a wrong number of arguments, a script that fails) goes through as it is.

    Raises:
        StoreUnavailable: no answer, time-out, loading, restarted, out of memory, or unable to write (disk, replica).
        StoreRefused: authentication failed, a command is not allowed or not known, the database does not exist, the
            server is in protected mode, part of a Redis Cluster, or no Redis at all; a key of ours is of another type.
    """
    try:
        yield
    except _NOT_LET_IN as error:
        raise StoreRefused(
            f"the store refused our user or password: {_words(error)}",
            code="StoreAuthenticationFailed",
            hint=f"compare the store's address ({VARIABLE} or --redis) with the server's password or ACL",
        ) from error
    except redis.exceptions.MasterDownError as error:
        raise StoreUnavailable(
            "the store has lost its primary", hint="wait for the failover, or check the server"
        ) from error
    except redis.exceptions.NoScriptError as error:
        # The client loads a lost script and asks again; lost twice means that the server started anew in between.
        raise StoreUnavailable("the store was restarted in between", hint="ask again") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreUnavailable(f"the store does not answer: {error}", hint="is the server up and reachable?") from error
    except redis.exceptions.OutOfMemoryError as error:
        raise StoreUnavailable(f"the store is full: {error}", hint="raise maxmemory or the volume's size") from error
    except redis.ResponseError as error:
        ours = _refusal(error)
        if ours is None:
            raise
        raise ours from error
    except (redis.DataError, redis.WatchError):
        raise
    except redis.RedisError as error:
        # Its text is whatever that server sent, perhaps our own greeting with the password in it.
        raise StoreRefused(
            "what answers at the store's address does not speak Redis's protocol",
            code="StoreNotRedis",
            hint=f"compare host, port and scheme of {VARIABLE} or --redis (rediss:// is for TLS)",
        ) from error


def _refusal(error: redis.ResponseError) -> FinopsError | None:
    """Return our error for the server's no, None when only a defect of ours can have caused it."""
    text = str(error)
    if text.startswith(_PROTECTED):
        return StoreRefused(
            "the store runs in protected mode and serves its own machine alone",
            code="StoreProtected",
            hint="give its default user a password, or use ACL users",
        )
    if isinstance(error, _OF_A_CLUSTER):
        return StoreRefused(
            "the store is part of a Redis Cluster, which is not supported",
            code="StoreIsCluster",
            hint=f"name a server of its own in {VARIABLE} or --redis; a replica for failover is fine",
        )
    if isinstance(error, redis.exceptions.ReadOnlyError) or text.startswith(_CANNOT_WRITE):
        return StoreUnavailable(f"the store does not write: {_words(error)}", hint="check its disk and its role")
    if text.startswith(_BUSY):
        return StoreUnavailable(f"the store is busy: {_words(error)}", hint="ask again")
    if _OTHER_TYPE in text:
        return StoreRefused(
            f"the store holds something else under one of our keys: {_words(error)}",
            code="StoreOtherContent",
            hint="another program writes there: give each a server or a prefix of its own, and remove what it wrote",
        )
    if "DB index" in text:
        return StoreRefused(
            f"the store has no such database: {_words(error)}",
            code="StoreNoSuchDatabase",
            hint=f"correct the number at the end of {VARIABLE} or --redis; a server has 0 to 15 by default",
        )
    if isinstance(error, redis.exceptions.ExecAbortError) or text.startswith(_DEFECTS):
        return None
    return StoreRefused(
        f"the store refused a command: {_words(error)}",
        hint="use Valkey, or Redis 6.2 or newer, without a proxy that knows fewer commands",
    )


def _words(error: redis.RedisError) -> str:
    """The server's own words without the arguments some servers repeat: one of them may be the password."""
    return str(error).partition(", with args")[0].partition("\n")[0][:_LONGEST_WORDS]


def check_server(store: Store, *, allow_volatile: bool) -> str:
    """Check version, durability and schema once at start, and write the schema version on a fresh store.

    Returns the server's version. `allow_volatile` is `store.allowVolatile` of the chart.

    Raises:
        StoreUnavailable: no answer; StoreRefused: as `store_errors`.
        StoreUnsafe: too old, evicting, not persistent, or written by a newer program.
    """
    with store_errors():
        info: Any = store.client.info("server")
        version = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
        _check_version(str(info.get("redis_version", "0.0")))
        if not allow_volatile:
            _check_durable(store.client)
        # Set once; whoever comes second reads what the first wrote.
        store.client.set(store.keys.schema, SCHEMA_VERSION, nx=True)
        written = str(store.client.get(store.keys.schema))
    if not (written.isascii() and written.isdecimal()):
        raise StoreUnsafe(
            f"the key {store.keys.schema} holds something that this program never wrote",
            hint="point FINOPS_REDIS_URL at another database, or set FINOPS_REDIS_PREFIX",
        )
    found = int(written)
    if found > SCHEMA_VERSION:
        raise StoreUnsafe(
            f"the store was written by a newer version (schema {found}, this program knows {SCHEMA_VERSION})",
            hint="upgrade this program, or point it at another prefix or database",
        )
    return version


def _check_version(version: str) -> None:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < _MINIMUM_VERSION:
        raise StoreUnsafe(f"the store is version {version}; 6.2 or newer is needed", hint="upgrade Redis or use Valkey")


def _check_durable(client: redis.Redis) -> None:
    policy = _setting(client, "maxmemory-policy")
    if policy and policy != "noeviction":
        raise StoreUnsafe(
            f"the store evicts keys (maxmemory-policy {policy}); approvals and the ledger would vanish",
            code="StoreEvicts",
            hint="set maxmemory-policy noeviction, or FINOPS_STORE_ALLOW_VOLATILE=true for throw-away data",
        )
    persistence: Any = client.info("persistence")
    if not persistence.get("aof_enabled"):
        raise StoreUnsafe(
            "the store keeps nothing on disk (appendonly no); the ledger would not survive a restart",
            code="StoreNotPersistent",
            hint="set appendonly yes and appendfsync always, or FINOPS_STORE_ALLOW_VOLATILE=true for throw-away data",
        )
    fsync = _setting(client, "appendfsync")
    if fsync and fsync != "always":
        raise StoreUnsafe(
            f"the store syncs late (appendfsync {fsync}); an acknowledged record could be lost on power failure",
            code="StoreSyncsLate",
            hint="set appendfsync always, or FINOPS_STORE_ALLOW_VOLATILE=true for throw-away data",
        )
    if _setting(client, "no-appendfsync-on-rewrite") == "yes":
        raise StoreUnsafe(
            "the store does not sync while it rewrites its file (no-appendfsync-on-rewrite yes); "
            "an acknowledged record could be lost on power failure",
            code="StoreSyncsLate",
            hint="set no-appendfsync-on-rewrite no, or FINOPS_STORE_ALLOW_VOLATILE=true for throw-away data",
        )


def _setting(client: redis.Redis, name: str) -> str:
    """Return a server setting, or an empty string where managed services forbid CONFIG."""
    try:
        answer: Any = client.config_get(name)
    except redis.ResponseError:
        return ""
    return str(answer.get(name, ""))
