"""What the instances behind a cluster cost: they are billed as instances, so that this is no part of its own cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.hour_price import hour_price


def member_hours(facts: Facts[ClusterFacts]) -> Decimal | None:
    """Return the price of an hour of all members together, None when that of one is not known."""
    own, total = facts.own, Decimal(0)
    if own.member_classes is None:
        return None
    for name in own.member_classes:
        member = DatabaseFacts(
            engine=own.engine, db_instance_class=name, storage_type=own.storage_type, db_cluster_id=facts.resource.id
        )
        price = hour_price(facts, member)
        if price is None:
            return None
        total += price
    return total


def member_hours_fact(facts: Facts[ClusterFacts]) -> Iterator[EvidenceFact]:
    """Yield what the members cost a month, where that is known."""
    hour = member_hours(facts)
    count = len(facts.own.members or ())
    if hour is not None and count:
        monthly = hour * facts.settings.hours_per_month
        noun = "instance" if count == 1 else "instances"
        yield EvidenceFact("Hours of its members", f"{monthly:,.2f} USD a month for {count} {noun}, listed as such")
