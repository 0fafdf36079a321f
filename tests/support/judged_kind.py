"""One kind in the tests of its checks: resources priced at bundled prices, judged by a check with its defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.support.facts import NOW

from finops.domain.price import Cost, Price, PriceQuery
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, MonthlyUse, Utilization
from finops_operator.plugins.check import Check, Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import PriceLookup, ResourceKind
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of


def used(
    resource_id: str, *, month: Mapping[str, float | MonthlyUse] | None = None, **metrics: MetricSummary
) -> Utilization:
    """Return what was measured; of `month` a number is what 720 hours brought."""
    uses = {name: use if isinstance(use, MonthlyUse) else MonthlyUse(use, 720.0) for name, use in (month or {}).items()}
    return Utilization(resource_id, metrics=metrics, month=uses)


def without(utilization: Utilization, name: str, *, reason: str = "Throttled") -> Utilization:
    """Return a copy in which one metric could not be read."""
    return replace(
        utilization,
        metrics={key: value for key, value in utilization.metrics.items() if key != name},
        month={key: value for key, value in utilization.month.items() if key != name},
        unknown={**utilization.unknown, name: reason},
    )


@dataclass(frozen=True)
class JudgedKind:
    """A kind whose resources are priced and judged."""

    kind: ResourceKind[Any]
    lookup: PriceLookup = SOURCE.lookup

    def at(self, factor: int) -> JudgedKind:
        """Return the same with all prices multiplied."""

        def scaled(query: PriceQuery) -> Price | None:
            price = SOURCE.lookup(query)
            return None if price is None else replace(price, amount=price.amount * factor)

        return JudgedKind(self.kind, scaled)

    def cost(self, resource: Resource, utilization: Utilization | None = None, *, hours: int = 730) -> Cost:
        """Return what it costs, by its use where it is billed so."""
        return cost_of(resource, self.kind.billed_parts, self.lookup, Decimal(hours), utilization)

    def facts(self, resource: Resource, utilization: Utilization | None = None) -> Facts[Any]:
        """Return all that a check may know."""
        return Facts(
            resource=resource,
            own=facts_of(self.kind.facts, resource),
            utilization=utilization or Utilization(resource.id),
            cost=self.cost(resource, utilization),
            cost_of=lambda changed: self.cost(changed, utilization),
            lookup=self.lookup,
            settings=JudgeSettings(),
            now=NOW,
        )

    def judged(
        self, check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
    ) -> Finding | NotRecommended:
        """Return the verdict."""
        given = {**{spec.name: spec.default for spec in check.parameters}, **parameters}
        return check.evaluate(self.facts(resource, utilization), given)

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


@dataclass
class CannedPages:
    """A reader that has pages or an error for each operation, and notes what it was asked."""

    answers: Mapping[str, Any]
    account: str = "111122223333"
    region: str = "us-east-1"
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        del datapoints, metrics
        return next(iter(self.pages(operation, parameters)))

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, dict(parameters)))
        for page in self._pages(operation, parameters):
            if isinstance(page, Exception):
                raise page
            yield page

    def _pages(self, operation: str, parameters: Mapping[str, Any]) -> Sequence[Mapping[str, Any] | Exception]:
        """Return what is answered; an answer for one resource stands under the operation and its name."""
        names = (f"{operation} {value}" for value in parameters.values() if isinstance(value, str))
        found = next((self.answers[name] for name in names if name in self.answers), None)
        pages = self.answers[operation] if found is None else found
        return (pages,) if isinstance(pages, Exception) else pages
