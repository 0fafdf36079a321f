"""What a snapshot costs at most: the price of its whole size, though AWS bills only what changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.rules.engines import OTHER_SERVICES, is_aurora
from finops_operator.services.rds.rules.storage import BACKUP, storage_query
from finops_operator.services.rds.snapshot import SnapshotFacts

_AURORA_BACKUP: Final = "aurora-backup"


def at_most(facts: Facts[SnapshotFacts]) -> Decimal | None:
    """Return the monthly price of its whole size, None when size or price are not known."""
    size, query = facts.own.size_gb, _query(facts)
    price = facts.lookup(query) if query is not None else None
    return None if price is None or size is None else price.amount * size


def _query(facts: Facts[SnapshotFacts]) -> PriceQuery | None:
    if facts.own.engine is None or facts.own.engine in OTHER_SERVICES:
        return None
    volume = _AURORA_BACKUP if is_aurora(facts.own.engine) else BACKUP
    return storage_query(facts.resource.region, "gb_month", volume, "any")


def size_facts(facts: Facts[SnapshotFacts]) -> Iterator[EvidenceFact]:
    """Yield its size and what it costs at most."""
    own, cost = facts.own, at_most(facts)
    if own.size_gb is not None:
        yield EvidenceFact("Size, at most", f"{own.size_gb:,} GiB")
    if cost is not None:
        yield EvidenceFact("Cost, at most", f"{cost:,.2f} USD a month; AWS bills only what changed")
    yield EvidenceFact("Before it is deleted", "we did not check whether it is shared with other accounts")
