"""GET /api/dashboard: the dashboard's figures in the API's envelope."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from finops_web.answers import success
from finops_web.context import Visit
from finops_web.pages.dashboard import dashboard_json
from finops_web.readings.policies import trust_in

ROUTER = APIRouter(tags=["dashboard"])


@ROUTER.get("/api/dashboard")
def dashboard(asked: Visit) -> dict[str, Any]:
    """Return cost, savings and forecast as the dashboard shows them."""
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now())
    return success(dashboard_json(asked), as_of=trust.oldest, gaps=trust.gaps)
