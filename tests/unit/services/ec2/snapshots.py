"""Snapshots and images as the tests of their checks judge them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ec2 import ami, ebs_snapshot

SNAPSHOTS: Final = Bench(ebs_snapshot.KIND)
IMAGES: Final = Bench(ami.KIND)
GIB: Final = 2**30


def snapshot(
    state: str = "completed", age: float = 400, tags: Mapping[str, str] | None = None, **attributes: Json
) -> Resource:
    """Return a snapshot that nothing holds, of a volume that exists and has a newer one."""
    facts: dict[str, Json] = {
        "volume_id": "vol-0a",
        "volume_exists": True,
        "newer_exists": True,
        "volume_size_gb": 100,
        "full_bytes": 40 * GIB,
        "tier": "standard",
        "image_id": "",
        "used_by_image": False,
        "locked": False,
        "fast_restore_zones": 0,
        "shared": False,
    }
    return _resource("ebs-snapshot", "snap-0a", state, age, tags, {**facts, **attributes})


def image(
    state: str = "available", age: float = 400, tags: Mapping[str, str] | None = None, **attributes: Json
) -> Resource:
    """Return an image that nothing names and nobody ever launched."""
    facts: dict[str, Json] = {
        "last_launched": "",
        "protected": False,
        "public": False,
        "shared": False,
        "image_users": [],
        "snapshot_ids": ["snap-0a", "snap-0b"],
        "snapshot_gb": 120,
    }
    return _resource("ami", "ami-0a", state, age, tags, {**facts, **attributes})


def _resource(
    kind: str, identity: str, state: str, age: float, tags: Mapping[str, str] | None, attributes: Mapping[str, Json]
) -> Resource:
    return Resource(
        kind,
        identity,
        "arn",
        "",
        "111122223333",
        "us-east-1",
        state,
        tags=tags or {},
        created=NOW - timedelta(days=age),
        attributes=attributes,
    )
