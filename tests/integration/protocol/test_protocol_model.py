"""Every state of the protocol keeps its promises, and each of its guards is needed for that.

The promises: nothing is called without a quorum that stands, no call has its effect twice, every intent gets an
outcome, and no instance stays stopped. The model asks the product's own pure functions and stops at its kill points.
"""

from __future__ import annotations

import time

import pytest
from tests.support.protocol_guards import GUARDS
from tests.support.protocol_search import Search, search
from tests.support.protocol_steps import DECIDING, Protocol

from finops_operator.killpoint import ACT_KILL_POINTS


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


_RESTORED = frozenset({"set back", "crash"})
_REFUSED = frozenset({"carol:Deny", "bob:Withdraw", "crash"})


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("only", "passed", "at_least"),
    [(_RESTORED, {"crash", "the store is set back"}, 15_000), (_REFUSED, {"crash", "carol:Deny is cast"}, 50_000)],
)
def test_a_restored_copy_or_a_word_against_the_act_and_a_fault_together_break_no_promise(
    only: frozenset[str], passed: set[str], at_least: int
) -> None:
    found = search(Protocol(faults=1, events=1, only=only))
    assert not found.violation
    assert passed <= found.passed
    assert found.states >= at_least


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("guard", "only", "broken"),
    [
        ("anchor compared at start", _RESTORED, "after: "),
        ("denials", _REFUSED, "although a person had denied or snoozed it"),
        ("last question", _REFUSED, "approved by 1 of 2 people"),
    ],
)
def test_those_searches_see_what_each_guard_is_for(guard: str, only: frozenset[str], broken: str) -> None:
    found = search(Protocol(guard, faults=1, events=1, only=only))
    assert broken in found.violation
    assert guard != "anchor compared at start" or "the store is set back" in found.violation


@pytest.mark.timeout(300)
def test_the_steps_of_the_model_are_the_kill_points_of_the_operator(with_one_fault: Search) -> None:
    assert {name for name in with_one_fault.passed if "." in name} == {*ACT_KILL_POINTS, *DECIDING}


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
