"""A kind's facts as typed values and as the JSON that stores and reports hold."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_operator.plugins.facts import attributes_of, facts_of, with_facts


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    pages: int


@dataclass(frozen=True, slots=True)
class LineFacts:
    machines: tuple[Machine, ...] | None = None
    number: str | None = None
    secret: bool | None = None


def line(**attributes: object) -> Resource:
    return Resource("fax-line", "l-1", "arn", "", "1", "r", "idle", attributes=attributes)  # type: ignore[arg-type]


def test_facts_come_back_from_the_json_that_is_made_of_them() -> None:
    facts = LineFacts((Machine("a", 3),), "555", secret=False)
    assert attributes_of(facts) == {"machines": [{"name": "a", "pages": 3}], "number": "555", "secret": False}
    assert facts_of(LineFacts, line(**attributes_of(facts))) == facts


def test_what_aws_did_not_say_is_absent_and_none_while_what_it_denied_is_kept() -> None:
    assert attributes_of(LineFacts(machines=(), secret=False)) == {"machines": [], "secret": False}
    assert facts_of(LineFacts, line(number=None)) == LineFacts()


def test_a_changed_copy_has_the_changed_facts_and_no_others() -> None:
    changed = with_facts(line(number="555", secret=True), LineFacts(number="556"))
    assert changed.attributes == {"number": "556"}


def test_a_fact_of_another_type_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        facts_of(LineFacts, line(machines=[{"name": "a", "pages": "many"}]))
    assert refused.value.field == "attributes.machines.0.pages"
