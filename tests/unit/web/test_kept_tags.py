"""Tags in little memory read like a dict."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.tags import carries, owner_of
from finops_web.readings.kept_tags import Words

TAGS = st.dictionaries(st.text(max_size=6), st.text(max_size=6), max_size=5)


@given(st.lists(TAGS, max_size=6))
def test_what_is_kept_says_what_was_given(many: list[dict[str, str]]) -> None:
    words = Words()
    for tags, kept in [(tags, words.tags(tags)) for tags in many]:
        assert kept == tags
        assert dict(kept) == tags
        assert list(kept.items()) == list(tags.items())
        assert [kept.get(key, "-") for key in (*tags, "no such key")] == [*tags.values(), "-"]


def test_a_key_that_is_not_there_is_an_error_as_in_a_dict() -> None:
    with pytest.raises(KeyError):
        _ = Words().tags({"team": "orders"})["owner"]


def test_selectors_and_owners_read_them() -> None:
    kept = Words().tags({"Team": "orders", "stage": "prod"})
    assert owner_of(kept) == "orders"
    assert carries(kept, {"stage": ("prod",)}, {"stage": ("dev",)})


def test_what_many_have_is_one_object_and_very_many_different_texts_are_not_all_remembered() -> None:
    words = Words()
    first, second = (words.tags({"team": b"orders".decode()}) for _ in range(2))
    assert first["team"] is second["team"]
    assert [words.text(f"{number}") for number in range(10_000)] == [f"{number}" for number in range(10_000)]
    assert words.text(b"orders".decode()) is first["team"]


def test_resources_that_are_tagged_alike_but_for_their_names_share_what_their_tags_say() -> None:
    words, before = Words(), {"Name": "web-1", "team": "orders", "stage": "prod"}
    first = words.tags(before, "web-1")
    tracemalloc.start()
    try:
        many = [words.tags({**before, "Name": name}, name) for name in ["web-2"] * 1000]
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert first == before
    assert many[-1] == {**before, "Name": "web-2"}
    assert size / len(many) < 70, "more than an object and its place in the list"
