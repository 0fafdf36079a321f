"""Commitments beside the recommendations of one shard: read once and only when needed, and used once.

Made by the judge of a shard. Two idle instances may share one reservation: stopping either saves the price of the
other, stopping both does not save twice. So a counted saving changes what the next one of its status is measured by,
and the sum of a status is what the bill would fall by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from finops.domain.recommendation import Recommendation, Status
from finops.domain.resource import Gap, Resource
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import Act, Committed, Reading
from finops_operator.plugins.kind import PriceLookup, ResourceKind


class ShardCommitments:
    """The commitments of one kind in one account and region, as one scan sees them."""

    def __init__(
        self,
        kind: ResourceKind[Any],
        reader: PageReader,
        lookup: PriceLookup,
        now: datetime,
        everything: Callable[[], Iterable[Resource]],
    ) -> None:
        """`everything` yields all resources of the shard, those that the policy does not select as well.

        Each as it ran, as far as that is known.
        """
        self._kind = kind.commitments
        self._reading = (reader, lookup, now, everything)
        self._by_status: dict[Status, Committed] = {}
        self._read: Committed | None = None
        self._gaps: tuple[Gap, ...] = ()

    def beside(self, status: Status) -> Committed:
        """Return the commitments beside what was counted of `status`; the first call reads AWS.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        found = self._by_status.get(status)
        return self._first() if found is None else found

    def count(self, resource: Resource, made: Sequence[Recommendation]) -> None:
        """Take what a counted recommendation saves out of what the next of its status can save."""
        for one in made:
            if one.counted and one.net_monthly_savings:
                act = Act(resource, one.action_type, one.target)
                self._by_status[one.status] = self.beside(one.status).after(act)

    def seen(self, resources: Iterable[Resource]) -> None:
        """Take what is known by now of the hours that resources run, before the first of them is judged.

        Whatever is read later is read with it: `everything` yields them so.
        """
        if self._read is not None:
            several = tuple(resources)
            self._read = self._read.seen(several)
            self._by_status = {status: one.seen(several) for status, one in self._by_status.items()}

    def gaps(self) -> tuple[Gap, ...]:
        """Return what could not be read."""
        return self._gaps

    def _first(self) -> Committed:
        if self._read is None:
            self._read = self._kind.otherwise
            if self._kind.read is not None:
                reader, lookup, now, everything = self._reading
                self._read, self._gaps = self._kind.read(Reading(reader, everything(), lookup, now))
        return self._read
