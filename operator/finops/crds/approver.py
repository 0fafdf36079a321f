"""Who may vote: the entry that policies and requests name approvers by.

Used by ScanPolicy (what people write) and ActionRequest (the terms as they stood when the act was proposed).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from finops.crds.part import Part
from finops.crds.rule import Rule
from finops.crds.values import SlackUser, SlackUserGroup

KubernetesName = Annotated[str, Field(min_length=1, max_length=256)]


class RequireReason(StrEnum):
    """Which votes must say why."""

    NEVER = "Never"
    DENY = "Deny"
    ALWAYS = "Always"


class Approver(Part):
    """One person or group that may vote; exactly one of its fields is set."""

    slack_user: SlackUser | None = Field(default=None, description="A person in Slack, by member id.")
    slack_user_group: SlackUserGroup | None = Field(
        default=None, description="The members of a Slack user group, by its id, read fresh when a vote counts."
    )
    kubernetes_user: KubernetesName | None = Field(
        default=None, description="A user of this cluster, by the name the API server authenticates."
    )
    kubernetes_group: KubernetesName | None = Field(
        default=None, description="The members of a group of this cluster, as the API server saw them at the vote."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.slackUser), has(self.slackUserGroup), has(self.kubernetesUser), has(self.kubernetesGroup)]"
            ".filter(given, given).size() == 1",
            "does not name exactly one approver",
            "set one of slackUser, slackUserGroup, kubernetesUser, kubernetesGroup, and one entry per approver",
            lambda approver: len(approver.model_dump(exclude_none=True)) == 1,
        ),
    )

    @property
    def is_group(self) -> bool:
        """Whether the entry stands for several people."""
        return self.slack_user_group is not None or self.kubernetes_group is not None

    def __str__(self) -> str:
        """The entry as people write it, `slackUserGroup S0123`."""
        ((field, value),) = self.model_dump(by_alias=True, exclude_none=True).items()
        return f"{field} {value}"


Approvers = Annotated[tuple[Approver, ...], Field(max_length=50)]
"""At most 50 entries; a group is one entry."""
