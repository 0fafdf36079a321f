"""The sandbox's store: a real Valkey on a unix socket, durable as the chart's own, started by the supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from finops.errors import StoreUnavailable
from finops.store.connection import open_store, store_errors
from finops_operator.cli.embedded_valkey import server_binary
from finops_sandbox.supervisor import Program, Running


def store_url(sockets: Path) -> str:
    """Return the address of the store whose socket is in `sockets`."""
    return f"unix://{sockets}/valkey.sock"


def valkey_program(data: Path, sockets: Path, environment: Mapping[str, str]) -> Program:
    """Return the program; `sockets` must be a folder with a short path (unix sockets: 108 bytes).

    Raises:
        StoreUnavailable: there is no Valkey or Redis server on this machine.
    """
    binary = server_binary()
    data.mkdir(mode=0o700, exist_ok=True)

    async def answers(_: Running) -> bool:
        return await asyncio.to_thread(_answers, store_url(sockets))

    return Program(
        name="valkey",
        command=(
            *(str(binary), "--port", "0", "--unixsocket", str(sockets / "valkey.sock"), "--unixsocketperm", "700"),
            *("--dir", str(data), "--save", "", "--appendonly", "yes", "--appendfsync", "always"),
            *("--maxmemory-policy", "noeviction", "--loglevel", "warning"),
        ),
        environment=environment,
        ready=answers,
    )


def _answers(url: str) -> bool:
    store = open_store(url, timeout_seconds=2)
    try:
        with store_errors():
            return bool(store.client.ping())
    except StoreUnavailable:
        return False
    finally:
        store.client.close()
