"""Domains on instance types that AWS calls previous generation: a current type of the size costs no more.

The target is the type of the same size in the current family with the same processors. Master and warm nodes are not
judged. Sizes without a current one (`m3.medium.search`, `t2.micro.search`) have no price to compare and are left alone.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.opensearch.domain import DomainFacts
from finops_operator.services.opensearch.judging.other_nodes import OtherNodes
from finops_operator.services.opensearch.rules.instance_types import NEEDED, SUCCESSORS

ID: Final = "opensearch_domain_previous_generation"
_CHANGE: Final = OtherNodes(
    families=SUCCESSORS,
    needed=NEEDED,
    at_par=True,
    not_concerned=lambda name: f"{name} is no type of a previous generation",
    summary=lambda one: (
        f"{one.current} is of a previous generation; {one.target} is faster and costs "
        f"{'less' if one.cheaper else 'the same'}."
    ),
)


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    return _CHANGE.verdict(ID, facts)


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain of a previous generation",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
