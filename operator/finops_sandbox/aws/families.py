"""The families of resources that the double holds itself, put together: seeding them and answering their calls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from finops_sandbox.aws import accelerators, balancers, caches, node_groups, scaling_groups, search_domains
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_fields import EstateError
from finops_sandbox.aws.held import Family, HeldCall, settle
from finops_sandbox.aws.live_estate import LiveEstate

_FAMILIES: tuple[Family, ...] = (
    accelerators.FAMILY,
    balancers.FAMILY,
    caches.FAMILY,
    node_groups.FAMILY,
    scaling_groups.FAMILY,
    search_domains.FAMILY,
)


def seed(estate: LiveEstate, place: Place, created: datetime) -> None:
    """Hold what a place of the estate says. Raises EstateError: no family has the kind."""
    for one in place.held:
        family = next((found for found in _FAMILIES if one.kind in found.kinds), None)
        if family is None:
            raise EstateError(f"{place.account}/{place.region}: the double holds no {one.kind}")
        resource = family.kinds[one.kind](place.account, place.region, one, created)
        where = (place.account, place.region)
        estate.further.held.setdefault(where, {})[one.kind, one.name] = resource
        estate.further.held_ever.setdefault(where, set()).add(one.kind)


def serves(estate: LiveEstate, call: Call, operation: str) -> bool:
    """Whether the estate holds resources of the family whose operation it is, or held some, at the call's place."""
    kinds = estate.further.held_ever.get((call.account, call.region), set())
    return any(operation in family.handlers and kinds & family.kinds.keys() for family in _FAMILIES)


def answer(call: Call, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the answer. Raises AwsError."""
    estate = call.estate
    resources = estate.further.held[call.account, call.region]
    settle(resources, estate.clock.now())
    model, _, action = operation.partition(":")
    handler = next(family.handlers[operation] for family in _FAMILIES if operation in family.handlers)
    seconds = estate.delays.held_seconds
    return handler(HeldCall(call.account, call.region, model, action, parameters, estate.clock, resources, seconds))
