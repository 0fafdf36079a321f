"""Events of ActionRequest objects."""

from __future__ import annotations

from typing import Any

import kopf

from finops.crds.action_request import ActionRequest
from finops.crds.crd import GROUP, VERSION
from finops_operator.cluster.cache import World


def register(registry: kopf.OperatorRegistry, world: World) -> None:
    """Hand every event of the kind to the world."""

    @kopf.on.event(GROUP, VERSION, ActionRequest.crd.plural, registry=registry)
    async def saw(event: kopf.RawEvent, **_: Any) -> None:
        type_ = event["type"]
        world.requests.saw(event["object"], deleted=type_ == "DELETED", listed=type_ is None)
