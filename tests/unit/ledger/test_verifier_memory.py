"""What the verifier remembers moves out of memory and comes back as it was: its verdicts do not depend on how much."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from itertools import chain, zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.ledger_lines import HONEST, intent, lines
from tests.unit.ledger.test_verified_undos import ACTED, UNDONE

import finops.audit_verify.shelf as kept
from finops.audit_verify import verify
from finops.audit_verify.shelf import Shelf
from finops.domain.audit import Entry

STEPS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 9)), max_size=60)


@given(steps=STEPS, capacity=st.integers(1, 9))
def test_a_shelf_holds_what_a_dictionary_holds(steps: list[tuple[str, int]], capacity: int) -> None:
    shelf, known = Shelf[list[int]](capacity), dict[str, list[int]]()
    for name, number in steps:
        found = shelf.get(name)
        assert found == known.get(name)
        if found is None:
            shelf.put(name, [number])
            known[name] = [number]
        else:
            found.append(number)
            known[name].append(number)
    assert {name: shelf.get(name) for name in known} == known


def test_what_is_put_again_replaces_what_was_there() -> None:
    shelf = Shelf[int](2)
    for number, name in enumerate("abcabca"):
        shelf.put(name, number)
    assert [shelf.get(name) for name in "abc"] == [6, 4, 5]


def test_a_name_that_only_seems_to_be_in_the_file_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_BITS", 8)  # so few that every name seems to be there soon
    shelf = Shelf[int](2)
    for number in range(50):
        shelf.put(f"known-{number}", number)
    assert [shelf.get(f"other-{number}") for number in range(50)] == [None] * 50
    assert [shelf.get(f"known-{number}") for number in range(50)] == list(range(50))


def of(number: int, story: tuple[Entry, ...]) -> list[Entry]:
    """Return a story as one about requests of its own."""

    def named(text: str) -> str:
        return text.replace("u1", f"u1x{number}").replace("u2", f"u2x{number}")

    def renamed(one: Entry) -> Entry:
        detail = {key: named(value) if isinstance(value, str) else value for key, value in one.detail.items()}
        return replace(one, operation_id=named(one.operation_id), request=named(one.request), detail=detail)

    return [renamed(one) for one in story]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the verifier keep two entries of a kind in memory."""
    real = Shelf.__init__
    monkeypatch.setattr(Shelf, "__init__", lambda self, _capacity: real(self, 2))


LATE = (*HONEST, intent("stop", attempt=2))
TWICE = (*UNDONE, UNDONE[-1])


@pytest.mark.parametrize(
    "story",
    [HONEST, UNDONE, ACTED, LATE, TWICE, HONEST[:-2]],
    ids=["honest", "undone", "acted", "late", "twice", "open"],
)
def test_many_requests_at_once_are_judged_alike_however_few_are_in_memory(
    story: tuple[Entry, ...], request: pytest.FixtureRequest
) -> None:
    turns = chain.from_iterable(zip_longest(*(of(number, story) for number in range(7))))
    woven: tuple[Entry, ...] = tuple(one for one in turns if one is not None)
    wanted = verify(lines(woven))

    request.getfixturevalue("small")
    found = verify(lines(woven))

    assert (found.problems, found.open_intents, found.head) == (wanted.problems, wanted.open_intents, wanted.head)


def test_a_temporary_file_that_cannot_be_written_is_said_and_not_taken_for_an_intact_ledger(
    small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(OSError, match="disk is full"):
        verify(lines((*of(1, HONEST), *of(2, HONEST), *of(3, HONEST))))
