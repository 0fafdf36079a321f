"""Where unit prices come from."""

from __future__ import annotations

from typing import Protocol

from finops.domain.price import NotListed, Price, PriceQuery


class PriceSource(Protocol):
    """Answers with a figure of exactly the region and product asked for, or with None: never with a guess.

    Attributes:
        id: the word that `Price.source` carries.
    """

    @property
    def id(self) -> str: ...

    def lookup(self, query: PriceQuery) -> Price | None: ...


class KeptAnswers(Protocol):
    """What a source was answered before, for as long as it may be used.

    Raises (all methods):
        StoreUnavailable: the store went away.
    """

    def get(self, query: PriceQuery) -> Price | NotListed | None:
        """Return the answer, None when the source must be asked (again)."""
        ...

    def last(self, query: PriceQuery) -> Price | NotListed | None:
        """Return what was answered last, for when the source fails; None where that is too long ago."""
        ...

    def put(self, query: PriceQuery, answer: Price | NotListed) -> None: ...
