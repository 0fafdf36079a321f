"""A long export is verified by several threads: the same problems in the same order, and nothing that stops them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.support.ledger_keys import PUBLIC_KEYS
from tests.support.ledger_lines import HONEST, entry, lines, vote

from finops.audit_verify import reading, verify
from finops.audit_verify.form import canonical, digest
from finops.domain.audit import RecordKind

LONG = lines((*HONEST, *(vote(f"k8s.user{number}", result="refused") for number in range(60))))
BAD_SIGNATURES = (3, 30, 59)
NO_RECORD = 41


@pytest.fixture
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TOGETHER", 7)


def damaged() -> list[str]:
    found = list(LONG)
    for place in BAD_SIGNATURES:
        document = json.loads(found[place])
        document["signature"] = "0" * 128
        found[place] = canonical(document)
    found[NO_RECORD] = "{}"
    return found


def test_threads_find_what_one_finds_in_the_order_of_the_lines(
    few_together: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_threads = verify(damaged(), keys=PUBLIC_KEYS)
    monkeypatch.undo()
    assert by_threads == verify(damaged(), keys=PUBLIC_KEYS)
    found = [(one.line - 1, one.code) for one in by_threads.problems]
    assert [line for line, code in found if code == "Signature"] == list(BAD_SIGNATURES)
    assert (NO_RECORD, "Form") in found
    assert [line for line, _ in found] == sorted(line for line, _ in found)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14, 15, len(LONG)])
def test_every_line_is_checked_whatever_their_number(few_together: None, count: int) -> None:
    report = verify(LONG[:count], keys=PUBLIC_KEYS)
    assert (report.ok, report.records) == (True, count)


@pytest.mark.parametrize("depth", [98, 200, 600, 900, 5_000])
@pytest.mark.parametrize("opened", ["[]", '{"a":}'])
def test_a_record_nested_too_deeply_is_a_problem_and_stops_nothing(depth: int, opened: str) -> None:
    start, end = opened[:-1], opened[-1]
    line = lines((entry("plain", RecordKind.POSTED),))[0].replace(
        '"detail":{}', f'"detail":{{"a":{start * depth}1{end * depth}}}'
    )
    problems = verify([line, *lines()[1:]]).problems
    assert problems[0].line == 1
    assert problems[0].code == "Form"


@pytest.mark.parametrize("make", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_a_hundred_levels_are_a_record_still(make: Callable[[object], object]) -> None:
    value: object = "x"
    for _ in range(100):
        value = make(value)
    assert len(digest(value)) == 64
