"""Judges resources of one kind with one check at bundled prices, and reads canned pages: for the tests of services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tests.support.facts import NOW

from finops.domain.price import Attributed, Cost, GroupOf, Price, PriceQuery, cost_of_group
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


def group_cost(kind: ResourceKind[Any], group: Resource, costs: Sequence[str | None] | None = None) -> Cost:
    """Return the cost of a group whose members cost so much a month each; None: nobody knows them."""
    if kind.members is None:
        raise ValueError(f"{kind.id} is no group")
    of = GroupOf(kind.members.kind, kind.members.of(group), kind.members.through)
    if costs is None:
        return cost_of_group(of)
    members = ((f"i-{at}", Cost(None if one is None else Decimal(one), None)) for at, one in enumerate(costs))
    return cost_of_group(of, Attributed(tuple(members)))


def _own(kind: ResourceKind[Any]) -> bool:
    return kind.members is None or kind.members.billed_itself


@dataclass(frozen=True, slots=True)
class Bench:
    """Prices and judges the resources of one kind; `lookup`: the price table; `members`: costs of a group's."""

    kind: ResourceKind[Any]
    lookup: PriceLookup = SOURCE.lookup
    answers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    members: Sequence[str | None] | None = None

    def at(self, factor: int) -> Bench:
        """Return the same with all prices multiplied."""

        def scaled(query: PriceQuery) -> Price | None:
            price = SOURCE.lookup(query)
            return None if price is None else replace(price, amount=price.amount * factor)

        return replace(self, lookup=scaled)

    def cost(self, resource: Resource, utilization: Utilization | None = None, *, hours: int = 730) -> Cost:
        """Return what it costs; without what was measured a part that is billed by use is unknown."""
        group = None if self.kind.members is None else group_cost(self.kind, resource, self.members)
        if group is not None and not _own(self.kind):
            return group
        own = cost_of(resource, self.kind.billed_parts, self.lookup, Decimal(hours), utilization)
        return own if group is None else replace(own, group=group.group, attributed=group.attributed)

    def judged(
        self, check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal
    ) -> Finding | NotRecommended:
        """Return the verdict, with the check's defaults where no parameter is given."""
        given = {**{spec.name: spec.default for spec in check.parameters}, **parameters}
        return check.evaluate(self.facts(resource, utilization), given)

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
            answers=self.answers,
        )

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
    """A PageReader of canned answers, which notes what it was asked.

    Attributes:
        answers: operation → pages, a function of the parameters that returns them, or an error to raise; an answer for
            one resource stands under the operation and its name (`ListTags NAME`).
    """

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
        for page in self._pages(operation, parameters):
            if isinstance(page, Exception):
                raise page
            yield page

    def _pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterable[Mapping[str, Any] | Exception]:
        names = (f"{operation} {value}" for value in parameters.values() if isinstance(value, str))
        answer = self.answers[next((name for name in names if name in self.answers), operation)]
        found = answer(parameters) if callable(answer) else answer
        return (found,) if isinstance(found, Exception) else found
