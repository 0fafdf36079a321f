"""Every rule of the four kinds with an object it accepts and one it refuses.

The unit tests put them to the Python models, the cluster tests to a real API server, so that the two agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.kinds.manifests import SLACK_VOTER

NOW = "2026-01-31T09:00:00Z"
LATER = "2026-01-31T10:00:00Z"
ROLE = "arn:aws:iam::123456789012:role/finops"


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
class _At:
    """Makes the nested patch that sets the value at a path."""

    path: tuple[str, ...] = field(default=())

    def __call__(self, value: Any) -> dict[str, Any]:
        for part in reversed(self.path):
            value = {part.removesuffix("[]"): [value] if part.endswith("[]") else value}
        return dict(value)


def _value(kind: str, where: str, problem: str, good: Any, bad: Any) -> RuleCase:
    """A case in which one value at `where` is good or bad."""
    at = _At(tuple(where.split(".")))
    return RuleCase(kind, where, problem, at(good), at(bad))


def _spec(kind: str, where: str, problem: str, good: dict[str, Any], bad: dict[str, Any]) -> RuleCase:
    return RuleCase(kind, f"spec{where}", problem, {"spec": good}, {"spec": bad})


def _condition(type_: str, **changes: str) -> dict[str, str]:
    return {"type": type_, "status": "True", "reason": "Votes", "message": "", "lastTransitionTime": NOW, **changes}


def _status(**fields: Any) -> dict[str, Any]:
    return {"status": fields}


_MONEY = ("is not an amount of money", "66.82", "-1")
_TAGS = ("has a tag key that AWS does not know", {"k" * 128: ["v"]}, {"k" * 129: ["v"]})
_KEYS = "has a key with unexpected characters"
_FAMILY = ("is not an instance family", "u7i-12tb", "m5.large")
_CHANNEL = ("is not a Slack channel id", "C0123456789", "#general")
_USER = ("is not a Slack user id", {"slackUser": "U0123"}, {"slackUser": "alice"})
_GROUP = ("is not a Slack user group id", {"slackUserGroup": "S0123"}, {"slackUserGroup": "sre"})
_ONE = (
    "does not name exactly one approver",
    {"kubernetesGroup": "sre"},
    {"kubernetesGroup": "sre", "slackUser": "U0123"},
)
_CRON = ("is not a cron schedule", "*/15,3 0-6,22 1 JAN-MAR MON-FRI", "0 25 * * *")
_ZONE = ("is not a time zone", "America/Argentina/Buenos_Aires", "Mars/Olympus_Mons")
_ACCOUNT = ("is not an AWS account id", "123456789012", "12345678901")
_REGION = ("is not an AWS region", "us-east-1", "Ireland")


def _user_and_group(kind: str) -> tuple[RuleCase, ...]:
    at = _At(("spec", "approval", "approvers[]"))
    return tuple(
        RuleCase(kind, f"spec.approval.approvers[]{field}", problem, at(good), at(bad))
        for field, (problem, good, bad) in (("", _ONE), (".slackUser", _USER), (".slackUserGroup", _GROUP))
    )


def _conditions(kind: str) -> tuple[RuleCase, ...]:
    at = _At(("status", "conditions[]"))
    good = at(_condition("Ready"))
    return (
        RuleCase(kind, "status.conditions[].type", "is not a condition type", good, at(_condition("not ready"))),
        RuleCase(
            kind, "status.conditions[].reason", "is not a reason", good, at(_condition("Ready", reason="no reason"))
        ),
    )


def _window(where: str, problem: str, good: Any, bad: Any) -> RuleCase:
    window = {"schedule": "0 22 * * 1-5", "duration": "6h"}
    at = _At(("spec", "actions", "windows[]"))
    name = where.removeprefix(".")
    return RuleCase(
        "ScanPolicy", f"spec.actions.windows[]{where}", problem, at({**window, name: good}), at({**window, name: bad})
    )


SCAN_POLICY = (
    _spec(
        "ScanPolicy",
        ".approval.approvers",
        "is empty while actions.mode is Approve",
        {
            "actions": {"mode": "Approve", "allowed": ["ec2_instance_stop"]},
            "approval": {"approvers": [{"slackUser": "U0123"}]},
        },
        {"actions": {"mode": "Approve", "allowed": ["ec2_instance_stop"]}},
    ),
    _spec(
        "ScanPolicy",
        ".actions.allowed",
        "is empty while actions.mode is Approve",
        {"actions": {"mode": "DryRun"}},
        {"actions": {"mode": "Approve"}, "approval": {"approvers": [{"slackUser": "U0123"}]}},
    ),
    _value("ScanPolicy", "spec.schedule", *_CRON),
    _value("ScanPolicy", "spec.timeZone", *_ZONE),
    _spec(
        "ScanPolicy",
        ".accounts",
        "names the same name twice",
        {"accounts": [{"name": "a"}, {"name": "b"}]},
        {"accounts": [{"name": "a"}, {"name": "a"}]},
    ),
    _value("ScanPolicy", "spec.regions[]", *_REGION),
    _value("ScanPolicy", "spec.selector.includeTags", *_TAGS),
    _value("ScanPolicy", "spec.selector.excludeTags", *_TAGS),
    _spec(
        "ScanPolicy",
        ".metrics.minimumHours",
        "asks for more hours of data than lookbackDays can hold",
        {"metrics": {"lookbackDays": 2, "minimumHours": 48}},
        {"metrics": {"lookbackDays": 2, "minimumHours": 49}},
    ),
    _spec(
        "ScanPolicy",
        ".sizing.denyFamilies",
        "denies a family that allowFamilies allows",
        {"sizing": {"allowFamilies": ["m5"], "denyFamilies": ["t2"]}},
        {"sizing": {"allowFamilies": ["m5", "t2"], "denyFamilies": ["t2"]}},
    ),
    _value("ScanPolicy", "spec.sizing.allowFamilies[]", *_FAMILY),
    _value("ScanPolicy", "spec.sizing.denyFamilies[]", *_FAMILY),
    _spec(
        "ScanPolicy",
        ".checks",
        "names the same id twice",
        {"checks": [{"id": "ebs_volume_gp2"}, {"id": "ec2_instance_idle"}]},
        {"checks": [{"id": "ebs_volume_gp2"}, {"id": "ebs_volume_gp2", "enabled": False}]},
    ),
    _spec(
        "ScanPolicy",
        ".checks[].parameters",
        "has a parameter name that no check can have",
        {"checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 2.5}}]},
        {"checks": [{"id": "ec2_instance_idle", "parameters": {"maximum cpu": 2.5}}]},
    ),
    _value("ScanPolicy", "spec.notify.slack.channel", *_CHANNEL),
    _window(".schedule", *_CRON),
    _window(".duration", "is not a duration of at most 168h", "1h30m", "169h"),
    _window(".timeZone", *_ZONE),
    _value("ScanPolicy", "spec.actions.protectTags", *_TAGS),
    _spec(
        "ScanPolicy",
        ".approval.destructive.required",
        "is lower than approval.required",
        {"approval": {"required": 3, "destructive": {"required": 3}}},
        {"approval": {"required": 3}},
    ),
    _spec(
        "ScanPolicy",
        ".approval.required",
        "is more than the people that approvers names",
        {"approval": {"required": 2, "approvers": [{"slackUserGroup": "S0123"}]}},
        {"approval": {"required": 2, "approvers": [{"slackUser": "U0123"}]}},
    ),
    *_user_and_group("ScanPolicy"),
    _value("ScanPolicy", "spec.approval.expiresAfter", "is not a duration of at most 720h", "90m", "3d"),
    *_conditions("ScanPolicy"),
    RuleCase(
        "ScanPolicy",
        "status.lastScan.estimatedApiCost",
        _MONEY[0],
        _status(lastScan={"startTime": NOW, "estimatedApiCost": "0.0012"}),
        _status(lastScan={"startTime": NOW, "estimatedApiCost": "1e-3"}),
    ),
    _value("ScanPolicy", "status.monthlyCost", *_MONEY),
    _value("ScanPolicy", "status.potentialMonthlySavings", *_MONEY),
    _value("ScanPolicy", "status.realizedMonthlySavings", *_MONEY),
)


def _role(field: str) -> tuple[RuleCase, ...]:
    return (
        _spec(
            "AwsAccount",
            f".{field}",
            "is a role of another account than accountId",
            {field: ROLE},
            {field: "arn:aws:iam::210987654321:role/finops"},
        ),
        _spec(
            "AwsAccount",
            f".{field}",
            "is a role of another partition than partition",
            {field: "arn:aws-cn:iam::123456789012:role/finops", "partition": "aws-cn"},
            {field: "arn:aws-cn:iam::123456789012:role/finops"},
        ),
        _value(
            "AwsAccount",
            f"spec.{field}",
            "is not the ARN of an IAM role",
            "arn:aws:iam::123456789012:role/team/a/finops",
            "arn:aws:iam::123456789012:user/finops",
        ),
    )


AWS_ACCOUNT = (
    *_role("scannerRoleArn"),
    *_role("executorRoleArn"),
    _spec(
        "AwsAccount",
        ".externalId",
        "is set while no role is named that could demand it",
        {"externalId": "finops", "scannerRoleArn": ROLE},
        {"externalId": "finops"},
    ),
    _spec(
        "AwsAccount",
        ".regions",
        "names a region of another partition than partition",
        {"regions": ["us-gov-west-1"], "partition": "aws-us-gov"},
        {"regions": ["us-gov-west-1"]},
    ),
    _value("AwsAccount", "spec.accountId", *_ACCOUNT),
    _spec(
        "AwsAccount",
        ".externalId",
        "has a character that STS refuses",
        {"externalId": "a:b/c=d", "scannerRoleArn": ROLE},
        {"externalId": "a b", "scannerRoleArn": ROLE},
    ),
    _value("AwsAccount", "spec.regions[]", *_REGION),
    _value("AwsAccount", "spec.allow[].namespaces[]", "is not the name of a namespace", "team-a", "team-*"),
    *_conditions("AwsAccount"),
    RuleCase(
        "AwsAccount",
        "status.identity.accountId",
        _ACCOUNT[0],
        _status(identity={"arn": ROLE, "accountId": _ACCOUNT[1]}),
        _status(identity={"arn": ROLE, "accountId": _ACCOUNT[2]}),
    ),
)

_DECIDED = _status(state="Approved", conditions=[_condition("Approved")])

ACTION_REQUEST = (
    RuleCase(
        "ActionRequest",
        "",
        "has a name that is too long",
        {"metadata": {"name": "a" * 64}},
        {"metadata": {"name": "a" * 65}},
    ),
    RuleCase(
        "ActionRequest",
        "",
        "changes or removes a decision",
        _status(conditions=[_condition("Approved", message="two people"), _condition("Ready")]),
        _status(conditions=[_condition("Approved", lastTransitionTime=LATER)]),
        _DECIDED,
    ),
    RuleCase(
        "ActionRequest", "", "changes or removes a decision", _status(state="Scheduled"), {"status": None}, _DECIDED
    ),
    RuleCase(
        "ActionRequest",
        "",
        "is both Approved and Denied",
        _status(conditions=[_condition("Denied")]),
        _status(conditions=[_condition("Approved"), _condition("Denied")]),
    ),
    RuleCase(
        "ActionRequest", "", "has a lower fence than before", _status(fence=7), _status(fence=6), _status(fence=7)
    ),
    RuleCase(
        "ActionRequest", "", "has a lower fence than before", _status(fence=8), {"status": None}, _status(fence=7)
    ),
    RuleCase(
        "ActionRequest",
        "",
        "leaves a state that is final",
        _status(state="Denied", decidedAt=NOW),
        _status(state="Pending"),
        _status(state="Denied"),
    ),
    RuleCase(
        "ActionRequest",
        "spec",
        "cannot be changed",
        {"metadata": {"annotations": {"example.org/seen": "yes"}}},
        {"spec": {"plan": [{"id": "stop", "operation": "ec2:TerminateInstances", "parameters": "{}"}]}},
        {},
    ),
    RuleCase(
        "ActionRequest", "spec", "cannot be changed", _status(fence=1), {"spec": {"parameters": {"force": 1}}}, {}
    ),
    _spec(
        "ActionRequest",
        ".approval.required",
        "is 1 for an act that destroys something",
        {"destructive": True, "approval": {"required": 2}},
        {"destructive": True},
    ),
    _value("ActionRequest", "spec.region", *_REGION),
    _value("ActionRequest", "spec.resource.accountId", *_ACCOUNT),
    _value("ActionRequest", "spec.parameters", _KEYS, {"iops": 3000, "volumeType": "gp3"}, {"a b": 1}),
    _spec(
        "ActionRequest",
        ".plan[].parameters",
        "is not JSON of an object",
        {"plan": [{"id": "wait"}]},
        {"plan": [{"id": "wait", "parameters": "[]"}]},
    ),
    _value("ActionRequest", "spec.planHash", "is not a SHA-256 in hexadecimal", "0" * 64, "F" * 64),
    _value("ActionRequest", "spec.fingerprint", _KEYS, {"instanceType": '"t3.large"'}, {"": '"t3.large"'}),
    _spec(
        "ActionRequest",
        ".estimate.monthlySavings",
        "is more than currentMonthlyCost",
        {"estimate": {"monthlySavings": "66.82"}},
        {"estimate": {"monthlySavings": "66.83"}},
    ),
    _value("ActionRequest", "spec.estimate.currentMonthlyCost", *_MONEY),
    _value("ActionRequest", "spec.estimate.newMonthlyCost", *_MONEY),
    _value("ActionRequest", "spec.estimate.monthlySavings", _MONEY[0], "0", "-0.01"),
    _value("ActionRequest", "spec.evidence.values", _KEYS, {"cpu.p99_5": "3.1"}, {"cpu maximum": "3.1"}),
    *_user_and_group("ActionRequest"),
    _value("ActionRequest", "spec.slackChannel", *_CHANNEL),
    *_conditions("ActionRequest"),
    _value("ActionRequest", "status.outcome.before", _KEYS, {"instanceType": "t2.large"}, {"instance type": "t2"}),
    _value("ActionRequest", "status.outcome.after", _KEYS, {"instanceType": "t3.small"}, {"instance type": "t3"}),
    _value("ActionRequest", "status.outcome.monthlySavings", *_MONEY),
)

APPROVAL = (
    RuleCase(
        "Approval",
        "spec",
        "cannot be changed",
        {"metadata": {"labels": {"seen": "yes"}}},
        {"spec": {"decision": "Deny"}},
        {},
    ),
    _value("Approval", "spec.planHash", "is not a SHA-256 in hexadecimal", "0" * 64, "0" * 63),
    _value("Approval", "spec.reason", "is blank", " too late\nin the month", " \n\t "),
    _spec(
        "Approval",
        ".approver.username",
        "is missing",
        {"approver": {"username": "bob"}},
        {"approver": {"username": None}},
    ),
    _spec(
        "Approval",
        ".approver",
        "says slackTeam, slackUser or attestedAt for source kubernetes",
        {"approver": {"groups": ["sre"]}},
        {"approver": {"slackUser": "U0123"}},
    ),
    _spec(
        "Approval",
        ".approver",
        "lacks slackTeam, slackUser or attestedAt",
        {"approver": SLACK_VOTER},
        {"approver": {**SLACK_VOTER, "attestedAt": None}},
    ),
    _spec(
        "Approval",
        ".approver.groups",
        "has something that is not a Slack user group id",
        {"approver": {**SLACK_VOTER, "groups": ["S0123"]}},
        {"approver": {**SLACK_VOTER, "groups": ["S0123", "system:masters"]}},
    ),
    _spec(
        "Approval",
        ".approver.slackTeam",
        "is not a Slack workspace id",
        {"approver": {**SLACK_VOTER, "slackTeam": "E0123"}},
        {"approver": {**SLACK_VOTER, "slackTeam": "acme"}},
    ),
    _spec(
        "Approval",
        ".approver.slackUser",
        "is not a Slack user id",
        {"approver": {**SLACK_VOTER, "slackUser": "W0123"}},
        {"approver": {**SLACK_VOTER, "slackUser": "alice"}},
    ),
    _value("Approval", "status.reason", "is not a reason", "NotEligible", "not eligible"),
)

RULE_CASES: tuple[RuleCase, ...] = (*SCAN_POLICY, *AWS_ACCOUNT, *ACTION_REQUEST, *APPROVAL)
