"""Database instances and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from tests.support.facts import NOW

from finops.domain.canonical import Json
from finops.domain.price import Cost
from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops_operator.plugins.check import Check, Facts, JudgeSettings
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import PriceLookup
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of
from finops_operator.services.rds.instance import KIND

ARN: Final = "arn:aws:rds:us-east-1:111122223333:db:orders"


def database(state: str = "available", region: str = "us-east-1", /, **attributes: Json) -> Resource:
    """Return a db.m5.large with MySQL and 100 GiB of gp2 in one zone, that nothing depends on, changed as asked."""
    facts: dict[str, Json] = {
        "engine": "mysql",
        "engine_version": "8.0.36",
        "db_instance_class": "db.m5.large",
        "license_model": "general-public-license",
        "multi_az": False,
        "db_cluster_id": "",
        "read_replicas": [],
        "replicates_from": "",
        "allocated_storage_gb": 100,
        "storage_type": "gp2",
        "automatic_restart": "",
        "publicly_accessible": False,
    }
    return Resource(
        kind="rds-instance",
        id="orders",
        arn=ARN,
        name="orders",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=365),
        attributes={name: value for name, value in {**facts, **attributes}.items() if value is not None},
    )


def cost(resource: Resource, *, lookup: PriceLookup = SOURCE.lookup, hours: int = 730) -> Cost:
    """Return what it costs at bundled prices."""
    return cost_of(resource, KIND.billed_parts, lookup, Decimal(hours))


def judged(
    check: Check[Any],
    resource: Resource,
    utilization: Utilization | None = None,
    *,
    lookup: PriceLookup = SOURCE.lookup,
    **parameters: Decimal,
) -> Finding | NotRecommended:
    """Return the check's verdict, with its defaults where no parameter is given."""
    facts = Facts(
        resource=resource,
        own=facts_of(KIND.facts, resource),
        utilization=utilization or Utilization(resource.id),
        cost=cost(resource, lookup=lookup),
        cost_of=lambda changed: cost(changed, lookup=lookup),
        lookup=lookup,
        settings=JudgeSettings(),
        now=NOW,
    )
    return check.evaluate(facts, {**{spec.name: spec.default for spec in check.parameters}, **parameters})


def found(
    check: Check[Any],
    resource: Resource,
    utilization: Utilization | None = None,
    *,
    lookup: PriceLookup = SOURCE.lookup,
    **parameters: Decimal,
) -> Finding:
    """Return the finding; a verdict against one fails the test."""
    verdict = judged(check, resource, utilization, lookup=lookup, **parameters)
    assert isinstance(verdict, Finding), verdict
    return verdict


def reason(check: Check[Any], resource: Resource, utilization: Utilization | None = None, **parameters: Decimal) -> str:
    """Return why there is no finding; a finding fails the test."""
    verdict = judged(check, resource, utilization, lookup=SOURCE.lookup, **parameters)
    assert isinstance(verdict, NotRecommended), verdict
    return verdict.reason
