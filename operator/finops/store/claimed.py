"""Savings that somebody says were made elsewhere: kept beside what our acts saved, and never added to it.

Written and read by one endpoint of the dashboard. An import rule holds that nothing else knows them, so that no sum, no
page and no status counts a saving that nobody here has approved, carried out or measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from finops.errors import Refused
from finops.store.connection import Store, store_errors
from finops.store.keys import ClaimKeys
from finops.store.records import Record

KEPT: Final = timedelta(days=400)
MOST: Final = 10_000
"""Most that a namespace may hold."""
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Claim:
    """One saving as it was claimed; what was not said is None or empty.

    Attributes:
        money_saved: US dollars a month.
        estimated_hours_saved: hours a month that the resource does not run.
        date: since when it is saved.
        by: who says so, as the API server names them.
        at: when it was said first, by the dashboard's clock.
    """

    resource_id: str
    cloud: str
    money_saved: Decimal
    date: datetime
    account: str
    region: str
    state: str
    resource_type: str
    pricing_model: str
    estimated_hours_saved: Decimal | None
    by: str
    at: datetime

    @property
    def mark(self) -> str:
        """What a claim is known by: who says what, whenever they say it."""
        return sha256(_CLAIM.text(replace(self, at=_NEVER)).encode()).hexdigest()[:32]


_CLAIM: Final[Record[Claim]] = Record(Claim)


class ClaimedSavings:
    """What was claimed, by namespace. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = ClaimKeys(store.keys.prefix)

    def put(self, namespace: str, claims: Sequence[Claim], now: datetime) -> None:
        """Keep claims; what the same person has claimed before stays as it was said first.

        Raises:
            Refused: the namespace would hold too many; nothing was kept.
        """
        key = self._keys.of(namespace)
        held = self._read(namespace)
        self._forget(namespace, (mark for mark, one in held.items() if one is None or one.at < now - KEPT))
        new = {one.mark: _CLAIM.text(one) for one in claims if held.get(one.mark) is None}
        with store_errors():
            count = int(self._client.hlen(key))
        if count + len(new) > MOST:
            raise Refused(
                f"namespace {namespace} holds as many claimed savings as it may: {MOST:,}",
                code="TooMany",
                hint="record them in another namespace; what was claimed goes after 400 days",
            )
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for mark, text in new.items():
                pipe.hsetnx(key, mark, text)
            pipe.hset(self._keys.namespaces, namespace, now.isoformat())
            pipe.execute()

    def namespaces(self) -> tuple[str, ...]:
        """Return where something was ever claimed."""
        with store_errors():
            return tuple(sorted(map(str, self._client.hgetall(self._keys.namespaces))))

    def read(self, namespace: str, now: datetime) -> tuple[Claim, ...]:
        """Return what is claimed, the latest date first."""
        found = (one for one in self._read(namespace).values() if one is not None and one.at >= now - KEPT)
        return tuple(sorted(found, key=lambda one: (one.date, one.resource_id, one.mark), reverse=True))

    def _read(self, namespace: str) -> dict[str, Claim | None]:
        with store_errors():
            texts = self._client.hgetall(self._keys.of(namespace))
        # Whoever writes the store can write anything there; what is none of ours is no claim.
        return {str(mark): _CLAIM.value_or_none(text) for mark, text in texts.items()}

    def _forget(self, namespace: str, marks: Iterable[str]) -> None:
        old = tuple(marks)
        if old:
            with store_errors():
                self._client.hdel(self._keys.of(namespace), *old)
