"""Opens the store, refuses a server that would lose data, and translates the client's errors.

Called by every process at start; the two clients differ on purpose: `open_store` may resend idempotent commands,
`open_ledger_connection` never resends anything (a lost answer must reach the caller).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from finops.errors import InvalidInput, StoreUnavailable, StoreUnsafe
from finops.store.keys import Keys

SCHEMA_VERSION: Final = 1
_TIMEOUT_SECONDS: Final = 5.0
_MINIMUM_VERSION: Final = (6, 2)
_RETRIES: Final = 3
_CANNOT_WRITE: Final = ("MISCONF", "NOREPLICAS")
_PROTECTED: Final = "DENIED"
"""How a server in protected mode turns away everyone who is not on its own machine."""


@dataclass(frozen=True, slots=True)
class Store:
    """A connected client and the names of its keys."""

    client: redis.Redis
    keys: Keys


def redacted(url: str) -> str:
    """Return `url` without its password, fit for messages and logs."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.hostname or ""
    where = f"{host}:{parts.port}" if parts.port else host
    return urlunsplit((parts.scheme, f"{parts.username or ''}:***@{where}", parts.path, parts.query, ""))


def open_store(url: str, *, prefix: str = "finops:", timeout_seconds: float = _TIMEOUT_SECONDS) -> Store:
    """Return a store on `url`; nothing is sent yet.

    Raises:
        InvalidInput: the URL is not one of redis://, rediss:// or unix://.
    """
    return Store(_client(url, retries=_RETRIES, timeout_seconds=timeout_seconds), Keys(prefix))


def open_ledger_connection(url: str, *, prefix: str = "finops:", timeout_seconds: float = 2.0) -> Store:
    """Return a store whose client sends every command at most once and times out soon: a hanging sink must not hang us.

    Raises:
        InvalidInput: as `open_store`.
    """
    return Store(_client(url, retries=0, timeout_seconds=timeout_seconds), Keys(prefix))


def _client(url: str, *, retries: int, timeout_seconds: float) -> redis.Redis:
    try:
        return redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            health_check_interval=30,
            retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
        )
    except ValueError as error:
        raise InvalidInput(
            f"{redacted(url)!r} is not a store address: {error}",
            field="FINOPS_REDIS_URL",
            hint="use redis://[:password@]host:6379/0, rediss:// for TLS, or unix:///path",
        ) from error


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the client's errors into ours around any block that talks to the server.

    Raises:
        StoreUnavailable: no answer, time-out, loading, restarted, out of memory, or unable to write (disk, replica).
        StoreUnsafe: authentication failed, a command is not allowed to this user, or the server is in protected mode.
    """
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise StoreUnsafe(
            f"the store refused our user or password: {error}",
            code="StoreAuthenticationFailed",
            hint="compare FINOPS_REDIS_URL with the server's password or ACL",
        ) from error
    except redis.exceptions.NoScriptError as error:
        # The client loads a lost script and asks again; lost twice means that the server started anew in between.
        raise StoreUnavailable("the store was restarted in between", hint="ask again") from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreUnavailable(f"the store does not answer: {error}", hint="is the server up and reachable?") from error
    except redis.exceptions.OutOfMemoryError as error:
        raise StoreUnavailable(f"the store is full: {error}", hint="raise maxmemory or the volume's size") from error
    except redis.ResponseError as error:
        if str(error).startswith(_PROTECTED):
            raise StoreUnsafe(
                "the store runs in protected mode and serves its own machine alone",
                code="StoreProtected",
                hint="give its default user a password, or use ACL users",
            ) from error
        if not isinstance(error, redis.exceptions.ReadOnlyError) and not str(error).startswith(_CANNOT_WRITE):
            raise
        raise StoreUnavailable(f"the store does not write: {error}", hint="look at its disk and its role") from error


def check_server(store: Store, *, allow_volatile: bool) -> str:
    """Check version, durability and schema once at start, and write the schema version on a fresh store.

    Returns the server's version. `allow_volatile` is `store.allowVolatile` of the chart.

    Raises:
        StoreUnavailable: no answer.
        StoreUnsafe: wrong password, too old, evicting, not persistent, or written by a newer program.
    """
    with store_errors():
        info: Any = store.client.info("server")
        version = str(info.get("valkey_version") or info.get("redis_version") or "0.0")
        _check_version(str(info.get("redis_version", "0.0")))
        if not allow_volatile:
            _check_durable(store.client)
        # Set once; whoever comes second reads what the first wrote.
        store.client.set(store.keys.schema, SCHEMA_VERSION, nx=True)
        found = int(str(store.client.get(store.keys.schema)))
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


def _setting(client: redis.Redis, name: str) -> str:
    """Return a server setting, or an empty string where managed services forbid CONFIG."""
    try:
        answer: Any = client.config_get(name)
    except redis.ResponseError:
        return ""
    return str(answer.get(name, ""))
