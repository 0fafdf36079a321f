"""Stored JSON of domain values: it comes back as it was, readable in between, and no text breaks it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from finops.domain.resource import Gap, Resource
from finops.store.outbox import WantedCard
from finops.store.records import Record

RESOURCES: Record[Resource] = Record(Resource)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def resource(**more: object) -> Resource:
    known: dict[str, object] = {"kind": "ec2-instance", "id": "i-1", "arn": "arn:aws:ec2:r:1:instance/i-1"}
    return Resource(**{**known, "name": "", "account": "1", "region": "r", "state": "running", **more})  # type: ignore[arg-type]


@given(
    st.text(),
    st.dictionaries(st.text(), st.text(), max_size=3),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(st.text(max_size=5), JSON, max_size=4),
)
def test_a_resource_comes_back_as_it_was(
    name: str, tags: dict[str, str], created: datetime | None, attributes: dict[str, object]
) -> None:
    before = resource(name=name, tags=tags, created=created, attributes=attributes)
    assert RESOURCES.value(RESOURCES.text(before)) == before


def test_the_stored_form_is_json_with_the_names_of_the_fields() -> None:
    stored = json.loads(RESOURCES.text(resource(tags={"team": "shop"}, created=datetime(2026, 1, 1, tzinfo=UTC))))
    assert stored["tags"] == {"team": "shop"}
    assert stored["created"] == "2026-01-01T00:00:00Z"
    assert stored["state"] == "running"


def test_another_zone_is_the_same_instant() -> None:
    before = resource(created=datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
    assert RESOURCES.value(RESOURCES.text(before)) == before


def test_half_a_surrogate_pair_in_a_tag_does_not_stop_the_shard() -> None:
    found = RESOURCES.value(RESOURCES.text(resource(name="web\ud800é", tags={"team": "\udfff"})))
    assert (found.name, found.tags) == ("web?é", {"team": "?"})


def test_tuples_of_values_have_one_record() -> None:
    gaps: Record[tuple[Gap, ...]] = Record(tuple[Gap, ...])
    before = (Gap("1", "r", "ec2", "DescribeInstances", "AccessDenied", "no"), Gap("1", "", "sts", "X", "Y", "z", 3))
    assert gaps.value(gaps.text(before)) == before
    assert gaps.value("[]") == ()


def test_what_is_no_record_is_an_error() -> None:
    with pytest.raises(ValidationError):
        RESOURCES.value('{"kind": "ec2-instance"}')
    with pytest.raises(ValidationError):
        Record[WantedCard](WantedCard).value("not json")
