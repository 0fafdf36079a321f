"""Which walks through the objects of the ledger's bucket count as having seen all of them locked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from tests.support.fake_clock import FakeClock

from finops.ledger.locks import LockRenewal
from finops.ports.bucket import Stored

PERIOD = timedelta(days=30)


@dataclass
class Locks:
    """A bucket in memory: until when each object is locked."""

    until: dict[str, datetime]

    def period(self) -> timedelta:
        return PERIOD

    def stored(self, after: Stored | None = None) -> Iterator[Stored]:
        return (Stored(name, "v1") for name in sorted(self.until) if after is None or name > after.name)

    def locked_until(self, stored: Stored) -> datetime | None:
        return self.until[stored.name]

    def lock_until(self, stored: Stored, until: datetime) -> None:
        self.until[stored.name] = until


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(PERIOD.total_seconds() / 8, True), (PERIOD.total_seconds() / 8 + 1, False), (-1.0, False)],
)
def test_a_walk_of_an_eighth_of_the_period_counts_and_a_longer_one_or_one_over_a_clock_put_back_does_not(
    seconds: float, *, counts: bool
) -> None:
    clock, walked = FakeClock(), list[float]()
    bucket = Locks({f"{number:02}": clock.now() + PERIOD for number in range(30)})
    renewal = LockRenewal(bucket, clock, walked.append)
    renewal.turn()
    clock.sleep(seconds)
    renewal.turn()
    assert (walked != []) is counts
    renewal.turn()
    renewal.turn()
    assert walked == [clock.now().timestamp()], "the next one began at once, and no further one after it"
