"""What a kind's checks must know of a whole region: asked of AWS once a day, and only when a resource needs it.

Used by the judge of a shard. One answer covers all places of a region and serves all policies for a day. What cannot be
read is not in the answers, so that a check's evidence says so.
"""

from __future__ import annotations

from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.offerings import OfferingStore
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.kind import Question


class OfferingAnswers:
    """The answers for one account and region, as far as one scan needs them."""

    def __init__(self, questions: tuple[Question, ...], reader: PageReader, store: OfferingStore) -> None:
        self._questions = questions
        self._first = tuple(one for one in questions if one.first)
        self._reader = reader
        self._store = store
        self._known: dict[tuple[str, str], frozenset[str] | None] = {}
        self._failed: dict[str, Gap] = {}

    def gaps(self) -> tuple[Gap, ...]:
        """Return why questions could not be answered, one Gap for each."""
        return tuple(self._failed.values())

    def about(self, resource: Resource, utilization: Utilization) -> dict[str, frozenset[str]]:
        """Return question → answer for the resource's place, without those it does not need or AWS did not answer.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found: dict[str, frozenset[str]] = {}
        for question in self._questions:
            place = question.place(resource)
            if place and question.needed(resource, utilization):
                answer = self._in_place(question, place)
                if answer:
                    found[question.id] = answer
        return found

    def first(self, resource: Resource) -> dict[str, frozenset[str]]:
        """Return question → answer of those that come before all judgement.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return {
            one.id: answer
            for one in self._first
            if (place := one.place(resource)) and (answer := self._in_place(one, place))
        }

    def at_hand(self, resource: Resource, utilization: Utilization) -> dict[str, frozenset[str]] | None:
        """Return the same without asking anybody, None where a question was not asked yet."""
        for question in self._questions:
            place = question.place(resource)
            if place and (question.id, place) not in self._known and question.needed(resource, utilization):
                return None
        return self.about(resource, utilization)

    def _in_place(self, question: Question, place: str) -> frozenset[str] | None:
        key = question.id, place
        if key not in self._known:
            self._known[key] = self._ask(question, place)
        return self._known[key]

    def _ask(self, question: Question, place: str) -> frozenset[str] | None:
        reader = self._reader
        kept = self._store.in_place(reader.account, reader.region, question.id, place)
        if kept is not None or question.id in self._failed:
            return kept
        try:
            places = question.ask(reader)
        except AwsError as error:
            # Half a list would refuse what is offered: nothing of it is used.
            self._failed[question.id] = gap_of(error, reader)
            return None
        self._store.put(reader.account, reader.region, question.id, places)
        return frozenset(places.get(place, ()))
