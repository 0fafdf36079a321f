"""Every rule of ActionRequest and Approval, with an object it accepts and one it refuses."""

from __future__ import annotations

from tests.unit.crds.manifests import SLACK_VOTER
from tests.unit.crds.rule_case import (
    ACCOUNT,
    CHANNEL,
    KEYS,
    MONEY,
    NOW,
    REGION,
    RuleCase,
    approver_cases,
    condition,
    condition_cases,
    spec_case,
    status,
    value_case,
)

LATER = "2026-01-31T10:00:00Z"
_DECIDED = status(state="Approved", conditions=[condition("Approved")])

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
        status(conditions=[condition("Approved", message="two people"), condition("Ready")]),
        status(conditions=[condition("Approved", lastTransitionTime=LATER)]),
        _DECIDED,
    ),
    RuleCase(
        "ActionRequest", "", "changes or removes a decision", status(state="Scheduled"), {"status": None}, _DECIDED
    ),
    RuleCase(
        "ActionRequest",
        "",
        "is both Approved and Denied",
        status(conditions=[condition("Denied")]),
        status(conditions=[condition("Approved"), condition("Denied")]),
    ),
    RuleCase("ActionRequest", "", "has a lower fence than before", status(fence=7), status(fence=6), status(fence=7)),
    RuleCase("ActionRequest", "", "has a lower fence than before", status(fence=8), {"status": None}, status(fence=7)),
    RuleCase(
        "ActionRequest",
        "",
        "leaves a state that is final",
        status(state="Denied", decidedAt=NOW),
        status(state="Pending"),
        status(state="Denied"),
    ),
    RuleCase(
        "ActionRequest",
        "spec",
        "cannot be changed",
        {"metadata": {"annotations": {"example.org/seen": "yes"}}},
        {"spec": {"plan": [{"id": "stop", "operation": "ec2:TerminateInstances", "parameters": "{}"}]}},
        {},
    ),
    RuleCase("ActionRequest", "spec", "cannot be changed", status(fence=1), {"spec": {"parameters": {"force": 1}}}, {}),
    spec_case(
        "ActionRequest",
        ".approval.required",
        "is 1 for an act that destroys something",
        {"destructive": True, "approval": {"required": 2}},
        {"destructive": True},
    ),
    value_case("ActionRequest", "spec.region", *REGION),
    value_case("ActionRequest", "spec.resource.accountId", *ACCOUNT),
    value_case("ActionRequest", "spec.parameters", KEYS, {"iops": 3000, "volumeType": "gp3"}, {"a b": 1}),
    spec_case(
        "ActionRequest",
        ".plan[].parameters",
        "is not JSON of an object",
        {"plan": [{"id": "wait"}]},
        {"plan": [{"id": "wait", "parameters": "[]"}]},
    ),
    value_case("ActionRequest", "spec.planHash", "is not a SHA-256 in hexadecimal", "0" * 64, "F" * 64),
    value_case("ActionRequest", "spec.fingerprint", KEYS, {"instanceType": '"t3.large"'}, {"": '"t3.large"'}),
    spec_case(
        "ActionRequest",
        ".estimate.monthlySavings",
        "is more than currentMonthlyCost",
        {"estimate": {"monthlySavings": "66.82"}},
        {"estimate": {"monthlySavings": "66.83"}},
    ),
    value_case("ActionRequest", "spec.estimate.currentMonthlyCost", *MONEY),
    value_case("ActionRequest", "spec.estimate.newMonthlyCost", *MONEY),
    value_case("ActionRequest", "spec.estimate.monthlySavings", MONEY[0], "0", "-0.01"),
    value_case("ActionRequest", "spec.evidence.values", KEYS, {"cpu.p99_5": "3.1"}, {"cpu maximum": "3.1"}),
    *approver_cases("ActionRequest"),
    value_case("ActionRequest", "spec.slackChannel", *CHANNEL),
    *condition_cases("ActionRequest"),
    value_case("ActionRequest", "status.outcome.before", KEYS, {"instanceType": "t2.large"}, {"instance type": "t2"}),
    value_case("ActionRequest", "status.outcome.after", KEYS, {"instanceType": "t3.small"}, {"instance type": "t3"}),
    value_case("ActionRequest", "status.outcome.monthlySavings", *MONEY),
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
    value_case("Approval", "spec.planHash", "is not a SHA-256 in hexadecimal", "0" * 64, "0" * 63),
    value_case("Approval", "spec.reason", "is blank", " too late\nin the month", " \n\t "),
    spec_case(
        "Approval",
        ".approver.username",
        "is missing",
        {"approver": {"username": "bob"}},
        {"approver": {"username": None}},
    ),
    spec_case(
        "Approval",
        ".approver",
        "says slackTeam, slackUser or attestedAt for source kubernetes",
        {"approver": {"groups": ["sre"]}},
        {"approver": {"slackUser": "U0123"}},
    ),
    spec_case(
        "Approval",
        ".approver",
        "lacks slackTeam, slackUser or attestedAt",
        {"approver": SLACK_VOTER},
        {"approver": {**SLACK_VOTER, "attestedAt": None}},
    ),
    spec_case(
        "Approval",
        ".approver.groups",
        "has something that is not a Slack user group id",
        {"approver": {**SLACK_VOTER, "groups": ["S0123"]}},
        {"approver": {**SLACK_VOTER, "groups": ["S0123", "system:masters"]}},
    ),
    spec_case(
        "Approval",
        ".approver.slackTeam",
        "is not a Slack workspace id",
        {"approver": {**SLACK_VOTER, "slackTeam": "E0123"}},
        {"approver": {**SLACK_VOTER, "slackTeam": "acme"}},
    ),
    spec_case(
        "Approval",
        ".approver.slackUser",
        "is not a Slack user id",
        {"approver": {**SLACK_VOTER, "slackUser": "W0123"}},
        {"approver": {**SLACK_VOTER, "slackUser": "alice"}},
    ),
    value_case("Approval", "status.reason", "is not a reason", "NotEligible", "not eligible"),
)
