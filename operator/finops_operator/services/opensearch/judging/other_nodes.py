"""Advice to put a domain's data nodes on another type of the same size. Pure; shared by the checks of types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from finops.domain.recommendation import EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Facts
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.other_type import OtherType, cheapest, finding, in_families
from finops_operator.services.opensearch.domain import DomainFacts, hour_query
from finops_operator.services.opensearch.judging.judged import not_judged
from finops_operator.services.opensearch.rules.instance_types import too_old


@dataclass(frozen=True, slots=True)
class OtherNodes:
    """One change of types.

    Attributes:
        families: family now → families to take instead.
        needed: the first version of Elasticsearch that runs there.
        at_par: whether a type at the same price is an answer.
        not_concerned: type → why a type of another family is left alone.
        summary: why the target is better, in one sentence.
    """

    families: Mapping[str, tuple[str, ...]]
    needed: tuple[int, ...]
    at_par: bool
    not_concerned: Callable[[str], str]
    summary: Callable[[OtherType], str]

    def verdict(self, check: str, facts: Facts[DomainFacts]) -> Finding | NotRecommended:
        """Return the cheapest type to take instead, or why there is none; `check` is the id of the check."""
        own, region = facts.own, facts.resource.region
        name = own.instance_type or ""
        reason = not_judged(facts) or self._spared(own)
        if reason:
            return NotRecommended(check, facts.resource.id, reason)
        targets = in_families(name, self.families)
        change = cheapest(facts, name, targets, lambda one: hour_query(region, one), at_par=self.at_par)
        if isinstance(change, str):
            return NotRecommended(check, facts.resource.id, change)
        changed = with_facts(facts.resource, replace(own, instance_type=change.target))
        return finding(
            check,
            change,
            facts.cost_of(changed).unrounded_monthly,
            self.summary(change),
            EvidenceFact("Data nodes", f"{own.data_nodes}, changed with a second set of nodes beside them"),
            EvidenceFact("Before the change", "see whether AWS offers the type in the region, and run its dry run"),
        )

    def _spared(self, own: DomainFacts) -> str:
        if own.instance_type is None:
            return "its instance type is not known"
        if own.instance_type.split(".")[0] not in self.families:
            return self.not_concerned(own.instance_type)
        return too_old(own.engine_version or "", self.needed)
