"""Endpoints and notebooks, and what was measured of them, for the tests of the kinds and their checks."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.sagemaker import endpoint as endpoint_kind
from finops_operator.services.sagemaker import notebook as notebook_kind

ENDPOINTS: Final = Bench(endpoint_kind.KIND)
NOTEBOOKS: Final = Bench(notebook_kind.KIND)
_HOURS: Final = {"endpoint_hour": "0.115", "async_endpoint_hour": "0.120", "notebook_hour": "0.05"}


def listed(query: PriceQuery) -> Price | None:
    """Return figures like those of AWS's price list."""
    on = date(2026, 11, 29)
    if query.dimension == "notebook_gb_month":
        return Price(Decimal("0.14"), "gb-month", "price-list", on, sku="D1")
    amount = _HOURS.get(query.dimension)
    return None if amount is None else Price(Decimal(amount), "hour", "price-list", on, sku="H1")


_PREFIX: Final = "arn:aws:sagemaker:us-east-1:111122223333"


def endpoint(state: str = "inservice", days: float = 365, /, **attributes: Json) -> Resource:
    """Return an endpoint of one variant on two machines, changed as asked."""
    facts: dict[str, Json] = {
        "variants": ["main"],
        "instances": 2,
        "instance_types": ["ml.m5.large"],
        "instances_of_types": [2],
        "serverless": False,
        "asynchronous": False,
        "tags_known": True,
        **attributes,
    }
    return _resource("sagemaker-endpoint", f"{_PREFIX}:endpoint/prices", state, days, facts)


def notebook(state: str = "inservice", changed_days: float = 10, /, **attributes: Json) -> Resource:
    """Return a notebook that was started some days ago, changed as asked."""
    facts: dict[str, Json] = {
        "instance_type": "ml.t3.medium",
        "volume_gb": 5,
        "notebook_changed_at": (NOW - timedelta(days=changed_days)).isoformat(),
        "lifecycle_configuration": "",
        "tags_known": True,
        **attributes,
    }
    return _resource("sagemaker-notebook", f"{_PREFIX}:notebook-instance/prices", state, 365, facts)


def _resource(kind: str, arn: str, state: str, days: float, facts: dict[str, Json]) -> Resource:
    return Resource(
        kind=kind,
        id="prices",
        arn=arn,
        name="prices",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(requests: MetricSummary | None = None) -> Utilization:
    """Return two weeks without a request, or with those given."""
    return Utilization("prices", metrics={"invocations": requests or flat(0)})
