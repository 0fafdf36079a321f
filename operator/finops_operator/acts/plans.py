"""The plan of an act, made anew from what identifies it; a plan that was stored is never carried out.

The store, the ledger and the object may each hold a plan that somebody wrote. What is executed is what the action's own
code makes of resource, parameters and fingerprint, and only when its hash is the one that people approved. When this
version makes another plan than the one under which an act began, nothing of the old plan is called any more: it only
says where the act began, so that the rollback leads there.
"""

from __future__ import annotations

from dataclasses import replace

from finops.domain.plan import Plan
from finops.errors import InvalidInput, Refused
from finops.ports.act import ActRequest
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import journal_of
from finops_operator.plugins.action import Action
from finops_operator.rules.standing import allowed_by


def rebuilt_plan(action: Action, request: ActRequest) -> Plan:
    """Return the plan that was approved, as the action makes it.

    Raises:
        Refused (PlanMismatch): the action makes another one.
    """
    stored = request.plan
    try:
        assumed = {key: str(value) for key, value in stored.fingerprint.items()}
        plan = action.plan(stored.resource, stored.parameters, assumed)
    except (InvalidInput, KeyError) as error:
        # A version that plans by facts or parameters which an older request lacks.
        raise Refused(f"the plan cannot be made again: {error}", code="PlanMismatch") from error
    if plan.hash != request.plan_hash:
        raise Refused("the plan is not the one that was approved", code="PlanMismatch")
    return plan


def with_plan(action: Action, request: ActRequest, ledger: Ledger) -> ActRequest:
    """Return the request with the plan to carry out, or as one that may only be led back.

    Args:
        action: as this version has it.
        request: as it was approved.
        ledger: asked only when the action makes another plan.

    Raises:
        Refused (PlanMismatch): it does, and nothing was called under the plan that was approved.
        LedgerUnavailable, LedgerDiverged: it does, and whether anything was called is not known.
    """
    try:
        return replace(request, plan=rebuilt_plan(action, request))
    except Refused:
        records = ledger.of_request(request.uid)
        approved = request.plan.hash == request.plan_hash and allowed_by(records, request.plan_hash)
        if not approved or not journal_of(records).entries:
            raise
    why = f"This version of the operator plans {action.id} differently, so the act does not go on."
    return replace(request, only_back=why)


def check_plan(action: Action, request: ActRequest) -> None:
    """Refuse a plan that is not the approved one: of an act that may only be led back, by its own hash.

    Raises:
        Refused (PlanMismatch): it is another one.
    """
    if not request.only_back:
        rebuilt_plan(action, request)
    elif request.plan.hash != request.plan_hash:
        raise Refused("the plan is not the one that was approved", code="PlanMismatch")
