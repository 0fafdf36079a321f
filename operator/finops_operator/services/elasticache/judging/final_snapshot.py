"""What the final snapshot of a cache costs at most, which the deletion of a cache makes; pure.

It holds what the nodes hold in memory, each shard once, in a form that takes no more than that. A node type has no more
memory than the EC2 type of its name; those with disks of their own (`r6gd`) hold more and are not known. Memcached has
no snapshots. Its price stands in AWS's price list alone. Source: ElastiCache user guide, "Snapshot and restore" and
"Creating a final backup"; usage types as Cost and Usage Reports spell them.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.rules.snapshot_offer import BACKUP, SERVICE
from finops_operator.services.elasticache.rules.use import MEMCACHED, MEMORY

UNKNOWN_COST: Final = "no source has the price of its final snapshot, which AWS bills by what it holds"
"""Why nobody can say what a deletion saves; it saves no more than what the cache costs."""
_UNKNOWN_SIZE: Final = "how much its final snapshot holds is not known, which AWS bills by that"
_PREFIX: Final = "cache."
_MIB_PER_GIB: Final = 1024
_PERCENT: Final = 100
_TENTH: Final = Decimal("0.1")


def final_snapshot_cost(facts: Facts[CacheFacts]) -> Decimal | None:
    """Return what the snapshot costs a month at most, in US dollars, unrounded; None where it is not known."""
    if facts.own.engine == MEMCACHED:
        return Decimal(0)
    price, size = facts.lookup(snapshot_price(facts.resource.region)), most_gib(facts)
    return None if price is None or size is None else price.amount * size


def snapshot_price(region: str) -> PriceQuery:
    """Return what a GB of the snapshot costs a month, as a price source is asked."""
    return PriceQuery(SERVICE, region, BACKUP)


def most_gib(facts: Facts[CacheFacts]) -> Decimal | None:
    """Return the GiB that the snapshot holds at most; None where nothing bounds it."""
    known = bundled_catalog().get((facts.own.cache_node_type or "").removeprefix(_PREFIX))
    if known is None or known.instance_storage_gb:
        return None
    used = facts.utilization.best(MEMORY)
    share = Decimal(_PERCENT) if used is None else min(Decimal(str(used.maximum)), Decimal(_PERCENT))
    shards = 1 if facts.own.members is None else facts.own.group_shards
    return None if shards is None else Decimal(known.memory_mib) / _MIB_PER_GIB * share / _PERCENT * shards


def unknown_cost(facts: Facts[CacheFacts]) -> str:
    """Return what of the snapshot's cost is not known, as the end of a sentence; empty where it is known."""
    if final_snapshot_cost(facts) is not None:
        return ""
    priced = facts.lookup(PriceQuery(SERVICE, facts.resource.region, BACKUP)) is not None
    return _UNKNOWN_SIZE if priced else UNKNOWN_COST


def snapshot_facts(facts: Facts[CacheFacts], cost: Decimal | None) -> Iterator[EvidenceFact]:
    """Yield what the final snapshot costs at most, or that the saving is less than the cost by as much."""
    if facts.own.engine == MEMCACHED:
        yield EvidenceFact("Final snapshot", "none: Memcached has no snapshots, and what it holds is lost")
    elif cost is not None:
        yield EvidenceFact("Final snapshot", f"{cost:,.2f} USD a month at most; the act makes it")
    elif facts.cost.at_stake is not None:
        at_most, size = f"{facts.cost.at_stake:,.2f} USD a month", most_gib(facts)
        holds = "" if size is None else f", which holds {_upwards(size)} GiB at most"
        yield EvidenceFact("Saves, at most", f"{at_most}, less what the final snapshot costs that the act makes{holds}")


def _upwards(size: Decimal) -> str:
    return f"{size.quantize(_TENTH, ROUND_CEILING):f}"
