"""Warehouses on node types before RA3: compute and storage grow only together, and AWS takes the types away.

AWS recommends RA3 for all of them; how many RA3 nodes take their place depends on the load and the data, and AWS's page
gives a table. So the saving is unknown.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.redshift.cluster import AVAILABLE, WarehouseFacts

ID: Final = "redshift_cluster_previous_generation"
PREVIOUS: Final = frozenset({"dc1", "dc2", "ds1", "ds2"})


def _evaluate(facts: Facts[WarehouseFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, state = facts.own, facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if not reason and own.node_type is None:
        reason = "its node type is not known"
    elif not reason and (own.node_type or "").partition(".")[0] not in PREVIOUS:
        reason = f"{own.node_type} is no type of a previous generation"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"nodeType": own.node_type, "nodes": own.nodes},
        summary=f"{own.node_type} is of a previous generation; with RA3 compute and storage are paid apart.",
        facts=(
            EvidenceFact("Nodes", f"{own.nodes} of {own.node_type}"),
            EvidenceFact("Before the change", "AWS's page says how many RA3 nodes take their place"),
        ),
        target="ra3",
    )


CHECK: Final = Check(
    id=ID,
    title="Redshift cluster of a previous generation",
    kinds=("redshift-cluster",),
    documentation="https://docs.aws.amazon.com/redshift/latest/mgmt/rs-upgrading-to-ra3.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.HIGH,
    evaluate=_evaluate,
)
