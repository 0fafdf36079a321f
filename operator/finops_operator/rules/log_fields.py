"""What every log line about a request carries, so that one search finds its way from proposal to end; pure.

Called where a proposal, a vote, a decision, a step and an end are logged.
"""

from __future__ import annotations

from finops.crds.action_request import ActionRequest
from finops.ports.act import ActRequest
from finops_operator.rules.votes import request_reference


def request_fields(request: ActionRequest) -> dict[str, str]:
    """Return request (as the ledger names it), namespace, policy, account (12 digits), resource (id) and action."""
    return {
        "request": request_reference(request),
        "namespace": request.metadata.namespace or "",
        "policy": request.spec.policy,
        "account": request.spec.resource.account_id,
        "resource": request.spec.resource.id,
        "action": request.spec.action,
    }


def act_fields(request: ActRequest) -> dict[str, str]:
    """Return the same of a request as the executor has it."""
    return {
        "request": request.ledger_name,
        "namespace": request.tenant.namespace,
        "policy": request.tenant.policy,
        "account": request.plan.resource.account,
        "resource": request.plan.resource.id,
        "action": request.plan.action,
    }
