"""AWS's price list: one figure is chosen or none, it is asked once, and a failure ends the asking."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_clock import FakeClock

from finops.domain.price import NotListed, Price, PriceQuery
from finops.errors import AwsDenied, AwsError, AwsThrottled
from finops_operator.pricing.offers import Offer, offer_of
from finops_operator.pricing.price_list import PAGES_OF_A_SCAN, PERMISSION, PriceList, choose, failed_in
from finops_operator.services.kinesis.stream import KIND

TODAY: Final = date(2026, 11, 29)
QUERY: Final = PriceQuery("kinesis", "eu-west-1", "shard_hour")
OFFER: Final = offer_of(QUERY, KIND.offers)
STEP: Final = {"unit": "ShardHour", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": "0.0170000000"}}


def term(*steps: Mapping[str, Any], since: str = "2026-11-01T00:00:00Z") -> dict[str, Any]:
    return {"effectiveDate": since, "priceDimensions": {str(index): step for index, step in enumerate(steps)}}


def document(sku: str = "A1", *terms: Mapping[str, Any], **attributes: str) -> str:
    fields = {"regionCode": "eu-west-1", "usagetype": "EU-Storage-ShardHour", **attributes}
    listed = {str(index): one for index, one in enumerate(terms or (term(STEP),))}
    return json.dumps({"product": {"sku": sku, "attributes": fields}, "terms": {"OnDemand": listed}})


def chosen(*documents: str, offer: Offer | None = OFFER) -> Price | NotListed:
    assert offer is not None
    return choose(documents, offer, "eu-west-1", TODAY)


def why(*documents: str) -> str:
    answer = chosen(*documents)
    assert isinstance(answer, NotListed)
    return answer.why


def test_one_product_with_one_price_is_the_figure_with_its_number_and_the_day_it_was_asked() -> None:
    assert chosen(document()) == Price(Decimal("0.0170000000"), "hour", "price-list", TODAY, "USD", "A1")


def test_of_several_products_none_is_taken() -> None:
    assert why(document("A1"), document("B2")) == "AWS's price list has 2 products (A1, B2) for it"
    assert why() == "AWS's price list has no product for it"


@pytest.mark.parametrize(
    "attributes",
    [
        {"usagetype": "EU-Extended-ShardHour"},
        {"usagetype": "USW2-LAX1-Storage-ShardHour"},
        {"usagetype": "EU-My-Storage-ShardHour"},
        {"regionCode": "eu-west-2"},
    ],
)
def test_another_usage_type_and_another_region_are_other_products(attributes: dict[str, str]) -> None:
    assert why(document(**attributes)) == "AWS's price list has no product for it"
    assert isinstance(chosen(document("A1"), document("B2", **attributes)), Price)


def test_reserved_terms_are_no_price_on_demand() -> None:
    reserved = json.loads(document())
    reserved["terms"] = {"Reserved": reserved["terms"]["OnDemand"]}
    assert why(json.dumps(reserved)) == "AWS's price list has 0 on-demand terms in force for A1"


def test_a_term_that_begins_tomorrow_is_not_in_force_and_two_in_force_are_one_too_many() -> None:
    later = term({**STEP, "pricePerUnit": {"USD": "9"}}, since="2026-11-30T00:00:00Z")
    assert isinstance(chosen(document("A1", term(STEP), later)), Price)
    assert why(document("A1", later)) == "AWS's price list has 0 on-demand terms in force for A1"
    assert why(document("A1", term(STEP), term(STEP))) == "AWS's price list has 2 on-demand terms in force for A1"
    assert "0 on-demand terms" in why(document("A1", term(STEP, since="")))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unit": "GB"}, "A1 is priced per GB"),
        ({"pricePerUnit": {"CNY": "1"}}, "A1 is priced in CNY"),
        ({"pricePerUnit": {"CNY": "1", "USD": "1"}}, "A1 is priced in CNY, USD"),
        ({"pricePerUnit": {}}, "A1 is priced in no currency"),
        ({"pricePerUnit": {"USD": "-1"}}, "the price of A1 is -1"),
        ({"pricePerUnit": {"USD": "NaN"}}, "the price of A1 is NaN"),
        ({"pricePerUnit": {"USD": "much"}}, "the price of A1 is no number"),
        ({"beginRange": "100"}, "the price of A1 does not begin with the first unit"),
        ({"endRange": "100"}, "the price of A1 ends with unit 100"),
    ],
)
def test_a_price_that_is_not_the_one_meant_is_no_price(change: dict[str, Any], reason: str) -> None:
    assert why(document("A1", term({**STEP, **change}))) == reason


def test_of_a_price_that_falls_the_first_step_is_taken_only_where_it_is_meant() -> None:
    steps = document("A1", term(STEP, {**STEP, "beginRange": "10", "pricePerUnit": {"USD": "0.01"}}))
    assert why(steps) == "AWS's price list has 2 prices for A1"
    first = Offer("X", (), "Storage-ShardHour", frozenset({"shardhour"}), "hour", begins=Decimal(0))
    found = chosen(steps, offer=first)
    assert isinstance(found, Price)
    assert found.amount == Decimal("0.0170000000")


def test_a_further_step_is_the_one_that_begins_where_it_is_said_to_and_no_other() -> None:
    later = {**STEP, "beginRange": "10", "pricePerUnit": {"USD": "0.01"}}
    second = Offer("X", (), "Storage-ShardHour", frozenset({"shardhour"}), "hour", begins=Decimal(10))
    found = chosen(document("A1", term({**STEP, "endRange": "10"}, later)), offer=second)
    assert isinstance(found, Price)
    assert found.amount == Decimal("0.01")
    for other in ({**later, "beginRange": "11"}, {**later, "beginRange": "ten"}):
        assert isinstance(chosen(document("A1", term(STEP, other)), offer=second), NotListed)


def test_a_price_of_zero_for_every_unit_is_what_aws_says() -> None:
    """Never ours: a step that is missing, unreadable or without dollars is unknown (above)."""
    found = chosen(document("A1", term({**STEP, "pricePerUnit": {"USD": "0.0000000000"}})))
    assert isinstance(found, Price)
    assert (found.amount, found.sku) == (Decimal(0), "A1")


@pytest.mark.parametrize("begins", [None, Decimal(0)])
def test_a_free_first_step_is_no_price_of_what_comes_after_it(begins: Decimal | None) -> None:
    """How much of what is free others use up is not known, so that the part is unknown and never zero."""
    free = {**STEP, "endRange": "10", "pricePerUnit": {"USD": "0.0000000000"}}
    steps = document("A1", term(free, {**STEP, "beginRange": "10"}))
    offer = Offer("X", (), "Storage-ShardHour", frozenset({"shardhour"}), "hour", begins=begins)
    found = chosen(steps, offer=offer)
    assert isinstance(found, NotListed)
    assert found.why.startswith("the first units of A1 are free") is (begins is not None)


def test_a_product_that_is_listed_no_more_has_no_price_once_the_kept_answer_is_gone() -> None:
    kept = Kept()
    assert price_list(Reader([document()]), kept).lookup(QUERY) is not None
    kept.answers.clear()
    ended = price_list(Reader([]), kept)
    assert ended.lookup(QUERY) is None
    assert ended.answer(QUERY) == NotListed("AWS's price list has no product for it")


def test_yuan_are_no_price_beside_dollars_and_are_never_exchanged() -> None:
    """Regions of AWS China: their products, were one answered, have a price in yuan alone."""
    fields = {"regionCode": "cn-north-1", "usagetype": "CNN1-Storage-ShardHour"}
    listed = document("A1", term({**STEP, "pricePerUnit": {"CNY": "0.1500000000"}}), **fields)
    assert OFFER is not None
    assert choose([listed], OFFER, "cn-north-1", TODAY) == NotListed("A1 is priced in CNY")


@given(st.one_of(st.text(), st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner))))
def test_what_cannot_be_read_is_no_price_and_no_failure(document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    assert isinstance(chosen(text), NotListed)


class Kept:
    """What was answered, without end."""

    def __init__(self) -> None:
        self.answers: dict[PriceQuery, Price | NotListed] = {}
        self.old: dict[PriceQuery, Price | NotListed] = {}

    def last(self, query: PriceQuery) -> Price | NotListed | None:
        return self.old.get(query)

    def get(self, query: PriceQuery) -> Price | NotListed | None:
        return self.answers.get(query)

    def put(self, query: PriceQuery, answer: Price | NotListed) -> None:
        self.answers[query] = answer


class Reader:
    """Answers every question with the same pages, or fails."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, *pages: list[str], error: AwsError | None = None) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self._pages, self._error = pages, error

    def once(self, *_: Any, **__: Any) -> Mapping[str, Any]:
        raise AssertionError

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert operation == PERMISSION
        self.asked.append(parameters)
        if self._error is not None:
            raise self._error
        for page in self._pages:
            yield {"PriceList": page}


