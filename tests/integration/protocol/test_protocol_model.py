"""Every state of the protocol keeps its promises, and each of its guards is needed for that.

The promises: nothing is called without a quorum that stands, no call has its effect twice, every intent gets an
outcome, and no instance stays stopped. The model asks the product's own pure functions and stops at its kill points.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from tests.integration.protocol.protocol_search import Search, search
from tests.integration.protocol.protocol_steps import DECIDING, Protocol

import finops_operator.decisions
from finops_operator.killpoint import ACT_KILL_POINTS

GUARDS = {
    # What is taken away: how many faults and events it takes to see what it is for, and what goes wrong then.
    "quorum": (0, 0, "approved by 1 of 2 people"),
    "denials": (0, 1, "although a person had denied it"),
    "expiry": (0, 1, "although it had expired"),
    "freeze": (0, 1, "although all acts were frozen"),
    "unread votes hold": (0, 1, "bob:Withdraw was there unread"),
    "last question": (0, 1, "approved by 1 of 2 people"),
    "compare and append": (0, 1, "approved by 1 of 2 people"),
    "intent first": (0, 0, "called without an intent"),
    "decisions are final": (0, 2, "after the request had ended"),
    "ended is ended": (0, 2, "after the act had ended"),
    "fence": (1, 0, "a second final outcome"),
    "acquisition recorded": (1, 0, "a second final outcome"),
    "lease checked before the call": (1, 0, "had its effect twice"),
    "observed before repeated": (1, 0, "a new intent while"),
    "appended once": (1, 0, "stands twice"),
    "time taken before observing": (1, 0, "had its effect twice"),
    "time to show": (1, 0, "had its effect twice"),
    "turning back": (1, 0, "left the instance stopped"),
    "restored before the end": (1, 0, "left the instance stopped"),
    "anchor compared at start": (1, 1, "left the instance stopped"),
}


@pytest.fixture(scope="module")
def with_one_fault() -> Search:
    """Two operators and one crash, lost lease, lost answer or refusal anywhere."""
    began = time.perf_counter()
    found = search(Protocol(faults=1, events=0))
    print(f"{found.states:,} states in {time.perf_counter() - began:.1f} s")
    return found


@pytest.mark.timeout(300)
def test_no_fault_anywhere_breaks_a_promise(with_one_fault: Search) -> None:
    assert not with_one_fault.violation
    assert with_one_fault.states >= 100_000


@pytest.mark.timeout(300)
def test_whatever_people_do_at_any_time_breaks_no_promise() -> None:
    found = search(Protocol(faults=0, events=2))
    assert not found.violation
    assert found.states >= 10_000


@pytest.mark.timeout(300)
def test_the_steps_of_the_model_are_the_kill_points_of_the_operator(with_one_fault: Search) -> None:
    assert {name for name in with_one_fault.passed if "." in name} == {*ACT_KILL_POINTS, *DECIDING}
    folder = Path(finops_operator.decisions.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    assert set(DECIDING) <= set(re.findall(r'killpoint\("([^"]+)"\)', source))


def test_the_act_of_the_model_succeeds_when_nothing_goes_wrong() -> None:
    found = search(Protocol(faults=0, events=0))
    assert not found.violation
    assert {"verify.after", "realized.after", "the end is shown"} <= found.passed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", sorted(GUARDS))
def test_without_any_one_guard_a_promise_is_broken(guard: str) -> None:
    faults, events, broken = GUARDS[guard]
    found = search(Protocol(guard, faults, events))
    assert broken in found.violation, found.violation


def test_every_guard_that_can_be_taken_away_is_taken_away() -> None:
    folder = Path(__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("protocol_*.py"))
    named = {*re.findall(r'\.has\("([^"]+)"\)', source), *re.findall(r'self\.removed == "([^"]+)"', source)}
    assert named == set(GUARDS)
