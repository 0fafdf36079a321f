"""A check that a policy brings itself: a condition in CEL on one kind of resource. Part of ScanPolicy.

The schema bounds its texts. What the condition may name depends on the kind, which the release knows and the schema
does not, so the operator and `finops policy validate` judge it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from finops.crds.part import Part
from finops.crds.rule import pattern_rule
from finops.crds.values import ActionId, CheckId, KindId

MOST_CUSTOM_CHECKS = 50
LONGEST_CONDITION = 1000


class Severity(StrEnum):
    """How much it matters, in the policy's own judgement."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


class CustomCheck(Part):
    """One rule of one's own."""

    id: CheckId = Field(description="Its id in findings, listings and reports; not one of the release's checks.")
    kind: KindId = Field(description="The kind of resource it judges.")
    when: Annotated[str, Field(min_length=1, max_length=LONGEST_CONDITION)] = Field(
        description="CEL expression, 1 to 1000 characters, that is true for what shall be found. It may name resource, "
        "attributes, utilization, cost, tags and now; nothing is found where one of them is unknown."
    )
    message: Annotated[
        str,
        Field(min_length=1, max_length=300),
        pattern_rule(
            r"[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*",
            "is not one line of text",
            "write one sentence without line breaks",
        ),
    ] = Field(description="What is wrong, in one sentence for people; 1 to 300 characters.")
    severity: Severity = Field(
        default=Severity.MEDIUM, description="Low, Medium or High; shown with the finding. Default: Medium."
    )
    action: ActionId | None = Field(
        default=None,
        description="Id of the action it recommends, one that the kind has and actions.allowed lists. "
        "Default: absent, advice only.",
    )
