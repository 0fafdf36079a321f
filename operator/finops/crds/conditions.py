"""Kubernetes conditions: what is true of an object, since when, and why.

Read by kubectl wait, Flux and Argo CD (kstatus); written by the operator through `with_condition`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from finops.crds.part import Part
from finops.crds.rule import pattern_rule
from finops.crds.values import Time

ACTS_PAUSED = "ActsPaused"
"""Type of the condition of policies and requests that says whether acts wait because one of their kind failed."""
PAUSE_REASONS = {True: "ActFailed", False: "NonePaused"}
"""Reason of `ActsPaused` by its status."""
SCAN_PODS_POSSIBLE = "ScanPodsPossible"
"""Type, and reason while it is True, of the condition of policies whose scans ask for pods."""
SCAN_PODS_UNBOUNDED = "ScanPodsUnbounded"
"""Its reason while it is False, and the code with which a scan is refused."""
SCAN_PODS_FIX = "Install the chart again, or helm upgrade: it brings the admission policy back"
"""What to do then."""
_TYPE = pattern_rule("[A-Za-z][A-Za-z0-9]{0,62}", "is not a condition type", "write one CamelCase word")
_REASON = pattern_rule("[A-Za-z][A-Za-z0-9_]{0,127}", "is not a reason", "write one CamelCase word")


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Part):
    """One aspect of an object's state, in the form of metav1.Condition."""

    type: Annotated[str, Field(max_length=63), _TYPE] = Field(
        description="What the condition is about, one CamelCase word."
    )
    status: ConditionStatus = Field(description="Whether it holds: True, False or Unknown.")
    reason: Annotated[str, Field(max_length=128), _REASON] = Field(description="Why, in one CamelCase word.")
    message: str = Field(default="", max_length=4096, description="Why, in a sentence for people. Default: empty.")
    last_transition_time: Time = Field(description="When the status last changed.")
    observed_generation: int | None = Field(
        default=None, ge=0, le=2**53, description="The generation of the spec this was judged on."
    )


Conditions = Annotated[
    tuple[Condition, ...],
    Field(
        max_length=16,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
    ),
]
"""At most 16 conditions, one per type."""


def find_condition(conditions: Sequence[Condition], type_: str) -> Condition | None:
    """The condition of a type, or None."""
    return next((condition for condition in conditions if condition.type == type_), None)


def is_true(conditions: Sequence[Condition], type_: str) -> bool:
    """Return whether the condition of this type is there and says True."""
    found = find_condition(conditions, type_)
    return found is not None and found.status is ConditionStatus.TRUE


def with_condition(
    conditions: Sequence[Condition],
    type_: str,
    status: bool | ConditionStatus,
    reason: str,
    message: str,
    *,
    now: datetime,
    observed_generation: int | None = None,
) -> tuple[Condition, ...]:
    """The conditions with one set or replaced in its place.

    The transition time stays as it was while the status does, as Kubernetes demands; `now` must carry a zone.
    """
    if isinstance(status, bool):
        status = ConditionStatus.TRUE if status else ConditionStatus.FALSE
    old = find_condition(conditions, type_)
    since = old.last_transition_time if old is not None and old.status == status else now.replace(microsecond=0)
    new = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=observed_generation,
    )
    if old is None:
        return (*conditions, new)
    return tuple(new if condition.type == type_ else condition for condition in conditions)
