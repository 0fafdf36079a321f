"""The plan of an act, made anew from what identifies it; a plan that was stored is never carried out.

The store, the ledger and the object may each hold a plan that somebody wrote. What is executed is what the action's own
code makes of resource, parameters and fingerprint, and only when its hash is the one that people approved.
"""

from __future__ import annotations

from finops.domain.plan import Plan
from finops.errors import InvalidInput, Refused
from finops.ports.act import ActRequest
from finops_operator.plugins.action import Action


def rebuilt_plan(action: Action, request: ActRequest) -> Plan:
    """Return the plan that was approved, as the action makes it.

    Raises:
        Refused (PlanMismatch): the action makes another one.
    """
    stored = request.plan
    try:
        assumed = {key: str(value) for key, value in stored.fingerprint.items()}
        plan = action.plan(stored.resource, stored.parameters, assumed)
    except InvalidInput as error:
        raise Refused(f"the plan cannot be made again: {error}", code="PlanMismatch") from error
    if plan.hash != request.plan_hash:
        raise Refused("the plan is not the one that was approved", code="PlanMismatch")
    return plan
