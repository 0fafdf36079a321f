"""`finops demo --guide` shows one step, waits until it is done or somebody presses Enter, and goes on."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.sample_requests import in_state

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State
from finops_operator.cli.main import run
from finops_sandbox.demo.guide import Guide
from finops_sandbox.demo.steps import Step


def step(number: int, request: str = "") -> Step:
    return Step(f"Do thing {number}.", (f"command {number}",), f"result {number}.", f"kubectl thing {number}", request)


def ended(state: State) -> ActionRequest:
    return in_state(state)[0]


class Screen(io.StringIO):
    """What is printed, readable from another thread."""

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + 10
        while words not in self.getvalue():
            assert time.monotonic() < deadline, self.getvalue()
            time.sleep(0.01)


def walked(screen: Screen, answers: Any, requests: list[ActionRequest], *steps: Step) -> threading.Thread:
    world = cast("Any", SimpleNamespace(requests=lambda: requests))
    thread = threading.Thread(target=lambda: asyncio.run(Guide(world, screen, answers).walk(steps)), daemon=True)
    thread.start()
    return thread


def test_the_next_step_comes_with_enter_and_each_names_the_command_of_a_real_installation() -> None:
    reading, writing = os.pipe()
    screen = Screen()
    with os.fdopen(reading, encoding="utf-8") as answers, os.fdopen(writing, "w", encoding="utf-8") as keyboard:
        thread = walked(screen, answers, [], step(1), step(2))
        screen.wait_for("Press Enter to go on.")
        assert "Do thing 1." in screen.getvalue()
        assert "In production:\n     kubectl thing 1\n" in screen.getvalue()
        assert "Do thing 2." not in screen.getvalue()
        keyboard.write("\n")
        keyboard.flush()
        screen.wait_for("Do thing 2.")
        keyboard.write("\n")
        keyboard.flush()
        thread.join(10)
    assert not thread.is_alive()
    assert "Step 2 of 2" in screen.getvalue()
    assert "Ctrl-C stops everything" in screen.getvalue()


def test_a_step_with_an_act_is_done_when_its_request_has_ended_and_says_how() -> None:
    reading, writing = os.pipe()
    screen, open_, done = Screen(), ended(State.PENDING), ended(State.SUCCEEDED)
    assert open_.metadata.name == done.metadata.name
    requests = [open_]
    with os.fdopen(reading, encoding="utf-8") as answers, os.fdopen(writing, "w", encoding="utf-8"):
        thread = walked(screen, answers, requests, step(1, open_.metadata.name))
        screen.wait_for("when the request has ended")
        assert "Done:" not in screen.getvalue()
        requests[:] = [done]
        thread.join(10)
    assert not thread.is_alive()
    assert f"Done: {done.spec.resource.name} is Succeeded." in screen.getvalue()
    assert max(map(len, screen.getvalue().splitlines())) <= 80


def test_where_nobody_can_press_enter_all_steps_are_shown_at_once() -> None:
    screen = Screen()
    thread = walked(screen, io.StringIO(""), [ended(State.PENDING)], step(1), step(2, "any"), step(3))
    thread.join(10)
    assert not thread.is_alive()
    assert [f"Do thing {number}." in screen.getvalue() for number in (1, 2, 3)] == [True] * 3


def test_a_guide_without_anybody_to_guide_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--guide", "--headless"]) == 2
    assert "--guide" in capsys.readouterr().err
