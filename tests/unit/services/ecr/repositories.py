"""Repositories, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ecr.repository import KIND

REPOSITORIES: Final = Bench(KIND)
ARN: Final = "arn:aws:ecr:us-east-1:111122223333:repository/shop/web"
GIB: Final = 2**30


def ago(days: float) -> str:
    """Return a time as ECR's facts have it."""
    return (NOW - timedelta(days=days)).isoformat()


def repository(days: float = 365, /, **attributes: Json) -> Resource:
    """Return a repository of 40 images, 12 of them without a tag, that was not used for 120 days, changed as asked."""
    facts: dict[str, Json] = {
        "images": 40,
        "image_bytes": 20 * GIB,
        "untagged_images": 12,
        "untagged_bytes": 6 * GIB,
        "oldest_untagged": ago(200),
        "multi_platform_images": 0,
        "pushed_last": ago(150),
        "pulled_last": ago(120),
        "lifecycle_policy": False,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="ecr-repository",
        id="shop/web",
        arn=ARN,
        name="shop/web",
        account="111122223333",
        region="us-east-1",
        state="active",
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )
