"""One rule of our kinds with an object it accepts and one it refuses, and short ways to write such cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOW = "2026-01-31T09:00:00Z"


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One rule.

    Attributes:
        kind: the kind it belongs to.
        where: the schema's path and the rule's own field, `spec.regions[]`; empty for the root.
        problem: what it says is wrong.
        good, bad: merge patches over a valid object (`manifests.manifest`) that keep and break it.
        given: for rules about a change: what the object was before `good` or `bad` change it.
    """

    kind: str
    where: str
    problem: str
    good: Mapping[str, Any]
    bad: Mapping[str, Any]
    given: Mapping[str, Any] | None = None

    @property
    def shown_path(self) -> str:
        """The path as errors show it, every list at its first entry."""
        return self.where.replace("[]", "[0]")

    def __str__(self) -> str:
        return f"{self.kind}-{self.where or 'root'}-{self.problem}"


@dataclass(frozen=True, slots=True)
class At:
    """Makes the nested patch that sets the value at a path."""

    path: tuple[str, ...] = field(default=())

    def __call__(self, value: Any) -> dict[str, Any]:
        for part in reversed(self.path):
            value = {part.removesuffix("[]"): [value] if part.endswith("[]") else value}
        return dict(value)


def value_case(kind: str, where: str, problem: str, good: Any, bad: Any) -> RuleCase:
    """A case in which one value at `where` is good or bad."""
    at = At(tuple(where.split(".")))
    return RuleCase(kind, where, problem, at(good), at(bad))


def spec_case(kind: str, where: str, problem: str, good: dict[str, Any], bad: dict[str, Any]) -> RuleCase:
    return RuleCase(kind, f"spec{where}", problem, {"spec": good}, {"spec": bad})


def condition(type_: str, **changes: str) -> dict[str, str]:
    return {"type": type_, "status": "True", "reason": "Votes", "message": "", "lastTransitionTime": NOW, **changes}


def status(**fields: Any) -> dict[str, Any]:
    return {"status": fields}


MONEY = ("is not an amount of money", "66.82", "-1")
TAGS = ("has a tag key that AWS does not know", {"k" * 128: ["v"]}, {"k" * 129: ["v"]})
KEYS = "has a key with unexpected characters"
CHECK = ("is not the id of a check", "lambda_function_idle", "Lambda idle")
ACTION = ("is not the id of an action", "lambda_function_delete", "delete-it")
KIND = ("is not the id of a kind of resource", "lambda-function", "lambda_function")
FAMILY = ("is not an instance family", "u7i-12tb", "m5.large")
CHANNEL = ("is not a Slack channel id", "C0123456789", "#general")
USER = ("is not a Slack user id", {"slackUser": "U0123"}, {"slackUser": "alice"})
GROUP = ("is not a Slack user group id", {"slackUserGroup": "S0123"}, {"slackUserGroup": "sre"})
ONE = (
    "does not name exactly one approver",
    {"kubernetesGroup": "sre"},
    {"kubernetesGroup": "sre", "slackUser": "U0123"},
)
CRON = ("is not a cron schedule", "*/15,3 0-6,22 1 JAN-MAR MON-FRI", "0 25 * * *")
ZONE = ("is not a time zone", "America/Argentina/Buenos_Aires", "Mars/Olympus_Mons")
ACCOUNT = ("is not an AWS account id", "123456789012", "12345678901")
REGION = ("is not an AWS region", "us-east-1", "Ireland")


def approver_cases(kind: str) -> tuple[RuleCase, ...]:
    at = At(("spec", "approval", "approvers[]"))
    return tuple(
        RuleCase(kind, f"spec.approval.approvers[]{field}", problem, at(good), at(bad))
        for field, (problem, good, bad) in (("", ONE), (".slackUser", USER), (".slackUserGroup", GROUP))
    )


def reminder_cases(kind: str) -> tuple[RuleCase, ...]:
    """The waits before reminders and mentions, and whom they mention."""
    too_long = ("is not a duration of at most 720h", "90m", "2d")
    escalate = At(("spec", "approval", "escalate[]"))

    def mention(field: str, problem: str, good: Any, bad: Any) -> RuleCase:
        found = ({"after": "48h", "to": to} for to in (good, bad))
        return RuleCase(kind, f"spec.approval.escalate[].to{field}", problem, *map(escalate, found))

    problem, good, bad = too_long
    to = {"slackUser": "U0123"}
    return (
        value_case(kind, "spec.approval.remindAfter[]", *too_long),
        RuleCase(
            kind,
            "spec.approval.escalate[].after",
            problem,
            escalate({"after": good, "to": to}),
            escalate({"after": bad, "to": to}),
        ),
        mention("", "does not name exactly one person or group", GROUP[1], {**GROUP[1], **USER[1]}),
        mention(".slackUser", *USER),
        mention(".slackUserGroup", *GROUP),
    )


def condition_cases(kind: str) -> tuple[RuleCase, ...]:
    at = At(("status", "conditions[]"))
    good = at(condition("Ready"))
    return (
        RuleCase(kind, "status.conditions[].type", "is not a condition type", good, at(condition("not ready"))),
        RuleCase(
            kind, "status.conditions[].reason", "is not a reason", good, at(condition("Ready", reason="no reason"))
        ),
    )
