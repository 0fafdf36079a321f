"""The price source that asks AWS's Price List Query API; what was answered is kept in the store for a day.

Made by a scan whose policy wants it, asked before the bundled tables. GetProducts is free of charge. AWS filters by
fields and words alone, so that the last choice is made here: exactly one product, one on-demand term in force and one
price of it in US dollars, or no answer at all; never the first of several. A price of zero is AWS's word where it holds
for every unit; a free first step that others share is no price. A failure ends the asking for this scan, is said once,
and what AWS answered last within 30 days stands in for it, with its date; where there is nothing, the bundled tables.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from finops.domain.money import CURRENCY
from finops.domain.price import NotListed, Price, PriceQuery
from finops.domain.resource import PRICES, Gap
from finops.errors import AwsDenied, AwsError
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.ports.price_source import KeptAnswers, PriceSource
from finops_operator.pricing.offers import Offer, Offers, offer_of

SOURCE_ID: Final = "price-list"
PERMISSION: Final = f"{PRICES}:GetProducts"
PARTITION: Final = "aws"
"""AWS China lists another currency, and GovCloud has no endpoint: "AWS Price List endpoints and quotas"."""
_PAGE: Final = 100
PAGES_OF_A_SCAN: Final = 2000
"""At half of AWS's quota about a quarter of an hour, and more than every figure in every region needs."""
_FIRST: Final = "0"
_END: Final = "Inf"


@dataclass(frozen=True, slots=True)
class _Listed:
    """One product of an answer: the parts of it that decide. What AWS did not write is empty."""

    sku: str
    attributes: Mapping[str, Any]
    terms: tuple[Mapping[str, Any], ...]


def parse(document: str) -> _Listed | None:
    """Return one product of GetProducts, which is JSON in a string; None when it cannot be read."""
    try:
        read = _mapping(json.loads(document))
    except ValueError:
        return None
    product, terms = _mapping(read.get("product")), _mapping(_mapping(read.get("terms")).get("OnDemand"))
    sku = product.get("sku")
    if not isinstance(sku, str) or not sku:
        return None
    return _Listed(sku, _mapping(product.get("attributes")), tuple(_mapping(term) for term in terms.values()))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def choose(documents: Iterable[str], offer: Offer, region: str, today: date) -> Price | NotListed:
    """Return the one price that is meant, dated `today`, or why there is none. Pure.

    Args:
        documents: what GetProducts answered, all pages.
        offer: which of the products is meant.
        region: whose price is asked for.
        today: a term that begins later is not in force.
    """
    found: dict[str, _Listed] = {}
    for document in documents:
        listed = parse(document)
        if listed is None:
            return NotListed("AWS's price list cannot be read")
        if listed.attributes.get("regionCode") == region and offer.is_of(str(listed.attributes.get("usagetype"))):
            found[listed.sku] = listed
    if len(found) != 1:
        what = f"{len(found)} products ({', '.join(sorted(found))})" if found else "no product"
        return NotListed(f"AWS's price list has {what} for it")
    (listed,) = found.values()
    terms = [term for term in listed.terms if _in_force(term, today)]
    if len(terms) != 1:
        return NotListed(f"AWS's price list has {len(terms)} on-demand terms in force for {listed.sku}")
    return _price(listed.sku, terms[0], offer, today)


def _in_force(term: Mapping[str, Any], today: date) -> bool:
    try:
        return date.fromisoformat(str(term.get("effectiveDate"))[:10]) <= today
    except ValueError:
        return False


def _price(sku: str, term: Mapping[str, Any], offer: Offer, today: date) -> Price | NotListed:
    steps = [_mapping(step) for step in _mapping(term.get("priceDimensions")).values()]
    several = len(steps) > 1
    if offer.begins is not None:
        steps = [step for step in steps if _begin_of(step) == offer.begins]
    if len(steps) != 1:
        return NotListed(f"AWS's price list has {len(steps)} prices for {sku}")
    (step,) = steps
    if offer.begins is None and step.get("beginRange", _FIRST) != _FIRST:
        return NotListed(f"the price of {sku} does not begin with the first unit")
    if not several and step.get("endRange", _END) != _END:
        return NotListed(f"the price of {sku} ends with unit {step['endRange']}")
    unit = str(step.get("unit"))
    if unit.casefold() not in offer.published:
        return NotListed(f"{sku} is priced per {unit}")
    amounts = _mapping(step.get("pricePerUnit"))
    if amounts.keys() != {CURRENCY}:
        return NotListed(f"{sku} is priced in {', '.join(sorted(amounts)) or 'no currency'}")
    try:
        amount = Decimal(str(amounts[CURRENCY]))
    except InvalidOperation:
        return NotListed(f"the price of {sku} is no number")
    if not amount.is_finite() or amount < 0:
        return NotListed(f"the price of {sku} is {amount}")
    if several and amount == 0:
        return NotListed(f"the first units of {sku} are free, and how many others use is not known")
    return Price(amount, offer.unit, SOURCE_ID, today, sku=sku)


