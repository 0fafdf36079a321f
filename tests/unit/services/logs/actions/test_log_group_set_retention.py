"""log_group_set_retention: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.unit.services.logs.log_groups import GROUPS, group, incoming

from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.logs.actions.log_group_set_retention import ACTION
from finops_operator.services.logs.checks.log_group_no_retention import CHECK
from finops_operator.services.logs.rules.retention import RETENTIONS

_ARN: Final = "arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/pay"
_GROUP: Final = ResourceRef("log-group", "/aws/lambda/pay", _ARN, "111111111111", "us-east-1")
_90: Final[dict[str, Any]] = {"retentionInDays": 90}
_DESCRIBED: Final[dict[str, Any]] = {
    "logGroupName": "/aws/lambda/pay",
    "creationTime": 1767225600000,
    "storedBytes": 5 * 2**30,
    "logGroupClass": "STANDARD",
}


def reader(tags: dict[str, str] | None = None, **described: Any) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return CannedReader(
        {
            "logs:DescribeLogGroups": {"logGroups": [_DESCRIBED | described]},
            "resourcegroupstaggingapi:GetResources": {
                "ResourceTagMappingList": [{"ResourceARN": _ARN, "Tags": listed}]
            },
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return ACTION.observe(reader(tags, **described), Target(_GROUP, _90))


def codes(seen: Observation, facts: PolicyFacts | None = None) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, _90, facts or PolicyFacts())]


def test_nothing_speaks_against_a_group_that_keeps_everything_or_keeps_longer() -> None:
    assert codes(observed({"team": "pay"})) == []
    assert codes(observed(retentionInDays=120)) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"terraform": "true"}), "OwnedByTemplate"),
        (observed({"Compliance": "pci"}), "KeptByTag"),
        (observed({"data-retention": "10y"}), "KeptByTag"),
        (observed({"legal-hold": ""}), "KeptByTag"),
        (observed({"legal hold": "case 12"}), "KeptByTag"),
        (observed({"Legal_Hold=true": ""}), "KeptByTag"),
        (observed({"litigation.hold": "no"}), "KeptByTag"),
        (observed({"status": "Legal Hold"}), "KeptByTag"),
        (observed({"Log Retention": "10y"}), "KeptByTag"),
        (observed(logGroupClass="DELIVERY"), "ClassDelivery"),
        (observed(retentionPolicyName="all", retentionInDays=400), "RetentionByPolicy"),
        (observed(deletionProtectionEnabled=True), "DeletionProtection"),
        (observed(retentionInDays=90), "RetentionAlreadySet"),
        (observed(retentionInDays=30), "RetentionAlreadySet"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_a_value_that_names_a_team_or_a_purpose_marks_nothing() -> None:
    assert codes(observed({"team": "compliance", "purpose": "retention report", "hold": "no"})) == []


def test_the_class_that_keeps_events_for_a_day_is_named() -> None:
    (refusal,) = ACTION.preflight(observed(logGroupClass="DELIVERY"), _90, PolicyFacts())
    assert refusal.message == "AWS keeps events of the class Delivery for one day, whatever retention is set."


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("days", [None, "90", True, 0, 31, 3654])
def test_a_length_that_aws_does_not_take_makes_no_plan(days: Any) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_GROUP, {"retentionInDays": days}, {"retentionDays": "0", "createdAt": ""})


def test_a_group_whose_name_only_begins_like_it_is_another_one() -> None:
    assert not observed(logGroupName="/aws/lambda/pay-archive").exists


def test_a_refused_read_is_no_absence() -> None:
    refused = AwsRejected("no", operation="logs:DescribeLogGroups", code="InvalidParameterException")
    with pytest.raises(AwsRejected):
        ACTION.observe(CannedReader({"logs:DescribeLogGroups": refused}), Target(_GROUP, _90))


def test_tags_that_stand_under_the_arn_of_the_streams_count_and_those_of_others_do_not() -> None:
    answers = dict(reader().answers)
    answers["resourcegroupstaggingapi:GetResources"] = {
        "ResourceTagMappingList": [
            {"ResourceARN": f"{_ARN}:*", "Tags": [{"Key": "a", "Value": "b"}]},
            {"ResourceARN": f"{_ARN}-archive", "Tags": [{"Key": "c", "Value": "d"}]},
        ]
    }
    seen = ACTION.observe(CannedReader(answers), Target(_GROUP, _90))
    assert seen.facts["tags"] == {"a": "b"}


@pytest.mark.parametrize(
    "other",
    [observed(retentionInDays=365), observed(creationTime=1767225600001), observed({"team": "pay"})],
    ids=["retention", "made anew", "tags"],
)
def test_the_fingerprint_shows_another_retention_another_group_and_other_tags(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_its_reads_are_those_that_it_declares() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_GROUP, _90))
    names = {"resourcegroupstaggingapi:GetResources": "tag:GetResources"}
    assert {names.get(one, one) for one in asked.operations} == set(ACTION.read_permissions) - {LIST_ALARMS}


def test_it_sets_the_retention_and_a_turned_act_removes_it_again() -> None:
    plan = ACTION.plan(_GROUP, _90, observed().fingerprint)
    step, wait = plan.steps
    assert (step.operation, step.parameters) == (
        "logs:PutRetentionPolicy",
        {"logGroupName": "/aws/lambda/pay", "retentionInDays": 90},
    )
    assert (wait.id, wait.changes) == ("wait_set", False)
    back, wait_back = ACTION.procedure.compensation(plan)
    assert (wait_back.id, wait_back.changes) == ("wait_restored", False)
    assert step.inverse == back.id
    assert (back.operation, back.parameters) == (
        "logs:DeleteRetentionPolicy",
        {"logGroupName": "/aws/lambda/pay"},
    )


def test_a_turned_act_sets_a_retention_that_was_there_again() -> None:
    back, _ = ACTION.procedure.compensation(ACTION.plan(_GROUP, _90, observed(retentionInDays=365).fingerprint))
    assert (back.operation, back.parameters["retentionInDays"]) == ("logs:PutRetentionPolicy", 365)


def test_each_session_may_make_its_own_call_on_this_group_alone_and_all_of_them_are_declared() -> None:
    plan = ACTION.plan(_GROUP, _90, observed().fingerprint)
    found = list(granted(ACTION, plan))
    assert all(permission == operation and arn == f"{_ARN}:*" for operation, permission, arn in found)
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)


def test_a_setting_that_somebody_else_chose_meanwhile_is_left_alone() -> None:
    plan = ACTION.plan(_GROUP, _90, observed().fingerprint)
    rules = ACTION.procedure
    assert rules.verified(plan, observed(retentionInDays=90))
    assert not rules.verified(plan, observed(retentionInDays=90, creationTime=1))
    assert not rules.restored(plan, observed(retentionInDays=90))
    for other in (observed(), observed(retentionInDays=30)):
        assert rules.restored(plan, other)
        assert not rules.steps["restore"].expected(plan, other)
    assert rules.steps["set"].expected(plan, observed())
    assert not rules.steps["set"].expected(plan, observed(retentionInDays=30))


@pytest.mark.parametrize(
    ("seen", "clause"),
    [
        (observed(), ""),
        (observed(retentionInDays=90), ""),
        (observed(retentionInDays=30), "somebody set another retention meanwhile"),
        (observed(creationTime=1), "it was deleted, and somebody made another one under its name"),
        (Observation(exists=False), ""),
    ],
    ids=["restored", "not yet", "another retention", "made anew", "gone"],
)
def test_a_turned_act_waits_for_its_own_effect_and_leaves_what_somebody_else_made(
    seen: Observation, clause: str
) -> None:
    plan = ACTION.plan(_GROUP, _90, observed().fingerprint)
    steps = ACTION.procedure.steps
    assert steps["restore"].taken(plan, Journal(), seen, 0.0) == clause
    assert steps["wait_restored"].reached(plan, seen) is (clause != "" or seen == observed())
    assert steps["wait_restored"].patient


def test_the_card_says_that_events_are_deleted_permanently() -> None:
    seen = observed(retentionInDays=3653)
    words = ACTION.words(seen, _90, ACTION.plan(_GROUP, _90, seen.fingerprint))
    assert (words.verb, words.target) == ("Limit", "90 days of retention")
    assert words.change == "Retention: 3653 days → 90 days"
    assert "deletes events older than 90 days" in words.consequence
    assert words.undo.endswith("cannot be recovered.")
    assert [(fact.label, fact.value) for fact in words.facts] == [("Stored now", "5 GiB")]
    assert words.steps["restore"] == "Set the retention back (3653 days)"
    first = ACTION.warnings(seen, _90)[0]
    assert first == "Events older than 90 days are deleted within about 72 hours. They cannot be recovered."
    assert ACTION.destructive


def test_a_single_day_and_a_group_that_keeps_everything_read_well() -> None:
    words = ACTION.words(observed(), {"retentionInDays": 1}, ACTION.plan(_GROUP, _90, observed().fingerprint))
    assert words.change == "Retention: for ever → 1 day"


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(), "The log group keeps its events for ever."),
        (observed(retentionInDays=90), "The log group keeps its events for 90 days."),
        (Observation(exists=False), "The log group does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_GROUP, _90, observed().fingerprint), seen) == sentence


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Properties: RetentionInDays: 90"),
        ("Terraform", "retention_in_days = 90"),
        ("Crossplane", "Wanted: a retention of 90 days"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    owner = Owner(system, "", "Change it there.")
    assert ACTION.at_owner.patch(owner, group(), _90) == patch


def test_the_check_proposes_it_only_for_a_length_that_aws_takes() -> None:
    found = GROUPS.found(CHECK, group(), incoming(0.1))
    assert (found.action, found.parameters) == (ACTION.id, {"retentionInDays": 90})
    ACTION.plan(_GROUP, found.parameters, observed().fingerprint)
    odd = GROUPS.found(CHECK, group(), incoming(0.1), retentionDays=Decimal(89))
    assert (odd.action, odd.parameters) == ("", {})


def test_the_lengths_are_those_of_the_api_reference() -> None:
    assert len(RETENTIONS) == 22
    assert json.dumps(sorted(RETENTIONS)[-3:]) == "[2922, 3288, 3653]"


def undo_of(before: Observation, left: Observation) -> Plan:
    assert ACTION.undo is not None
    parameters = ACTION.undo.parameters(ACTION.plan(_GROUP, _90, before.fingerprint), {})
    return ACTION.plan(_GROUP, parameters, left.fingerprint)


@pytest.mark.parametrize(
    ("before", "operation", "change", "target"),
    [
        (observed(), "logs:DeleteRetentionPolicy", "Retention: 90 days → for ever", "events for ever"),
        (
            observed(retentionInDays=365),
            "logs:PutRetentionPolicy",
            "Retention: 90 days → 365 days",
            "events for 365 days",
        ),
    ],
)
def test_an_undo_keeps_events_as_long_as_before_and_says_what_it_cannot_bring_back(
    before: Observation, operation: str, change: str, target: str
) -> None:
    left = observed(retentionInDays=90)
    undo = undo_of(before, left)
    words = ACTION.words(left, undo.parameters, undo)

    assert undo.steps[0].operation == operation
    assert ACTION.procedure.verified(undo, before)
    assert not ACTION.procedure.verified(undo, left)
    (back, _) = ACTION.procedure.compensation(undo)
    assert (back.operation, back.parameters["retentionInDays"]) == ("logs:PutRetentionPolicy", 90)
    assert (words.verb, words.target, words.change) == ("Keep", target, change)
    assert ACTION.warnings(left, undo.parameters) == ("Events that AWS has deleted since the act cannot be recovered.",)


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (observed(retentionInDays=90), []),
        (observed({"legal-hold": ""}, retentionInDays=90), []),
        (observed(retentionInDays=90, deletionProtectionEnabled=True), []),
        (observed(retentionInDays=90, retentionPolicyName="all"), ["RetentionByPolicy"]),
        (observed(), ["NotBack"]),
        (Observation(exists=False), ["NotFound"]),
    ],
)
def test_what_forbids_to_delete_events_does_not_forbid_the_undo(left: Observation, found: list[str]) -> None:
    parameters = undo_of(observed(), observed(retentionInDays=90)).parameters
    assert [one.code for one in ACTION.preflight(left, parameters, PolicyFacts())] == found
