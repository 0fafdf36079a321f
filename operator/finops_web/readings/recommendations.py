"""The recommendations of the last scans, in the order in which a person decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal

from finops.domain.recommendation import Recommendation, Status
from finops.domain.report import Savings
from finops.store.connection import Store
from finops.store.recommendations import RecommendationStore
from finops_web.readings.policies import ScannedPolicy

ORDER = (Status.ACTIONABLE, Status.ADVICE, Status.BLOCKED)


def recommendations_of(store: Store, policies: Collection[ScannedPolicy]) -> tuple[Recommendation, ...]:
    """Return what the scans recommend: actionable first, then by saving; alternatives after what counts.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    stored = RecommendationStore(store)
    found = (item for one in policies for item in stored.stream(one.key, one.head.generation))
    return tuple(sorted(found, key=_order))


def recommendation(store: Store, policies: Collection[ScannedPolicy], identifier: str) -> Recommendation | None:
    """Return one recommendation by its id, None when none of `policies` has it. Raises StoreUnavailable."""
    stored = RecommendationStore(store)
    return next((found for one in policies if (found := stored.get(one.key, identifier)) is not None), None)


def counted(items: Iterable[Recommendation]) -> tuple[Recommendation, ...]:
    """Return those that count; the rest are alternatives to them."""
    return tuple(one for one in items if one.counted)


def added(items: Iterable[Recommendation]) -> Savings:
    """Return what recommendations that count save, apart by status, as a scan adds them."""
    found = Savings()
    for one in items:
        found = found.plus(one.status, one.monthly_savings, once=bool(one.lasts_days))
    return found


def change_of(one: Recommendation) -> str:
    """Return what would change in a few words: `Resize api to m5.xlarge`, `Stop batch`; for advice its first sentence.

    The verb is the last word of the action's id, as in every listing.
    """
    if not one.action:
        return one.summary
    verb = one.action.rpartition("_")[2].capitalize()
    aim = one.target or next((value for value in one.parameters.values() if isinstance(value, str)), "")
    return f"{verb} {one.resource.name or one.resource.id}{f' to {aim}' if aim else ''}"


def _order(one: Recommendation) -> tuple[int, bool, bool, Decimal, str]:
    saving = one.monthly_savings
    return (ORDER.index(one.status), not one.counted, saving is None, -(saving or Decimal(0)), one.id)
