"""A deletion that is one call: what every action that only deletes its resource has in common.

Nothing is changed before the call, so there is nothing to lead back; after it nothing could be. An action that uses it
declares how its resource is read, what speaks against the deletion, and its words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from finops.domain.execution import Observation, Procedure, Rule, StepRules
from finops.domain.plan import Plan
from finops.domain.resource import Resource
from finops_operator.plugins.action import OwnerChange, Parameters
from finops_operator.plugins.ownership import Owner

_OUT_OF_TEMPLATE: Final = "Remove the resource from the template."


def is_gone(_plan: Plan, now: Observation) -> bool:
    """Return whether the resource does not exist any more."""
    return not now.exists


def is_as_approved(plan: Plan, now: Observation) -> bool:
    """Return whether the resource is there as it was when people decided."""
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint)


def _no_reason(_plan: Plan, _now: Observation, _step: str, _code: str) -> str:
    return ""


def one_call(
    step: StepRules,
    found: Callable[[Plan, Observation], str],
    *,
    name: str = "delete",
    gone: Rule = is_gone,
    gone_seconds: float | None = None,
    refused: Callable[[Plan, Observation, str, str], str] = _no_reason,
) -> Procedure:
    """Return how a deletion is judged whose only call is the deletion itself.

    Args:
        step: how the call is judged; it destroys.
        found: what is there at the end, in a sentence.
        name: id of the step.
        gone: whether the deletion is complete.
        gone_seconds: how long that may take before a person is called; None: as long as any end state.
        refused: AWS's code for a refusal, in a sentence; empty where the code says it all.
    """
    procedure = Procedure(
        steps={name: step},
        compensation=lambda _: (),
        restored=lambda _plan, _now: True,
        verified=gone,
        found=found,
        refused=refused,
    )
    return procedure if gone_seconds is None else replace(procedure, verify_seconds=gone_seconds)


def removed_at_owner(terraform: str, *, in_cloudformation: bool = True) -> OwnerChange:
    """Return the same deletion where a template owns the resource.

    Args:
        terraform: its type in Terraform (`aws_eip`).
        in_cloudformation: whether CloudFormation has such a type at all.
    """

    def patch(owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
        if owner.system == "CloudFormation":
            return _OUT_OF_TEMPLATE if in_cloudformation else ""
        return f"Remove the {terraform} block." if owner.system == "Terraform" else ""

    return OwnerChange(patch=patch)
