"""What people ask about policies in the dashboard, and what the operator answers: "a threshold changed, what then?".

A question is data that whoever holds the dashboard's password could have written, so it has bounds of its own: a few
places, a size, an end. The answer stands under a key that the dashboard cannot write. Nothing else reads either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.parameter import ParameterSpec
from finops.domain.recommendation import Status
from finops.domain.report import Savings
from finops.domain.resource import Gap
from finops.errors import InvalidInput, Refused, StoreRefused
from finops.store.connection import Store, store_errors
from finops.store.keys import WhatIfKeys
from finops.store.records import Record

PLACES: Final = 8
"""So many questions wait or are worked on at once, of all people together."""
MOST_OF_ONE: Final = 2
"""So many of them may be of one person."""
LARGEST_QUESTION: Final = 64 * 1024
"""Bytes."""
QUESTION_SECONDS: Final = 300
"""How long a question waits: longer than the operator may take for all places together."""
ANSWER_SECONDS: Final = 900
KEPT: Final = 64
"""Answers that are kept at most, so that asking all day fills no store: an answer has up to some 200 KiB."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Question:
    """One question: what a policy would find with another spec.

    Attributes:
        id: 32 hexadecimal digits by chance.
        namespace, policy: the policy whose last scan is judged again.
        by: who asks, as the API server names them.
        at: when, by the dashboard's clock.
        spec: of a ScanPolicy, as JSON.
    """

    id: str
    namespace: str
    policy: str
    by: str
    at: datetime
    spec: Mapping[str, Json]


class State(StrEnum):
    """How far a question is."""

    WAITING = "Waiting"
    RUNNING = "Running"
    ANSWERED = "Answered"
    REFUSED = "Refused"
    """Something of the spec cannot be taken; `field` names it."""
    FAILED = "Failed"
    """It could not be answered as it was asked."""


