"""Judges one resource with one check at bundled prices, for the tests of the services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.support.facts import NOW

from finops.domain.price import Cost
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Check, Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import PriceLookup, ResourceKind
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of


@dataclass(frozen=True, slots=True)
class Bench:
    """Prices and judges the resources of one kind; `lookup` is the price table."""

    kind: ResourceKind[Any]
    lookup: PriceLookup = SOURCE.lookup
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def cost(self, resource: Resource, utilization: Utilization | None = None, *, hours: int = 730) -> Cost:
        """Return what it costs; without what was measured a part that is billed by use is unknown."""
        return cost_of(resource, self.kind.billed_parts, self.lookup, Decimal(hours), utilization)

    def judged(
        self, check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
    ) -> Finding | NotRecommended:
        """Return the verdict, with the check's defaults where no parameter is given."""
        facts = Facts(
            resource=resource,
            own=facts_of(self.kind.facts, resource),
            utilization=utilization or Utilization(resource.id),
            cost=self.cost(resource, utilization),
            cost_of=lambda changed: self.cost(changed, utilization),
            lookup=self.lookup,
            settings=JudgeSettings(),
            now=NOW,
            answers=self.answers,
        )
        return check.evaluate(facts, {**{spec.name: spec.default for spec in check.parameters}, **parameters})

    def found(
        self, check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
    ) -> Finding:
        """Return the finding; a verdict against one fails the test."""
        verdict = self.judged(check, resource, utilization, **parameters)
        assert isinstance(verdict, Finding), verdict
        return verdict

    def reason(
        self, check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
    ) -> str:
        """Return why there is no finding; a finding fails the test."""
        verdict = self.judged(check, resource, utilization, **parameters)
        assert isinstance(verdict, NotRecommended), verdict
        return verdict.reason


@dataclass(slots=True)
class Pages:
    """A PageReader of canned answers: operation → pages, a function of the parameters, or an error to raise."""

    answers: Mapping[str, Any]
    account: str = "111122223333"
    region: str = "us-east-1"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        """Return the only page."""
        del datapoints, metrics
        return next(iter(self.pages(operation, parameters)))

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the pages, and raise the error that stands among them."""
        self.asked.append((operation, dict(parameters)))
        answer = self.answers[operation]
        for page in answer(parameters) if callable(answer) else answer:
            if isinstance(page, Exception):
                raise page
            yield page