def price_list(reader: Reader | None, kept: Kept | None = None) -> PriceList:
    return PriceList(KIND.offers, reader, kept or Kept(), FakeClock(datetime(2026, 11, 29, 12, tzinfo=UTC)))


def test_the_products_of_all_pages_count() -> None:
    assert price_list(Reader([], [document()])).lookup(QUERY) is not None
    assert price_list(Reader([document("A1")], [document("B2")])).lookup(QUERY) is None


def test_aws_is_asked_for_the_region_by_the_words_of_the_row_and_once() -> None:
    reader, kept = Reader([document()]), Kept()
    first = price_list(reader, kept).lookup(QUERY)
    assert first is not None
    assert price_list(reader, kept).lookup(QUERY) == first
    (asked,) = reader.asked
    words = {(one["Type"], one["Field"], one["Value"]) for one in asked["Filters"]}
    assert (asked["ServiceCode"], asked["MaxResults"]) == ("AmazonKinesis", 100)
    assert {("TERM_MATCH", "regionCode", "eu-west-1"), ("TERM_MATCH", "operation", "shardHourStorage")} < words
    assert price_list(None, kept).lookup(QUERY) == first


def test_that_there_is_no_figure_is_kept_too_and_is_no_gap() -> None:
    reader, kept = Reader([]), Kept()
    source = price_list(reader, kept)
    assert source.lookup(QUERY) is None
    assert source.lookup(QUERY) is None
    assert (len(reader.asked), source.gaps) == (1, [])


