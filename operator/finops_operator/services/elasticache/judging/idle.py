"""When nobody uses a cache or a group of several nodes: not a command, and no connections but AWS's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.judging.alone import not_alone, not_judged
from finops_operator.services.elasticache.judging.final_snapshot import (
    final_snapshot_cost,
    snapshot_facts,
    snapshot_price,
    unknown_cost,
)
from finops_operator.services.elasticache.rules.use import COMMANDS, CONNECTIONS, MEMCACHED

PARAMETERS: Final = (
    idle_days("A cache"),
    ParameterSpec(
        name="maximumConnections",
        unit="connections",
        default=Decimal(6),
        minimum=Decimal(0),
        maximum=Decimal(100),
        description="A cache with more connections to a node at once than this has clients, even if they send nothing.",
        metrics=("cacheConnections",),
    ),
)


def idle(
    check: str, action: str, facts: Facts[CacheFacts], parameters: Parameters, further: Iterable[EvidenceFact] = ()
) -> Finding | NotRecommended:
    """Return the verdict; commands are those of all nodes, connections those of the node with the most."""
    least, allowed = parameters["minimumIdleDays"], parameters["maximumConnections"]
    names = COMMANDS.get(facts.own.engine or "", ())
    needed = (*names, CONNECTIONS)
    reason = not_judged(facts) or not_alone(facts.own) or ("" if names else "its engine is not known")
    reason = reason or too_young(facts, least) or days_unseen(facts, needed, least)
    if reason:
        return NotRecommended(check, facts.resource.id, reason)
    *commands, connections = summaries(facts, needed)
    served = sum(one.total or 0.0 for one in commands)
    if served > 0:
        reason = f"it served {count(served)} commands"
    elif facts.own.engine != MEMCACHED and connections.maximum > float(allowed):
        reason = f"up to {figure(connections.maximum)} connections were open at once, AWS holds {allowed} at most"
    if reason:
        return NotRecommended(check, facts.resource.id, reason)
    remaining, current = final_snapshot_cost(facts), facts.cost.at_stake
    if remaining is not None and current is not None and remaining >= current:
        return NotRecommended(check, facts.resource.id, "a final snapshot could cost as much as the cache")
    return Finding(
        check=check,
        action=action,
        parameters={},
        unpriced=unknown_cost(facts),
        new_monthly_cost=remaining,
        # Where a price of its own is missing, a next scan may know the saving.
        saving_knowable=remaining is not None or current is None,
        saving_needs=snapshot_price(facts.resource.region),
        evidence={
            "commands": figure(served),
            "maximumConnections": figure(connections.maximum),
            "thresholdCommands": "1",
            "thresholdConnections": str(allowed),
            "thresholdIdleDays": str(least),
            "snapshotMonthlyCostAtMost": None if remaining is None else f"{remaining:.2f}",
            **coverage_evidence(commands[0]),
        },
        summary=f"It served no command for {days(commands[0].hours)}.",
        facts=(*_facts(facts.own, commands[0], connections), *snapshot_facts(facts, remaining), *further),
    )


def _facts(own: CacheFacts, commands: MetricSummary, connections: MetricSummary) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Commands", "none")
    yield EvidenceFact("Connections, most at once", f"{figure(connections.maximum)}, AWS's own among them")
    yield window_fact(commands)
    yield EvidenceFact("Nodes", f"{own.nodes} of {own.cache_node_type}")
