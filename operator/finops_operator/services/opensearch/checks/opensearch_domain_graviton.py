"""Domains on x86 data nodes: the Graviton type of the same size and memory costs less.

The data and the protocol stay as they are. AWS offers Graviton for every version of OpenSearch, and for Elasticsearch
from 7.9 on. Master and warm nodes are not judged.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.opensearch.domain import DomainFacts
from finops_operator.services.opensearch.judging.other_nodes import OtherNodes
from finops_operator.services.opensearch.rules.instance_types import GRAVITON, GRAVITON_NEEDED

ID: Final = "opensearch_domain_graviton"
_CHANGE: Final = OtherNodes(
    families=GRAVITON,
    needed=GRAVITON_NEEDED,
    at_par=False,
    not_concerned=lambda name: f"no Graviton type takes the place of {name}",
    summary=lambda one: f"{one.target} runs on Graviton, has as much memory as {one.current} and costs less.",
)


def _evaluate(facts: Facts[DomainFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    return _CHANGE.verdict(ID, facts)


CHECK: Final = Check(
    id=ID,
    title="OpenSearch domain without Graviton",
    kinds=("opensearch-domain",),
    documentation="https://docs.aws.amazon.com/opensearch-service/latest/developerguide/supported-instance-types.html",
    action_type=ActionType.UPGRADE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
)
