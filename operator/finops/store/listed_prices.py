"""What AWS's price list answered, kept a day; that it has no such figure is kept for six hours.

The last answer to a question is kept for 30 days besides, with its date, for scans that cannot ask.

Written by the scan. The list is the same for every account, so that all policies share the answers, and two scans of a
day price alike.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, Final

from finops.domain.price import NotListed, Price, PriceQuery
from finops.store.connection import Store, store_errors
from finops.store.keys import ListedPriceKeys

KEPT_SECONDS: Final = 86_400
NOTHING_KEPT_SECONDS: Final = 6 * 3600
LAST_KEPT_SECONDS: Final = 30 * 86_400
"""How long the last answer may stand in for one that AWS does not give: it changes a price a few times a year."""


class ListedPrices:
    """Answers by question; implements `finops.ports.price_source.KeptAnswers`. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = ListedPriceKeys(store.keys.prefix)

    def get(self, query: PriceQuery) -> Price | NotListed | None:
        """Return what AWS answered, None when it must be asked (again), as where something stands that is no answer."""
        return self._read(self._key(query))

    def last(self, query: PriceQuery) -> Price | NotListed | None:
        """Return what AWS answered last, None where that is more than 30 days ago or never was."""
        return self._read(self._last(query))

    def _read(self, key: str) -> Price | NotListed | None:
        with store_errors():
            text = self._client.get(key)
        return None if text is None else _answer(text)

    def put(self, query: PriceQuery, answer: Price | NotListed) -> None:
        """Keep an answer."""
        if isinstance(answer, NotListed):
            kept, seconds = {"why": answer.why}, NOTHING_KEPT_SECONDS
        else:
            seconds = KEPT_SECONDS
            kept = {
                "amount": f"{answer.amount:f}",
                "unit": answer.unit,
                "source": answer.source,
                "asOf": answer.as_of.isoformat(),
                "currency": answer.currency,
                "sku": answer.sku,
            }
        text = json.dumps(kept, separators=(",", ":"))
        with store_errors():
            self._client.set(self._key(query), text, ex=seconds)
            self._client.set(self._last(query), text, ex=LAST_KEPT_SECONDS)

    def _last(self, query: PriceQuery) -> str:
        return self._keys.last(query.region, query.service, query.dimension)

    def _key(self, query: PriceQuery) -> str:
        return self._keys.of(query.region, query.service, query.dimension)


def _answer(text: str) -> Price | NotListed | None:
    try:
        kept = json.loads(text)
        if "why" in kept:
            return NotListed(str(kept["why"]))
        amount, as_of = Decimal(kept["amount"]), date.fromisoformat(kept["asOf"])
        if not amount.is_finite() or amount < 0 or not isinstance(kept["unit"], str):
            return None
        return Price(amount, kept["unit"], kept["source"], as_of, kept["currency"], kept["sku"])
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None
