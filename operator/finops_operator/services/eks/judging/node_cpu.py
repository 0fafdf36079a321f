"""What the machines of a node group did, and which node groups may be judged by it. Pure; shared by their checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts
from finops_operator.plugins.unmeasured_work import not_by_cpu
from finops_operator.plugins.window import not_measured, summaries, too_young
from finops_operator.services.eks.nodegroup import ACTIVE, NODE_CPU, NodeGroupFacts

PERCENTILE: Final = "p99_5"


def node_cpu(facts: Facts[NodeGroupFacts], least: Decimal) -> MetricSummary | str:
    """Return the CPU of the busiest machine over at least `least` days, or why it may not be judged."""
    own, state = facts.own, facts.resource.state
    reason = "" if state == ACTIVE else f"it is {state or 'in an unknown state'}, not {ACTIVE}"
    if not reason and (own.minimum_size is None or own.desired_size is None or own.auto_scaling_groups is None):
        reason = "its size is not known"
    elif not reason and own.desired_size == 0:
        reason = "it has no machine"
    elif not reason and len(own.auto_scaling_groups or ()) != 1:
        reason = f"its machines are in {len(own.auto_scaling_groups or ())} groups, not one"
    reason = reason or not_by_cpu(own.instance_types or ())
    reason = reason or too_young(facts, least) or not_measured(facts, (NODE_CPU,), least)
    return reason or summaries(facts, (NODE_CPU,))[0]
