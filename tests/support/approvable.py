"""Whether a person could ever approve what a check recommends, under a policy and an account that allow every act."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from finops.crds.policy_actions import Mode
from finops.domain.recommendation import Finding, Recommendation
from finops_operator.plugins.check import Check, Facts
from finops_operator.plugins.loaded import load_actions, load_kinds
from finops_operator.rules.readiness import ActTerms
from finops_operator.scan.recommend import Declarations, Terms, recommend

_ALL: Final = frozenset(load_actions())
_TERMS: Final = Terms(
    "team-a/all",
    ActTerms(
        mode=Mode.APPROVE,
        allowed=_ALL,
        minimum=Decimal(0),
        account="production",
        granted=_ALL,
        has_executor_role=True,
        unknown_savings=True,
    ),
)


def advised(check: Check[Any], facts: Facts[Any], finding: Finding) -> Recommendation:
    """Return the recommendation that a scan would make of a finding; its status says whether it can be approved."""
    declared = Declarations(load_kinds()[facts.resource.kind], {check.id: check}, load_actions())
    (made,) = recommend(facts.resource, facts.cost, [finding], declared, _TERMS)
    return made
