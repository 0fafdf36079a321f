"""Opens the store a command reads or scans into: the one that was named, else the user's own.

Called by every command that needs Redis; hides whether a server had to be started for it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from finops.errors import InvalidInput
from finops.settings import Settings, from_environment
from finops.store.connection import Store, check_server, open_store
from finops_operator.cli.embedded_valkey import embedded_valkey, has_data, state_folder


def settings_with(redis: str) -> Settings:
    """Return the environment's settings; `redis`, from the command line, wins.

    Raises:
        InvalidInput: a setting does not parse, or `redis` is no store address.
    """
    settings = from_environment(os.environ)
    if not redis:
        return settings
    # Refused by the name people typed, before anything is read or asked.
    open_store(redis, named="--redis").client.close()
    return settings.model_copy(update={"redis_url": redis})


@contextmanager
def store_to_read(redis: str) -> Iterator[Store]:
    """Yield the store to read from.

    Raises:
        InvalidInput: none is named and no scan of this user has left one.
        StoreUnavailable, StoreUnsafe: it does not answer, or refuses us.
    """
    settings = settings_with(redis)
    if settings.redis_url:
        with _open(settings.redis_url, settings.redis_prefix, allow_volatile=True) as store:
            yield store
        return
    folder = state_folder(os.environ)
    if not has_data(folder):
        raise InvalidInput(
            "no store is named, and none was left by `finops scan`",
            field="--redis",
            hint="pass --redis redis://HOST:6379/0, or set FINOPS_REDIS_URL to the operator's store",
        )
    with embedded_valkey(folder) as url, _open(url, settings.redis_prefix, allow_volatile=True) as store:
        yield store


def command_to_read(redis: str) -> str:
    """Return how a command reads what a scan with `--redis redis` has left: `finops {}`, with what names the store.

    Addresses hold passwords, so none is repeated.
    """
    usual = os.environ.get("FINOPS_REDIS_URL", "")
    if redis == usual:
        return "finops {}"
    return "finops {} --redis URL" if redis else "FINOPS_REDIS_URL= finops {}"


@contextmanager
def store_to_restore(redis: str) -> Iterator[Store]:
    """Yield the store that is named, to write a backup back into it.

    Raises:
        InvalidInput: none is named.
        StoreUnavailable, StoreUnsafe: as `check_server`.
    """
    settings = settings_with(redis)
    if not settings.redis_url:
        raise InvalidInput(
            "is needed: name the store to write to", field="--redis", hint="or set FINOPS_REDIS_URL to it"
        )
    with _open(settings.redis_url, settings.redis_prefix, allow_volatile=settings.store_allow_volatile) as store:
        yield store


@contextmanager
def store_to_scan(redis: str, *, fresh: bool) -> Iterator[Store]:
    """Yield the store to scan into: the one named on the command line, else the user's own, empty if `fresh`.

    FINOPS_REDIS_URL is not asked: a scan on a laptop must not replace what an operator holds by accident.

    Raises:
        InvalidInput: `fresh` with a named store, which is never emptied.
        StoreUnavailable, StoreUnsafe: as `check_server`.
    """
    settings = settings_with(redis)
    if redis:
        if fresh:
            raise InvalidInput(
                "empties the store of your own scans only, never one that was named",
                field="--fresh",
                hint="leave out --fresh or --redis",
            )
        with _open(settings.redis_url, settings.redis_prefix, allow_volatile=settings.store_allow_volatile) as store:
            yield store
        return
    with (
        embedded_valkey(state_folder(os.environ), fresh=fresh) as url,
        _open(url, settings.redis_prefix, allow_volatile=True) as store,
    ):
        yield store


@contextmanager
def _open(url: str, prefix: str, *, allow_volatile: bool) -> Iterator[Store]:
    store = open_store(url, prefix=prefix)
    try:
        check_server(store, allow_volatile=allow_volatile)
        yield store
    finally:
        store.client.close()
