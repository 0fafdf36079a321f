"""All checks as a policy without settings runs them, asked what they decide of one resource and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.facts import facts_of

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Facts, Pictures, Settled
from finops_operator.plugins.loaded import load_checks
from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.scan.check import enabled_checks, evaluate, settled_by_days
from finops_operator.scan.metrics.first_days import DaysPicture

CHECKS = load_checks()

ENABLED = enabled_checks(CHECKS, [])


@dataclass(frozen=True)
class Judged:
    """The checks with a way of sizing, and what was advised last."""

    sizing: SizingPolicy = field(default_factory=SizingPolicy)
    last_target: str = ""

    def facts(self, resource: Resource, seen: Utilization) -> Facts[Any]:
        return replace(facts_of(resource, seen, sizing=self.sizing), previous_target=self.last_target)

    def settled(self, resource: Resource, picture: DaysPicture) -> Settled:
        pictures = Pictures(*(self.facts(resource, one) for one in (picture.days, picture.least, picture.most)))
        return settled_by_days(ENABLED, pictures)

    def verdicts(self, resource: Resource, seen: Utilization) -> list[Finding | NotRecommended]:
        return list(evaluate(ENABLED, self.facts(resource, seen)))

    def decisions(self, resource: Resource, seen: Utilization) -> set[tuple[str, str]]:
        """Return (check, target) of each finding."""
        return {(one.check, one.target) for one in self.verdicts(resource, seen) if isinstance(one, Finding)}


DEFAULT = Judged()
