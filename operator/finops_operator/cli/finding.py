"""Finds the ActionRequest that a person means by its name, its resource's id or a short id; used by every vote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL
from finops.domain.recommendation import recommendation_id
from finops.errors import InvalidInput
from finops.k8s.kinds import action_requests
from finops_operator.cli.cluster_access import Cluster
from finops_operator.cli.listings import SHORT_ID

_SHORTEST: Final = 4
"""Characters of an id below which it is more likely a slip."""


def advice_id(request: ActionRequest) -> str:
    """Return the id of the recommendation that a request was made of; `finops recommendations` shows the same."""
    spec = request.spec
    policy = f"{request.metadata.namespace or 'default'}/{spec.policy}"
    return recommendation_id(policy, spec.evidence.check, spec.resource.arn, spec.action, dict(spec.parameters))


def is_open(request: ActionRequest) -> bool:
    """Return whether a request has not ended."""
    return request.status.state not in TERMINAL


def find_request(
    cluster: Cluster, wanted: str, *, preferred: Callable[[ActionRequest], bool] = is_open
) -> ActionRequest:
    """Return the one request of the namespace that `wanted` names; those that are `preferred` before all others.

    Raises:
        InvalidInput: there is none, or there are several.
    """
    api = action_requests(cluster.connection)
    exact = api.get(cluster.namespace, wanted) if _may_be_name(wanted) else None
    if exact is not None:
        return exact
    listed = list(api.list(cluster.namespace))
    found = [one for one in listed if _is_meant(one, wanted)]
    candidates = [one for one in found if preferred(one)] or found
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise _ambiguous(wanted, candidates)
    raise _unknown(wanted, cluster.namespace, [one for one in listed if one.spec.resource.name == wanted])


def _may_be_name(wanted: str) -> bool:
    # An ARN or any other id of AWS's is no part of a URL of ours.
    return bool(wanted) and all(sign.isalnum() or sign in "-." for sign in wanted)


def _is_meant(request: ActionRequest, wanted: str) -> bool:
    resource = request.spec.resource
    if wanted in {resource.id, resource.arn}:
        return True
    return len(wanted) >= _SHORTEST and (
        advice_id(request).startswith(wanted) or (request.metadata.uid or "").startswith(wanted)
    )


def _ambiguous(wanted: str, found: Sequence[ActionRequest]) -> InvalidInput:
    return InvalidInput(f"{wanted} names {len(found)} requests", field="REQUEST", hint=f"write one of {_names(found)}")


def _names(found: Iterable[ActionRequest]) -> str:
    return ", ".join(sorted(one.metadata.name for one in found))


def _unknown(wanted: str, namespace: str, namesakes: Sequence[ActionRequest]) -> InvalidInput:
    """Return the error, with the ids of requests for resources of that name.

    Whoever may tag a resource chooses its name, so a name alone never stands for a request.
    """
    ids = ", ".join(sorted(advice_id(one)[:SHORT_ID] for one in namesakes))
    return InvalidInput(
        f"there is no ActionRequest {wanted} in namespace {namespace}, nor one for a resource with that id",
        field="REQUEST",
        hint=f"the ID of what is named so: {ids}"
        if ids
        else "`finops requests -A` lists them; name another namespace with -n",
    )