@dataclass(frozen=True, slots=True)
class Side:
    """One piece of advice as one of the two specs gives it.

    Attributes:
        saving: US dollars a month, None where it is not known.
        counted: False for an alternative to what counts.
    """

    saving: Decimal | None
    status: Status
    counted: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of advice that would differ.

    Attributes:
        change: a `finops.domain.report.Change`.
        aim: what the resource would become, empty where there is no such thing.
        now, before: with the spec that is asked about, and as it stands; one of the two may be absent.
        once: whether it saves in the month of the act alone.
    """

    change: str
    check: str
    action: str
    aim: str
    summary: str
    kind: str
    resource: str
    name: str
    account: str
    region: str
    now: Side | None
    before: Side | None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy would find.

    Attributes:
        scanned: when the scan ended whose data was judged.
        resources: how many the spec selects of it.
        counts: change → pieces of advice.
        now, before: what those that count save, with the spec that is asked about and as it stands.
        lines: what differs, the largest saving of each change first; `left_out` more are not among them.
        unknown: resources that the scan could not judge for want of data.
        undecided: check of the policy's own → resources of which too little is known for it.
        gaps: what the scan could not see; `more_gaps` further ones are not among them.
        needs_scan: what of the spec only a scan can show, in sentences.
    """

    scanned: datetime
    resources: int
    counts: Mapping[str, int]
    now: Savings
    before: Savings
    lines: tuple[Line, ...] = ()
    left_out: int = 0
    unknown: int = 0
    undecided: Mapping[str, int] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    more_gaps: int = 0
    needs_scan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a question stands.

    Attributes:
        message: why there is no outcome, in one sentence; `hint` says what to do.
        field: path of what cannot be taken.
        done, total: resources judged so far, and about how many there are.
    """

    question: Question
    state: State
    message: str = ""
    hint: str = ""
    field: str = ""
    done: int = 0
    total: int = 0
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class KnownCheck:
    """One check of the release."""

    id: str
    title: str
    kinds: tuple[str, ...]
    thresholds: tuple[ParameterSpec, ...]


_QUESTIONS: Final[Record[Question]] = Record(Question)
_ANSWERS: Final[Record[Answer]] = Record(Answer)
_CHECKS: Final[Record[tuple[KnownCheck, ...]]] = Record(tuple[KnownCheck, ...])


class WhatIfs:
    """Questions and answers on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = WhatIfKeys(store.keys.prefix)

    def ask(self, question: Question) -> None:
        """Dashboard: put a question.

        Raises:
            InvalidInput: it is too large.
            Refused: this person, or all people together, ask as much at once as they may.
        """
        text = _QUESTIONS.text(question)
        if len(text.encode()) > LARGEST_QUESTION:
            hint = f"ask about a spec of at most {LARGEST_QUESTION >> 10} KiB"
            raise InvalidInput("is too large for a question", field="spec", hint=hint)
        waiting = self._waiting()
        if sum(one.by == question.by for one in waiting.values()) >= MOST_OF_ONE:
            raise Refused(
                f"{MOST_OF_ONE} questions of yours wait for their answers",
                code="TooMany",
                hint="ask again when one of them is answered",
            )
        for place in range(PLACES):
            with store_errors():
                # A place that is taken stays whose it is, whatever was read before.
                if self._client.set(self._keys.question(place), text, nx=True, ex=QUESTION_SECONDS):
                    return
        raise Refused(f"{PLACES} questions wait for their answers", code="TooMany", hint="ask again in a minute or two")

    def of(self, identifier: str) -> Answer | None:
        """Dashboard: return where a question stands, None where it and its answer are gone."""
        if not _ID.fullmatch(identifier):
            return None
        with store_errors():
            text = self._client.get(self._keys.answer(identifier))
        answer = _ANSWERS.value_or_none(text) if text else None
        if answer is not None:
            return answer
        found = next((one for one in self._waiting().values() if one.id == identifier), None)
        return None if found is None else Answer(found, State.WAITING)

    def checks(self) -> tuple[KnownCheck, ...]:
        """Dashboard: return the checks that the operator knows, empty before it has said so."""
        with store_errors():
            text = self._client.get(self._keys.checks)
        return (_CHECKS.value_or_none(text) if text else None) or ()

    def publish_checks(self, checks: Iterable[KnownCheck]) -> None:
        """Operator: say which checks there are."""
        with store_errors():
            self._client.set(self._keys.checks, _CHECKS.text(tuple(checks)))

    def next(self) -> Question | None:
        """Operator: return the question that waits longest; what is none, or is too large, is dropped."""
        found = []
        for place in range(PLACES):
            question = self._judged(self._keys.question(place))
            if question is not None:
                found.append(question)
        return min(found, key=lambda one: (one.at, one.id), default=None)

    def begun(self, question: Question) -> bool:
        """Operator: return whether somebody has begun to answer the question."""
        with store_errors():
            return bool(self._client.exists(self._keys.answer(question.id)))

    def put(self, answer: Answer) -> None:
        """Operator: say where a question stands; with the last word about it its place is free."""
        with store_errors():
            self._client.set(self._keys.answer(answer.question.id), _ANSWERS.text(answer), ex=ANSWER_SECONDS)
        if answer.state in {State.WAITING, State.RUNNING}:
            return
        self._drop_old(answer.question.id)
        for place, one in self._waiting().items():
            if one.id == answer.question.id:
                with store_errors():
                    self._client.delete(self._keys.question(place))

    def _drop_old(self, newest: str) -> None:
        with store_errors():
            self._client.lpush(self._keys.answers, newest)
            old = self._client.lrange(self._keys.answers, KEPT, -1)
            if old:
                self._client.delete(*(self._keys.answer(one) for one in old))
                self._client.ltrim(self._keys.answers, 0, KEPT - 1)

    def _waiting(self) -> dict[int, Question]:
        """Return place → question; only the dashboard and the operator write there."""
        with store_errors():
            texts = self._client.mget([self._keys.question(place) for place in range(PLACES)])
        found = ((place, _question_in(text)) for place, text in enumerate(texts))
        return {place: one for place, one in found if one is not None}

    def _judged(self, key: str) -> Question | None:
        """Return the question under a key; anything else under it is deleted, unread where it is too large."""
        try:
            with store_errors():
                size = int(self._client.strlen(key))
                text = self._client.get(key) if 0 < size <= LARGEST_QUESTION else ""
        except (StoreRefused, UnicodeDecodeError):
            # Another type than a string, or no UTF-8.
            size, text = 1, ""
        question = _question_in(text)
        if size and question is None:
            with store_errors():
                self._client.delete(key)
        return question


def _question_in(text: str | None) -> Question | None:
    """Return the question that a text is, None for anything else."""
    found = _QUESTIONS.value_or_none(text) if text else None
    if found is None or not _ID.fullmatch(found.id) or found.at.tzinfo is None:
        return None
    return found if max(map(len, (found.namespace, found.policy, found.by))) <= _LONGEST_NAME else None
