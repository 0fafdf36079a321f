"""Where unit prices come from."""

from __future__ import annotations

from typing import Protocol

from finops.domain.price import Price, PriceQuery


class PriceSource(Protocol):
    """Answers with a figure of exactly the region and product asked for, or with None: never with a guess.

    Attributes:
        id: the word that `Price.source` carries.
    """

    @property
    def id(self) -> str: ...

    def lookup(self, query: PriceQuery) -> Price | None: ...
