"""Approval: one person's vote on one ActionRequest, immutable.

People create it with kubectl or `finops approve`, the bot for the person who clicked; the operator answers in its
status. Which source may be written by whom is ruled by the admission policies (admission.py).
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self

from pydantic import Field

from finops.crds.crd import AGE, Column, Crd
from finops.crds.metadata import Metadata, OwnerReference
from finops.crds.naming import approval_name
from finops.crds.part import API_VERSION, Kind, Part
from finops.crds.rule import Distinct, Rule, pattern_rule
from finops.crds.values import SLACK_USER_GROUP_PATTERN, ObjectName, Sentence, Sha256, SlackTeam, SlackUser, Time
from finops.domain.decision import Choice, VoteResult

_EARLIEST = "2026-01-01T00:00:00Z"
_LATEST = "2100-01-01T00:00:00Z"
"""Bounds of every snooze: a year such as 9999 cannot be moved to another zone."""
LONGEST_REASON: Final = 2000
"""Characters of why somebody votes as they do."""
GroupName = Annotated[str, Field(min_length=1, max_length=256)]


class Source(StrEnum):
    """Who vouches for the voter: the API server itself, or the bot for Slack."""

    KUBERNETES = "kubernetes"
    SLACK = "slack"


class RequestReference(Part):
    """The ActionRequest voted on."""

    name: ObjectName = Field(description="Its name, in the same namespace.")
    uid: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="Its metadata.uid.")


class Voter(Part):
    """Who votes, and who vouches for it."""

    source: Source = Field(description="kubernetes: the author of this object votes. slack: the bot vouches.")
    username: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="Source kubernetes: the voter's own user name. "
        "Source slack: the handle shown there, trusted for nothing. Default: absent.",
    )
    groups: Annotated[tuple[GroupName, ...], Field(max_length=100), Distinct()] = Field(
        default=(),
        description="The voter's groups: of this cluster, or Slack user groups read at the click. Default: empty.",
    )
    slack_team: SlackTeam | None = Field(
        default=None, description="The voter's workspace; source slack only. Default: absent."
    )
    slack_user: SlackUser | None = Field(
        default=None, description="The voter's member id; source slack only. Default: absent."
    )
    attested_at: Time | None = Field(
        default=None,
        description="When the bot read the voter and the groups from Slack; source slack only. Default: absent.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.source != 'kubernetes' || has(self.username)",
            "is missing",
            "source kubernetes needs your own user name (kubectl auth whoami)",
            lambda voter: voter.source is not Source.KUBERNETES or voter.username is not None,
            ".username",
        ),
        Rule(
            "self.source != 'kubernetes' || (!has(self.slackTeam) && !has(self.slackUser) && !has(self.attestedAt))",
            "says slackTeam, slackUser or attestedAt for source kubernetes",
            "remove them: they belong to source slack",
            lambda voter: (
                voter.source is not Source.KUBERNETES
                or (voter.slack_team is None and voter.slack_user is None and voter.attested_at is None)
            ),
        ),
        Rule(
            "self.source != 'slack' || (has(self.slackTeam) && has(self.slackUser) && has(self.attestedAt))",
            "lacks slackTeam, slackUser or attestedAt",
            "source slack needs all three",
            lambda voter: (
                voter.source is not Source.SLACK
                or (voter.slack_team is not None and voter.slack_user is not None and voter.attested_at is not None)
            ),
        ),
        Rule(
            "self.source != 'slack' || !has(self.groups) || self.groups.all(group, group.matches('^S[A-Z0-9]{2,22}$'))",
            "has something that is not a Slack user group id",
            "source slack names groups by id, such as S0123",
            lambda voter: voter.source is not Source.SLACK or all(map(_is_slack_group, voter.groups)),
            ".groups",
        ),
    )

    @property
    def person(self) -> str:
        """Who votes, in one text: `kubernetes:alice`, `slack:T0123/U0123`."""
        if self.source is Source.KUBERNETES:
            return f"kubernetes:{self.username}"
        return f"slack:{self.slack_team}/{self.slack_user}"


def _is_slack_group(group: str) -> bool:
    return re.fullmatch(SLACK_USER_GROUP_PATTERN, group) is not None


class ApprovalSpec(Part):
    """One vote."""

    request: RequestReference = Field(description="The ActionRequest voted on.")
    plan_hash: Sha256 = Field(description="The planHash of the plan the voter saw; another one does not count.")
    decision: Choice = Field(
        description="Approve, Deny, Withdraw (of an earlier vote), Snooze (until a date), Resume (paused acts of "
        "this action and policy), Wake (end a snooze) or Undo (of an act that succeeded)."
    )
    reason: (
        Annotated[
            str,
            Field(max_length=LONGEST_REASON),
            pattern_rule("[\\s\\S]*\\S[\\s\\S]*", "is blank", "say why in a few words, or leave the field out"),
        ]
        | None
    ) = Field(default=None, description="Why. Default: absent; the request's terms say when it must be given.")
    until: Time | None = Field(
        default=None,
        description="Decision Snooze only: when to ask again, at most 366 days from now. Default: absent.",
    )
    approver: Voter = Field(description="Who votes, and who vouches for it.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("self == oldSelf", "cannot be changed", "a vote stays as cast: create another one with decision Withdraw"),
        Rule(
            "(self.decision == 'Snooze') == has(self.until)",
            "says Snooze without until, or until without Snooze",
            "a snooze needs the time at which to ask again; other decisions have none",
            lambda vote: (vote.decision is Choice.SNOOZE) == (vote.until is not None),
        ),
        # No clock can be asked here: whether it is in the coming 366 days, the operator says.
        Rule(
            f"!has(self.until) || (self.until > timestamp('{_EARLIEST}') && self.until < timestamp('{_LATEST}'))",
            "is not a date in this century",
            "write a time in the coming 366 days, such as 2026-12-24T08:00:00Z",
            lambda vote: (
                vote.until is None or datetime.fromisoformat(_EARLIEST) < vote.until < datetime.fromisoformat(_LATEST)
            ),
            ".until",
        ),
    )

    @property
    def owner(self) -> OwnerReference:
        """The request, with which the vote goes."""
        return OwnerReference(
            api_version=API_VERSION, kind="ActionRequest", name=self.request.name, uid=self.request.uid
        )


class ApprovalStatus(Part):
    """The operator's answer."""

    result: VoteResult | None = Field(default=None, description="Counted or Refused. Default: absent, no answer yet.")
    reason: (
        Annotated[
            str,
            Field(max_length=128),
            pattern_rule("[A-Za-z][A-Za-z0-9]*", "is not a reason", "write one CamelCase word"),
        ]
        | None
    ) = Field(default=None, description="Why, in one CamelCase word such as NotEligible.")
    message: Sentence | None = Field(default=None, description="Why, in a sentence for the voter.")


