"""Values of every type in every field of an export, with hashes that fit: findings at most, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

import pytest
from tests.support.ledger_lines import HONEST, entry, lines

from finops.audit_verify import verify
from finops.audit_verify.form import canonical, digest
from finops.domain.audit import RecordKind

_VALUES: Final[tuple[Any, ...]] = (*(None, True, -1, 10**30, "x", [], [None], [[]], {}, {"a": 1}, {"plan": {}}, [{}]),)
_KINDS: Final = tuple(kind.value for kind in RecordKind)
_RESULTS: Final = ("counted", "Approved", "started", "ok", "worse", "paused", "made", "accepted", "Succeeded", "first")
_NAMES: Final = (
    *("choice", "plan", "required", "people", "mapped", "expiresAt", "stepUp", "undoes", "person", "alsoAs", "record"),
    *("hash", "from", "to", "vote", "operation", "parameters", "back", "dryRun", "accepted", "size", "root", "head"),
    *("frozen", "resource", "policy", "action", "signature", "key", "time", "undoRequest", "proposeUndo", "sinks"),
)
"""Fields of details that a rule of the verifier reads, and some beside them."""
_RANDOM: Final = 300
_HONEST: Final[list[dict[str, Any]]] = [json.loads(line) for line in lines(HONEST)]


def _documents() -> list[dict[str, Any]]:
    return deepcopy(_HONEST)


def _chained(documents: list[dict[str, Any]]) -> list[str]:
    """Make every hash fit again, so that nothing but the content is wrong."""
    before, found = "0" * 64, []
    for document in documents:
        document["record"]["previousHash"] = before
        before = document["hash"] = digest(document["record"])
        found.append(canonical(document))
    return found


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from _paths(item, (*path, key))


def _put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@pytest.mark.parametrize("number", range(len(HONEST)))
def test_a_value_of_any_type_in_any_field_of_a_record_is_judged(number: int) -> None:
    record = _documents()[number]["record"]
    paths = [path for path in _paths(record) if path != ("previousHash",)]
    for path in paths:
        for value in _VALUES:
            edited = _documents()
            _put(edited[number]["record"], path, deepcopy(value))
            report = verify(_chained(edited))
            if not isinstance(value, str) and len(path) == 1 and path != ("detail",) and type(value) is not int:
                assert not report.ok, (path, value)


def test_records_of_any_kind_with_any_value_where_a_rule_reads_one_are_judged() -> None:
    chosen = Random(4711)
    for _ in range(_RANDOM):
        edited = _documents()
        for document in chosen.sample(edited, 3):
            record = document["record"]
            if chosen.random() < 0.5:
                record["kind"], record["result"] = chosen.choice(_KINDS), chosen.choice(_RESULTS)
            for name in chosen.sample(_NAMES, 4):
                record["detail"][name] = deepcopy(chosen.choice(_VALUES))
        verify(_chained(edited))


@pytest.mark.parametrize("choice", [None, {}, [], 1, True])
def test_a_counted_vote_whose_choice_is_no_word_is_a_finding(choice: Any) -> None:
    voted = entry("voted:x", RecordKind.VOTED, actor="slack.U9", result="counted", detail={"choice": choice})
    problems = verify(lines((HONEST[0], voted))).problems
    assert ("Word", "a counted vote whose choice is no word") in [(one.code, one.message) for one in problems]
