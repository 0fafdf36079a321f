"""Statements of a step's session policy: its changing calls on its ARNs and nothing else.

Called by the actions. Calls that read are not among them: the executor observes with the scanner role.
"""

from __future__ import annotations

from finops.domain.plan import Plan, PlanStep
from finops_operator.plugins.action import Statement


def actions_of(statement: Statement) -> tuple[str, ...]:
    """Return what a statement allows: IAM takes one action or a list."""
    named = statement["Action"]
    return tuple(str(one) for one in named) if isinstance(named, (list, tuple)) else (str(named),)


def allow(*actions: str, resource: str) -> Statement:
    """Allow `actions` on one ARN."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}


def on_its_arn(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    """Allow a step's call on the plan's resource alone, where IAM names the call as the SDK does."""
    return (allow(step.operation, resource=plan.resource.arn),)
