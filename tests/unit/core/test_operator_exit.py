"""The exit code says whether the operator ended because it was asked to, or because a loop died."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

import finops_operator.__main__ as program
from finops import logs
from finops_operator import bootstrap


class _Left(BaseException):
    """In place of the end of the process."""


@pytest.mark.parametrize("code", [0, 1])
def test_the_process_ends_with_the_code_of_the_operator(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []

    class Ended:
        stop = threading.Event()

        def run(self) -> int:
            return code

    def leave(number: int) -> None:
        left.append(number)
        raise _Left

    for where, name, put in (
        (program, "make_operator", lambda _settings: Ended()),
        (program, "_leave", leave),
        (logs, "configure", lambda **_how: None),
        (signal, "signal", lambda *_what: None),
    ):
        monkeypatch.setattr(where, name, put)
    with pytest.raises(_Left):
        program.main()

    assert left == [code]


def test_a_loop_that_dies_ends_the_operator_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _code_of(monkeypatch, dies=True) == 1
    assert _code_of(monkeypatch, dies=False) == 0


def _code_of(monkeypatch: pytest.MonkeyPatch, *, dies: bool) -> int:
    operator: Any = object.__new__(bootstrap.Operator)
    operator.stop, operator._ready = threading.Event(), threading.Event()
    quiet = type("Part", (), {"start": lambda _self: None, "stop": lambda _self: None})()
    operator._loops = type("Loops", (), {"last_handover": quiet})()
    operator._cluster = type("Cluster", (), {"connection": None, "cache": None})()
    operator._settings = type("Settings", (), {"watch_namespaces": ()})()

    def start_loops(dead: threading.Event) -> threading.Thread:
        if dies:
            dead.set()
        thread = threading.Thread(target=lambda: None)
        thread.start()
        return thread

    async def served(*_what: Any) -> None:
        return None

    monkeypatch.setattr(operator, "_start_loops", start_loops)
    monkeypatch.setattr(operator, "_health", lambda: quiet)
    monkeypatch.setattr(bootstrap, "serve", served)
    access = type(
        "Access", (), {"__init__": lambda _self, _connection: None, "missing_kinds": lambda _self, _kinds: ()}
    )
    monkeypatch.setattr(bootstrap, "Access", access)
    return int(operator.run())
