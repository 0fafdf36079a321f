"""Every rule of ScanPolicy and AwsAccount, with an object it accepts and one it refuses."""

from __future__ import annotations

from typing import Any

from tests.support.rule_case import (
    ACCOUNT,
    ACTION,
    CHANNEL,
    CHECK,
    CRON,
    FAMILY,
    KIND,
    MONEY,
    NOW,
    REGION,
    TAGS,
    ZONE,
    At,
    RuleCase,
    approver_cases,
    condition_cases,
    reminder_cases,
    spec_case,
    status,
    value_case,
)

ROLE = "arn:aws:iam::123456789012:role/finops"


def _window(where: str, problem: str, good: Any, bad: Any) -> RuleCase:
    window = {"schedule": "0 22 * * 1-5", "duration": "6h"}
    at = At(("spec", "actions", "windows[]"))
    name = where.removeprefix(".")
    return RuleCase(
        "ScanPolicy", f"spec.actions.windows[]{where}", problem, at({**window, name: good}), at({**window, name: bad})
    )


_OWN = {"id": "our_rule", "kind": "ec2-instance", "when": "cost.monthly > 100", "message": "It costs too much."}


def _own_check(field: str, problem: str, good: str, bad: str) -> RuleCase:
    def with_value(value: str) -> dict[str, Any]:
        allowed = {"actions": {"allowed": [good]}} if field == "action" else {}
        return {"spec": {"customChecks": [{**_OWN, field: value}], **allowed}}

    return RuleCase("ScanPolicy", f"spec.customChecks[].{field}", problem, with_value(good), with_value(bad))


def _part_of_savings(name: str) -> RuleCase:
    parts = {"actionable": "1.00", "advice": "2.00", "blocked": "3.00"}
    problem, good, bad = MONEY
    return RuleCase(
        "ScanPolicy",
        f"status.savings.{name}",
        problem,
        status(savings={**parts, name: good}),
        status(savings={**parts, name: bad}),
    )


