"""A server gets a port that no other program takes before it is started."""

from __future__ import annotations

import socket
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from finops_sandbox import ports
from finops_sandbox.ports import PORTS, free_port

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_connection_of_a_client_takes_by_chance_the_port_that_a_server_was_promised() -> None:
    assert max(PORTS) < int(_EPHEMERAL.read_text("ascii").split()[0])
    assert free_port() in PORTS


def test_programs_that_ask_at_the_same_time_get_different_ports() -> None:
    with ProcessPoolExecutor(4) as programs:
        given = list(programs.map(free_port, ["127.0.0.1"] * 200))
    assert len(set(given)) == 200


def test_programs_with_folders_of_their_own_for_temporary_files_know_of_each_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = free_port()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert free_port() != first
    assert list(tmp_path.iterdir()) == []


def test_a_port_on_which_a_server_listens_is_left_out_and_the_first_follows_the_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second, third = ours = free_port(), free_port(), free_port()
    monkeypatch.setattr(ports, "GIVEN", tmp_path / "given")
    monkeypatch.setattr(ports, "PORTS", ours)

    with socket.create_server(("127.0.0.1", second)):
        assert [free_port() for _ in range(3)] == [first, third, first]


def test_without_any_free_port_the_error_names_the_ports_and_the_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only = free_port()
    monkeypatch.setattr(ports, "GIVEN", tmp_path / "given")
    monkeypatch.setattr(ports, "PORTS", (only,))
    with (
        socket.create_server(("127.0.0.1", only)),
        pytest.raises(OSError, match=rf"no port from {only} to {only} of 127.0.0.1 is free"),
    ):
        free_port()


def test_a_host_of_another_machine_is_refused_at_once() -> None:
    with pytest.raises(OSError, match="Cannot assign requested address"):
        free_port("192.0.2.1")
