"""GET /api/optimizations and /api/recommendations/{id}: what the scans recommend."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from finops.domain.recommendation import Recommendation
from finops.store.recommendations import recommendation_to_json
from finops_web.answers import Cursor, Limit, NotThere, page_of, success
from finops_web.context import Asked, Visit
from finops_web.narrowing import Narrowed
from finops_web.readings.policies import trust_in
from finops_web.readings.recommendations import recommendation, recommendations_of

ROUTER = APIRouter(tags=["recommendations"])


@ROUTER.get("/api/optimizations")
def optimizations(
    asked: Visit,
    wanted: Narrowed,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> dict[str, Any]:
    """List recommendations: actionable first, then by saving."""
    found = wanted.apply(recommendations_of(asked.parts.store, asked.policies()))
    page = page_of(found, lambda one: f"{one.policy} {one.id}", cursor, limit)
    return _success(asked, [recommendation_to_json(one) for one in page.rows], page.next_page)


@ROUTER.get("/api/recommendations/{identifier}")
def one_recommendation(
    asked: Visit, identifier: Annotated[str, Path(max_length=64, description="Id of the recommendation.")]
) -> dict[str, Any]:
    """Return one recommendation with its evidence and its alternatives."""
    return _success(asked, recommendation_to_json(found_or_refused(asked, identifier)), None)


def found_or_refused(asked: Asked, identifier: str) -> Recommendation:
    """Return the recommendation of that id. Raises NotThere, StoreUnavailable."""
    found = recommendation(asked.parts.store, asked.policies(), identifier)
    if found is None:
        raise NotThere(
            f"there is no recommendation {identifier[:64]}",
            code="NotFound",
            hint="a later scan may have replaced it; open the list again",
        )
    return found


def _success(asked: Asked, data: Any, next_page: str | None) -> dict[str, Any]:
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now())
    return success(data, as_of=trust.oldest, gaps=trust.gaps, next_page=next_page)
