"""A defect in one piece of work is logged, counted and put to rest, and the rest goes on; a dead loop is known."""

from __future__ import annotations

import logging
import threading

import pytest
from tests.support.fake_clock import FakeClock

from finops_operator.background import Background, start_loop
from finops_operator.telemetry import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def background(telemetry: Telemetry, clock: FakeClock) -> Background:
    return Background(telemetry, clock)


def fail() -> str:
    raise KeyError("nobody expected this")


def attempt_to_fail(background: Background, about: str = "") -> str:
    return background.attempt("scans", "scan failed", fail, lambda defect: type(defect).__name__, about=about)


def test_work_without_a_defect_returns_what_it_made(background: Background, telemetry: Telemetry) -> None:
    assert background.attempt("scans", "scan failed", lambda: 7, lambda _defect: 0) == 7
    assert telemetry.registry.get_sample_value("finops_defects_total", {"part": "scans"}) == 0


def test_a_defect_is_logged_with_its_trace_and_counted_and_the_caller_decides_what_follows(
    background: Background, telemetry: Telemetry, caplog: pytest.LogCaptureFixture
) -> None:
    assert attempt_to_fail(background) == "KeyError"
    (line,) = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.ERROR, "scan failed")
    assert line.exc_info is not None
    assert line.exc_info[0] is KeyError
    assert telemetry.registry.get_sample_value("finops_defects_total", {"part": "scans"}) == 1


def test_the_log_names_what_the_defect_was_about(background: Background, caplog: pytest.LogCaptureFixture) -> None:
    background.attempt("scans", "scan failed", fail, lambda _defect: "", fields={"policy": "production"})
    assert vars(caplog.records[0])["policy"] == "production"


def test_what_meets_a_defect_rests_longer_each_time_up_to_a_minute_and_nothing_else_rests(
    background: Background, clock: FakeClock
) -> None:
    rested = []
    for _ in range(8):
        attempt_to_fail(background, about="a")
        before = clock.monotonic()
        while background.rests("scans", "a"):
            assert not background.rests("scans", "b")
            assert not background.rests("requests", "a")
            clock.sleep(0.5)
        rested.append(clock.monotonic() - before)
    assert rested == [1, 2, 4, 8, 16, 32, 60, 60]


def test_success_ends_the_memory_of_defects(background: Background, clock: FakeClock) -> None:
    for _ in range(4):
        attempt_to_fail(background, about="a")
    background.attempt("scans", "scan failed", lambda: "", lambda _defect: "", about="a")
    assert not background.rests("scans", "a")
    attempt_to_fail(background, about="a")
    clock.sleep(1)
    assert not background.rests("scans", "a")


def test_a_request_to_end_the_program_is_no_defect(background: Background) -> None:
    def end() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        background.attempt("scans", "scan failed", end, lambda _defect: None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_that_dies_says_so_before_its_thread_ends(caplog: pytest.LogCaptureFixture) -> None:
    died = threading.Event()
    loop = start_loop("lease", fail_at_once, died.set)
    loop.join(5)
    assert died.is_set()
    assert [line.getMessage() for line in caplog.records if line.levelno == logging.CRITICAL] == ["loop lease died"]


def fail_at_once() -> None:
    fail()


def test_a_loop_that_returns_has_not_died() -> None:
    died = threading.Event()
    start_loop("lease", lambda: None, died.set).join(5)
    assert not died.is_set()