def _begin_of(step: Mapping[str, Any]) -> Decimal | None:
    try:
        return Decimal(str(step.get("beginRange")))
    except InvalidOperation:
        return None


class PriceList:
    """Answers from the store, else from AWS; thread-safe, one question at a time.

    Attributes:
        gaps: why AWS could not be asked; at most one.
        failed: the questions that it did not answer for that, and has not answered before: a next scan may know them.
            Where the role may not ask, none: no next scan knows more.
    """

    id: Final = SOURCE_ID

    def __init__(self, offers: Offers, reader: PageReader | None, kept: KeptAnswers, clock: Clock) -> None:
        """`reader`: of an account whose role may ask; the list is the same for all. None: what is kept alone."""
        self._offers = offers
        self.gaps: list[Gap] = []
        self.failed: set[PriceQuery] = set()
        self._reader = reader
        self._kept = kept
        self._clock = clock
        self._pages = 0
        self._for_now = False
        self._lock = threading.Lock()

    def lookup(self, query: PriceQuery) -> Price | None:
        """Return AWS's figure of today, None where there is none, where no row says how to ask, or after a failure.

        Raises:
            StoreUnavailable: the store went away.
        """
        answer = self.answer(query)
        return answer if isinstance(answer, Price) else None

    def answer(self, query: PriceQuery) -> Price | NotListed | None:
        """Return what `lookup` does, and why AWS has no figure; None: `gaps` say whether it could not be asked.

        Raises:
            StoreUnavailable: the store went away.
        """
        offer = offer_of(query, self._offers)
        if offer is None:
            return None
        with self._lock:
            answer = self._kept.get(query)
            if answer is None and self._reader is not None:
                answer = self._ask(query, offer, self._reader)
            if answer is None:
                answer = self._kept.last(query)
            if answer is None and self._for_now:
                self.failed.add(query)
        return answer

    def _ask(self, query: PriceQuery, offer: Offer, reader: PageReader) -> Price | NotListed | None:
        try:
            documents = list(self._documents(query, offer, reader))
        except AwsError as error:
            why = f"allow {PERMISSION}" if isinstance(error, AwsDenied) else str(error)
            self._stop(reader, error.code, why, for_now=not isinstance(error, AwsDenied))
            return None
        if self._pages > PAGES_OF_A_SCAN:
            self._stop(reader, "TooManyCalls", f"it took more than {PAGES_OF_A_SCAN} calls")
            return None
        answer = choose(documents, offer, query.region, self._clock.now().date())
        self._kept.put(query, answer)
        return answer

    def _documents(self, query: PriceQuery, offer: Offer, reader: PageReader) -> Iterator[str]:
        words = (("regionCode", query.region), *offer.filters)
        filters = [{"Type": "TERM_MATCH", "Field": name, "Value": word} for name, word in words]
        request = {"ServiceCode": offer.service_code, "Filters": filters, "MaxResults": _PAGE}
        for page in reader.pages(PERMISSION, {**request, "FormatVersion": "aws_v1"}):
            self._pages += 1
            if self._pages > PAGES_OF_A_SCAN:
                return
            yield from page.get("PriceList", ())

    def _stop(self, reader: PageReader, code: str, why: str, *, for_now: bool = True) -> None:
        self._reader, self._for_now = None, for_now
        message = f"AWS's price list could not be asked: {why}"
        self.gaps.append(Gap(reader.account, reader.region, PRICES, "GetProducts", code, message))


def failed_in(sources: Iterable[PriceSource], query: PriceQuery) -> bool:
    """Return whether a price list among the sources could not be asked for a figure that a next scan may know."""
    return any(isinstance(one, PriceList) and query in one.failed for one in sources)
