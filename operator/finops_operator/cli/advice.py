"""What is recommended for each resource, for lists of resources that are narrowed by it; called by `resources`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from finops.domain.recommendation import Recommendation
from finops.store.recommendations import RecommendationStore


@dataclass(frozen=True, slots=True)
class Advice:
    """The checks that found something at one resource, and the saving that counts."""

    checks: frozenset[str] = frozenset()
    savings: Decimal | None = None


def advice_by_arn(store: RecommendationStore, policies: Iterable[tuple[str, str]]) -> Mapping[str, Advice]:
    """Return ARN → advice of the last scans."""
    found: dict[str, Advice] = {}
    for policy in policies:
        for one in store.stream(policy):
            found[one.resource.arn] = _with(found.get(one.resource.arn, Advice()), one)
    return found


def _with(advice: Advice, one: Recommendation) -> Advice:
    known = [saving for saving in (advice.savings, one.monthly_savings if one.counted else None) if saving is not None]
    return Advice(advice.checks | {one.check}, max(known, default=None))