class Approval(Kind):
    """One person's vote."""

    spec: ApprovalSpec = Field(description="One vote, immutable.")
    status: ApprovalStatus = Field(default_factory=ApprovalStatus, description="The operator's answer.")

    crd: ClassVar[Crd] = Crd(
        kind="Approval",
        plural="approvals",
        short="apv",
        scope="Namespaced",
        description="One person's vote on an ActionRequest.",
        columns=(
            Column("Request", ".spec.request.name", "The ActionRequest voted on."),
            Column("Decision", ".spec.decision", "What the vote says."),
            Column("Source", ".spec.approver.source", "Who vouches for the voter."),
            Column("Result", ".status.result", "Whether the vote counted."),
            Column("Reason", ".status.reason", "Why it did or did not."),
            AGE,
            Column("User", ".spec.approver.username", "The voter in this cluster.", wide=True),
            Column("Slack User", ".spec.approver.slackUser", "The voter in Slack.", wide=True),
            Column("Message", ".status.message", "The operator's answer in a sentence.", wide=True),
        ),
        selectable=(".spec.request.name", ".spec.request.uid", ".status.result"),
    )

    @classmethod
    def of(cls, namespace: str, spec: ApprovalSpec) -> Self:
        """A vote ready to be created: named so that repeats collide, owned by its request."""
        name = approval_name(spec.request.uid, spec.approver.person, spec.decision)
        return cls(metadata=Metadata(name=name, namespace=namespace, owner_references=(spec.owner,)), spec=spec)
