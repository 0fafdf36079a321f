"""The offline verifier finds an act that began while acts of its kind were paused, and nothing else of the kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.support.ledger_lines import HONEST, WHAT, entry, lines, vote

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind

POLICY = "savings"
KIND = f"team-a/{POLICY}/{WHAT.action}"


def story(uid: str, *, policy: str = POLICY, namespace: str = "team-a", undoes: str = "") -> tuple[Entry, ...]:
    """Return an honest act of another request, from its proposal to its end."""
    made = []
    for one in HONEST:
        detail = dict(one.detail)
        if one.result == "started":
            detail["policy"] = policy
        if one.result == "created" and undoes:
            detail["undoes"] = undoes
        operation = one.operation_id.replace("u1:", f"{uid}:", 1)
        request = f"{namespace}/savings-{uid}/{uid if one.result != 'intent' else ''}"
        made.append(replace(one, operation_id=operation, request=request, detail=detail))
    return tuple(made)


def paused(number: int = 1, kind: str = KIND, request: str = "team-a/savings-f/f") -> Entry:
    made = entry("p", RecordKind.PAUSED, result="paused")
    return replace(made, operation_id=f"acts paused:{kind}:{number}", request=request)


def resumed(number: int = 1, kind: str = KIND, request: str = "team-a/savings-f/f") -> tuple[Entry, Entry]:
    word = replace(vote("k8s.bob", "Resume"), operation_id=f"word:{number}", request=request)
    made = entry("r", RecordKind.RESUMED, actor="k8s.bob", result="resumed", detail={"vote": word.operation_id})
    return word, replace(made, operation_id=f"acts resumed:{kind}:{number}", request=request)


def problems(*entries: Entry) -> list[str]:
    return [f"{one.code}: {one.message}" for one in verify(lines(entries)).problems]


def cut(entries: Sequence[Entry], result: str) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Return the entries up to the first of this result, and from it on."""
    place = next(place for place, one in enumerate(entries) if one.result == result)
    return tuple(entries[:place]), tuple(entries[place:])


FOUND = "Pause: the act began while record 1 paused acts of its kind"


def test_an_act_that_begins_after_the_pause_of_its_kind_is_found_once() -> None:
    assert problems(paused(), *story("a")) == [FOUND]


def test_an_act_that_was_approved_before_the_pause_waits_all_the_same() -> None:
    before, after = cut(story("a"), "started")
    assert problems(*before, paused(), *after) == [FOUND.replace("record 1", f"record {len(before) + 1}")]


def test_an_act_that_was_started_and_had_called_nothing_before_the_pause_waits_too() -> None:
    before, after = cut(story("a"), "started")
    found = problems(*before, after[0], paused(), *after[1:])
    assert found == [FOUND.replace("record 1", f"record {len(before) + 2}")]


def test_an_act_that_had_made_its_first_call_before_the_pause_goes_on() -> None:
    whole = story("a")
    first = next(place for place, one in enumerate(whole) if one.kind is RecordKind.INTENT) + 1
    assert problems(*whole[:first], paused(), *whole[first:]) == []


def test_after_a_person_resumed_them_acts_begin_again() -> None:
    assert problems(paused(), *resumed(), *story("a")) == []


def test_a_resumption_ends_the_pauses_up_to_its_number_and_no_later_one() -> None:
    assert problems(paused(1), paused(2), *resumed(2), *story("a")) == []
    later = problems(paused(1), *resumed(1), paused(2), *story("a"))
    assert later == [FOUND.replace("record 1", "record 4")]
    assert problems(paused(1), paused(2), *resumed(1), *story("a")) == [FOUND.replace("record 1", "record 2")]


@pytest.mark.parametrize(
    "kind",
    [
        f"team-a/{POLICY}/ec2_instance_resize",
        f"team-a/other/{WHAT.action}",
        f"team-b/{POLICY}/{WHAT.action}",
    ],
)
def test_other_kinds_other_policies_and_other_namespaces_do_not_wait(kind: str) -> None:
    assert problems(paused(kind=kind), *story("a")) == []
    namespace, policy, _ = kind.split("/")
    assert problems(paused(kind=KIND), *story("a", policy=policy, namespace=namespace)) == (
        [FOUND] if (namespace, policy) == ("team-a", POLICY) else []
    )


def test_the_act_that_failed_does_not_wait_for_itself() -> None:
    assert problems(paused(request="team-a/savings-a/a"), *story("a")) == []


def test_an_undo_does_not_wait() -> None:
    act = story("a")
    found = problems(*act, paused(), *story("b", undoes="team-a/savings-a/a"))
    # What else is wrong with this undo is no matter here.
    assert {line.partition(":")[0] for line in found} == {"Undo"}


def test_an_act_that_was_started_and_called_nothing_before_a_person_resumed_is_honest() -> None:
    before, after = cut(story("a"), "started")
    assert problems(*before, paused(), after[0], *resumed(), *after[1:]) == []