SCAN_POLICY = (
    spec_case(
        "ScanPolicy",
        ".approval.approvers",
        "is empty while actions.mode is Approve",
        {
            "actions": {"mode": "Approve", "allowed": ["ec2_instance_stop"]},
            "approval": {"approvers": [{"slackUser": "U0123"}]},
        },
        {"actions": {"mode": "Approve", "allowed": ["ec2_instance_stop"]}},
    ),
    spec_case(
        "ScanPolicy",
        ".actions.allowed",
        "is empty while actions.mode is Approve",
        {"actions": {"mode": "DryRun"}},
        {"actions": {"mode": "Approve"}, "approval": {"approvers": [{"slackUser": "U0123"}]}},
    ),
    value_case("ScanPolicy", "spec.schedule", *CRON),
    value_case("ScanPolicy", "spec.timeZone", *ZONE),
    spec_case(
        "ScanPolicy",
        ".accounts",
        "names the same name twice",
        {"accounts": [{"name": "a"}, {"name": "b"}]},
        {"accounts": [{"name": "a"}, {"name": "a"}]},
    ),
    value_case("ScanPolicy", "spec.regions[]", *REGION),
    value_case("ScanPolicy", "spec.resources[]", *KIND),
    value_case("ScanPolicy", "spec.checks[].id", *CHECK),
    value_case("ScanPolicy", "spec.actions.allowed[]", *ACTION),
    spec_case(
        "ScanPolicy",
        ".customChecks",
        "names the same id twice",
        {"customChecks": [_OWN, {**_OWN, "id": "our_other_rule"}]},
        {"customChecks": [_OWN, {**_OWN, "when": "true"}]},
    ),
    spec_case(
        "ScanPolicy",
        ".customChecks",
        "recommends an action that actions.allowed does not list",
        {"customChecks": [{**_OWN, "action": "ec2_instance_stop"}], "actions": {"allowed": ["ec2_instance_stop"]}},
        {"customChecks": [_OWN, {**_OWN, "id": "our_other_rule", "action": "ec2_instance_stop"}]},
    ),
    _own_check("id", *CHECK),
    _own_check("kind", *KIND),
    _own_check("action", *ACTION),
    _own_check("message", "is not one line of text", "Größer: > 5 %.", "two\nlines"),
    value_case("ScanPolicy", "spec.selector.includeTags", *TAGS),
    value_case("ScanPolicy", "spec.selector.excludeTags", *TAGS),
    spec_case(
        "ScanPolicy",
        ".metrics.minimumHours",
        "asks for more hours of data than lookbackDays can hold",
        {"metrics": {"lookbackDays": 2, "minimumHours": 48}},
        {"metrics": {"lookbackDays": 2, "minimumHours": 49}},
    ),
    spec_case(
        "ScanPolicy",
        ".sizing.denyFamilies",
        "denies a family that allowFamilies allows",
        {"sizing": {"allowFamilies": ["m5"], "denyFamilies": ["t2"]}},
        {"sizing": {"allowFamilies": ["m5", "t2"], "denyFamilies": ["t2"]}},
    ),
    value_case("ScanPolicy", "spec.sizing.allowFamilies[]", *FAMILY),
    value_case("ScanPolicy", "spec.sizing.denyFamilies[]", *FAMILY),
    spec_case(
        "ScanPolicy",
        ".checks",
        "names the same id twice",
        {"checks": [{"id": "ebs_volume_gp2"}, {"id": "ec2_instance_idle"}]},
        {"checks": [{"id": "ebs_volume_gp2"}, {"id": "ebs_volume_gp2", "enabled": False}]},
    ),
    spec_case(
        "ScanPolicy",
        ".checks[].parameters",
        "has a parameter name that no check can have",
        {"checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 2.5}}]},
        {"checks": [{"id": "ec2_instance_idle", "parameters": {"maximum cpu": 2.5}}]},
    ),
    value_case("ScanPolicy", "spec.notify.slack.channel", *CHANNEL),
    _window(".schedule", *CRON),
    _window(".duration", "is not a duration of at most 168h", "1h30m", "169h"),
    _window(".timeZone", *ZONE),
    value_case("ScanPolicy", "spec.actions.protectTags", *TAGS),
    spec_case(
        "ScanPolicy",
        ".approval.destructive.required",
        "is lower than approval.required",
        {"approval": {"required": 3, "destructive": {"required": 3}}},
        {"approval": {"required": 3}},
    ),
    spec_case(
        "ScanPolicy",
        ".approval.destructive.stepUp",
        "asks for an approval outside Slack that nobody in approvers can give",
        {"approval": {"approvers": [{"kubernetesGroup": "sre"}], "destructive": {"stepUp": True}}},
        {"approval": {"approvers": [{"slackUserGroup": "S0123"}], "destructive": {"stepUp": True}}},
    ),
    spec_case(
        "ScanPolicy",
        ".approval.required",
        "is more than the people that approvers names",
        {"approval": {"required": 2, "approvers": [{"slackUserGroup": "S0123"}]}},
        {"approval": {"required": 2, "approvers": [{"slackUser": "U0123"}]}},
    ),
    *approver_cases("ScanPolicy"),
    value_case("ScanPolicy", "spec.approval.expiresAfter", "is not a duration of at most 720h", "90m", "3d"),
    spec_case(
        "ScanPolicy",
        ".approval.remindAfter",
        "has a reminder that comes when the request has expired",
        {"approval": {"remindAfter": ["24h", "71h59m"]}},
        {"approval": {"remindAfter": ["24h", "72h"]}},
    ),
    spec_case(
        "ScanPolicy",
        ".approval.escalate",
        "mentions somebody when the request has expired",
        {"approval": {"escalate": [{"after": "71h", "to": {"slackUser": "U0123"}}]}},
        {"approval": {"expiresAfter": "24h", "escalate": [{"after": "48h", "to": {"slackUser": "U0123"}}]}},
    ),
    *reminder_cases("ScanPolicy"),
    *condition_cases("ScanPolicy"),
    RuleCase(
        "ScanPolicy",
        "status.lastScan.estimatedApiCost",
        MONEY[0],
        status(lastScan={"startTime": NOW, "estimatedApiCost": "0.0012"}),
        status(lastScan={"startTime": NOW, "estimatedApiCost": "1e-3"}),
    ),
    value_case("ScanPolicy", "status.monthlyCost", *MONEY),
    value_case("ScanPolicy", "status.potentialMonthlySavings", *MONEY),
    value_case("ScanPolicy", "status.realizedMonthlySavings", *MONEY),
    value_case("ScanPolicy", "status.realizedMonthlyRises", *MONEY),
    *(_part_of_savings(name) for name in ("actionable", "advice", "blocked")),
)


def _role(field: str) -> tuple[RuleCase, ...]:
    return (
        spec_case(
            "AwsAccount",
            f".{field}",
            "is a role of another account than accountId",
            {field: ROLE},
            {field: "arn:aws:iam::210987654321:role/finops"},
        ),
        spec_case(
            "AwsAccount",
            f".{field}",
            "is a role of another partition than partition",
            {field: "arn:aws-cn:iam::123456789012:role/finops", "partition": "aws-cn"},
            {field: "arn:aws-cn:iam::123456789012:role/finops"},
        ),
        value_case(
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
    spec_case(
        "AwsAccount",
        ".externalId",
        "is set while no role is named that could demand it",
        {"externalId": "finops", "scannerRoleArn": ROLE},
        {"externalId": "finops"},
    ),
    spec_case(
        "AwsAccount",
        ".regions",
        "names a region of another partition than partition",
        {"regions": ["us-gov-west-1"], "partition": "aws-us-gov"},
        {"regions": ["us-gov-west-1"]},
    ),
    spec_case(
        "AwsAccount",
        ".regions",
        "names a region of another partition than partition",
        {"regions": ["eusc-de-east-1"], "partition": "aws-eusc"},
        {"regions": ["eusc-de-east-1"]},
    ),
    value_case("AwsAccount", "spec.accountId", *ACCOUNT),
    spec_case(
        "AwsAccount",
        ".externalId",
        "has a character that STS refuses",
        {"externalId": "a:b/c=d", "scannerRoleArn": ROLE},
        {"externalId": "a b", "scannerRoleArn": ROLE},
    ),
    value_case("AwsAccount", "spec.regions[]", *REGION),
    RuleCase(
        "AwsAccount",
        "spec.allow[].actions[]",
        ACTION[0],
        {"spec": {"allow": [{"namespaces": ["team-a"], "actions": [ACTION[1]]}]}},
        {"spec": {"allow": [{"namespaces": ["team-a"], "actions": [ACTION[2]]}]}},
    ),
    value_case("AwsAccount", "spec.allow[].namespaces[]", "is not the name of a namespace", "team-a", "team-*"),
    *condition_cases("AwsAccount"),
    RuleCase(
        "AwsAccount",
        "status.identity.accountId",
        ACCOUNT[0],
        status(identity={"arn": ROLE, "accountId": ACCOUNT[1]}),
        status(identity={"arn": ROLE, "accountId": ACCOUNT[2]}),
    ),
)
