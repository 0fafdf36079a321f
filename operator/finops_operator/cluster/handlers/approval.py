"""Events of Approval objects."""

from __future__ import annotations

from typing import Any

import kopf

from finops.crds.approval import Approval
from finops.crds.crd import GROUP, VERSION
from finops_operator.cluster.cache import ClusterCache


def register(registry: kopf.OperatorRegistry, cache: ClusterCache) -> None:
    """Hand every event of the kind to the cache."""

    @kopf.on.event(GROUP, VERSION, Approval.crd.plural, registry=registry)
    async def saw(event: kopf.RawEvent, **_: Any) -> None:
        type_ = event["type"]
        cache.approvals.saw(event["object"], deleted=type_ == "DELETED", listed=type_ is None)
