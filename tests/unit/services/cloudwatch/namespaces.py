"""Namespaces of custom metrics, for the tests of the kind and its check."""

from __future__ import annotations

from typing import Final

from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.cloudwatch.namespace import KIND

NAMESPACES: Final = Bench(KIND)


def namespace(name: str = "Shop", /, **attributes: Json) -> Resource:
    """Return a namespace of 3,300 series that are 3 without the dimension of the request, changed as asked."""
    facts: dict[str, Json] = {
        "series": 3_300,
        "metric_names": 3,
        "widest_dimension": "RequestId",
        "widest_values": 1_100,
        "series_without_it": 3,
        **attributes,
    }
    return Resource(
        kind="cloudwatch-namespace",
        id=name,
        arn=f"arn:aws:cloudwatch:us-east-1:111122223333:namespace/{name}",
        name=name,
        account="111122223333",
        region="us-east-1",
        state="active",
        attributes={name: value for name, value in facts.items() if value is not None},
    )
