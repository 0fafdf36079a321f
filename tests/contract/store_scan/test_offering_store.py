"""Offerings of zones on a real server: kept a day, per account, whole or not at all."""

from __future__ import annotations

from finops.store.connection import Store
from finops.store.offerings import KEPT_SECONDS, OfferingStore

ACCOUNT, REGION, TYPES = "111111111111", "us-east-1", "offered-types"


def test_what_is_kept_of_a_zone_comes_back_and_lasts_a_day(store: Store) -> None:
    offerings = OfferingStore(store)
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1a") is None
    offerings.put(ACCOUNT, REGION, TYPES, {"us-east-1a": ["m5.large", "t3.large"], "us-east-1e": ["m4.large"]})
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1a") == frozenset({"m5.large", "t3.large"})
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1e") == frozenset({"m4.large"})
    assert 0 < store.client.ttl(store.keys.offered(ACCOUNT, REGION, TYPES)) <= KEPT_SECONDS


def test_a_zone_that_aws_did_not_name_is_distinguished_from_a_region_nobody_asked_about(store: Store) -> None:
    offerings = OfferingStore(store)
    offerings.put(ACCOUNT, REGION, TYPES, {})
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1a") == frozenset()
    assert offerings.in_place("222222222222", REGION, TYPES, "us-east-1a") is None


def test_the_next_answer_replaces_all_of_the_last_one(store: Store) -> None:
    offerings = OfferingStore(store)
    offerings.put(ACCOUNT, REGION, TYPES, {"us-east-1a": ["m5.large"], "us-east-1b": ["m5.large"]})
    offerings.put(ACCOUNT, REGION, TYPES, {"us-east-1a": ["m6i.large"]})
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1a") == frozenset({"m6i.large"})
    assert offerings.in_place(ACCOUNT, REGION, TYPES, "us-east-1b") == frozenset()


def test_the_answers_to_two_questions_about_a_place_are_kept_apart(store: Store) -> None:
    offerings = OfferingStore(store)
    offerings.put(ACCOUNT, REGION, TYPES, {"us-east-1a": ["m5.large"]})
    assert offerings.in_place(ACCOUNT, REGION, "offered-engines", "us-east-1a") is None