def test_what_no_row_names_is_not_asked() -> None:
    reader = Reader([document()])
    assert price_list(reader).lookup(PriceQuery("kinesis", "eu-west-1", "fax")) is None
    assert price_list(reader).lookup(PriceQuery("kinesis", "eu-west-1", "shard_hour", (("size", "xl"),))) is None
    assert reader.asked == []


def test_a_failure_ends_the_asking_is_said_once_and_is_not_kept() -> None:
    denied, kept = AwsDenied("no", operation=PERMISSION, code="AccessDeniedException"), Kept()
    reader = Reader(error=denied)
    source = price_list(reader, kept)
    assert source.lookup(QUERY) is None
    assert source.lookup(PriceQuery("kinesis", "eu-west-1", "stream_hour")) is None
    (gap,) = source.gaps
    assert gap.message == "AWS's price list could not be asked: allow pricing:GetProducts"
    assert (gap.service, gap.operation, gap.code) == ("pricing", "GetProducts", "AccessDeniedException")
    assert (len(reader.asked), kept.answers) == (1, {})
    slow = price_list(Reader(error=AwsThrottled("slow down", operation=PERMISSION, code="ThrottlingException")))
    assert slow.lookup(QUERY) is None
    assert slow.gaps[0].message == "AWS's price list could not be asked: slow down"


def test_what_aws_answered_last_stands_in_with_its_date_while_it_fails() -> None:
    kept, old = Kept(), Price(Decimal("0.016"), "hour", "price-list", date(2026, 11, 2), "USD", "A1")
    kept.old[QUERY] = old
    source = price_list(Reader(error=AwsThrottled("slow down", operation=PERMISSION, code="ThrottlingException")), kept)

    assert source.lookup(QUERY) == old
    assert (len(source.gaps), failed_in([source], QUERY)) == (1, False)
    assert price_list(None, kept).lookup(QUERY) == old, "judging without AWS says the same"
    fresh = price_list(Reader([document()]), kept).lookup(QUERY)
    assert fresh is not None
    assert fresh.as_of == TODAY, "AWS is asked first"


def test_a_question_that_was_never_answered_failed_for_now_unless_the_role_may_not_ask() -> None:
    slow = price_list(Reader(error=AwsThrottled("slow down", operation=PERMISSION, code="ThrottlingException")))
    other = PriceQuery("kinesis", "eu-west-1", "stream_hour")
    assert (slow.lookup(QUERY), slow.lookup(other)) == (None, None)
    assert failed_in([slow], QUERY)
    assert failed_in([slow], other)
    assert not failed_in([slow], PriceQuery("kinesis", "eu-west-2", "shard_hour")), "nobody asked for it"
    denied = price_list(Reader(error=AwsDenied("no", operation=PERMISSION, code="AccessDeniedException")))
    nothing = price_list(Reader([]))
    for source in (denied, nothing):
        assert source.lookup(QUERY) is None
        assert not failed_in([source], QUERY)


def test_a_scan_asks_only_so_often_and_keeps_nothing_of_half_an_answer() -> None:
    kept = Kept()
    source = price_list(Reader(*[[document()]] * (PAGES_OF_A_SCAN + 1)), kept)
    assert source.lookup(QUERY) is None
    assert source.gaps[0].code == "TooManyCalls"
    assert kept.answers == {}
