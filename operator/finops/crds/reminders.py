"""When people are reminded of a request that waits for votes, and whom the reminder mentions later.

Used by ScanPolicy (what people write) and ActionRequest (the terms as they stood when the act was proposed). A mention
gives nobody a vote: who may vote is in approvers.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from finops.crds.durations import Duration, duration_rule
from finops.crds.part import Part
from finops.crds.rule import Distinct, Rule
from finops.crds.values import SlackUser, SlackUserGroup

_Wait = Annotated[Duration, duration_rule("720h")]


class Mentioned(Part):
    """One person or group in Slack; exactly one of its fields is set."""

    slack_user: SlackUser | None = Field(default=None, description="A person in Slack, by member id. Default: absent.")
    slack_user_group: SlackUserGroup | None = Field(
        default=None, description="A Slack user group, by its id. Default: absent."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.slackUser) != has(self.slackUserGroup)",
            "does not name exactly one person or group",
            "set one of slackUser and slackUserGroup, and one entry each",
            lambda one: len(one.model_dump(exclude_none=True)) == 1,
        ),
    )


class Escalation(Part):
    """Whom a reminder mentions after a while."""

    after: _Wait = Field(
        description="How long the request has waited by then, hours and minutes, less than expiresAfter. No default."
    )
    to: Mentioned = Field(description="Whom the message mentions. It gives nobody a vote.")


RemindAfter = Annotated[tuple[_Wait, ...], Field(max_length=5), Distinct()]
"""At most five waits, counted from when the request was made."""

Escalations = Annotated[tuple[Escalation, ...], Field(max_length=5)]
"""At most five; entries with the same wait share one message."""
