from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any

import pytest
import yaml
from pydantic import AfterValidator, BaseModel, ValidationError
from tests.support.manifests import PLAN, SLACK_VOTER, manifest

from finops.crds.action_request import ActionRequest, PlannedStep, fingerprint_texts
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.crds.approver import Approver
from finops.crds.aws_account import AwsAccount
from finops.crds.conditions import ConditionStatus, find_condition, with_condition
from finops.crds.invalid import InvalidField, InvalidObject, invalid_fields
from finops.crds.policy_actions import Mode
from finops.crds.policy_status import ScanPolicyStatus
from finops.crds.request_status import ActionRequestStatus, Votes
from finops.crds.scan_policy import Pricing, ScanPolicy, SizingPreset
from finops.domain.decision import State
from finops.errors import InvalidInput

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


def _refused(*changes: Mapping[str, Any]) -> list[InvalidField]:
    with pytest.raises(InvalidObject) as caught:
        ScanPolicy.from_object(manifest("ScanPolicy", *changes))
    return list(caught.value.fields)


def test_an_empty_policy_has_the_documented_defaults() -> None:
    spec = ScanPolicy.from_object(manifest("ScanPolicy")).spec
    assert (spec.suspend, spec.schedule, spec.time_zone) == (False, "0 * * * *", "UTC")
    assert [account.name for account in spec.accounts] == ["default"]
    assert (spec.regions, spec.resources, spec.checks) == ((), (), ())
    assert spec.selector.exclude_tags == {"finops.dev/ignore": ("true",)}
    assert (spec.metrics.lookback_days, spec.metrics.minimum_hours, spec.metrics.minimum_coverage_percent) == (
        14,
        30,
        95,
    )
    assert spec.sizing.preset is SizingPreset.DEFAULT
    assert (spec.pricing.hours_per_month, spec.pricing.discount_percent) == (730, Decimal(0))
    assert spec.notify.slack is None
    assert (spec.actions.mode, spec.actions.allowed) == (Mode.RECOMMEND, ())
    assert (spec.actions.minimum_monthly_savings, spec.actions.maximum_open_requests) == (Decimal(5), 50)
    limits = spec.actions.limits
    assert (limits.per_hour, limits.per_day, limits.percent_of_fleet) == (5, 20, 10)
    assert spec.actions.protect_tags == {"finops.dev/protected": ("true",)}
    assert (spec.approval.required, spec.approval.destructive.required) == (1, 2)
    assert spec.approval.expires_after.delta == timedelta(hours=72)
    assert spec.approval.require_reason == "Deny"


def test_numbers_keep_their_decimal_digits_both_ways() -> None:
    parameters = {"maximumCpuPercent": 0.1}
    change = {"spec": {"checks": [{"id": "ec2_instance_idle", "parameters": parameters}]}}
    policy = ScanPolicy.from_object(manifest("ScanPolicy", change))
    assert policy.spec.checks[0].parameters == {"maximumCpuPercent": Decimal("0.1")}
    assert policy.to_object()["spec"]["checks"][0]["parameters"] == parameters


def test_money_keeps_every_digit_and_stays_text() -> None:
    amount = "66.816000000000000000000000001"
    policy = ScanPolicy.from_object(manifest("ScanPolicy", {"status": {"monthlyCost": amount}}))
    assert policy.status.monthly_cost == Decimal(amount)
    assert policy.to_object()["status"]["monthlyCost"] == amount


def test_program_code_gives_decimals() -> None:
    assert ScanPolicyStatus(monthly_cost=Decimal("66.820")).to_dict()["monthlyCost"] == "66.820"
    assert Pricing(discount_percent=Decimal("12.50")).to_dict()["discountPercent"] == 12.5
    with pytest.raises(ValidationError):
        ScanPolicyStatus(monthly_cost=66.82)
    with pytest.raises(ValidationError):
        ScanPolicyStatus(monthly_cost=Decimal("-0.01"))


def test_money_as_a_number_is_refused() -> None:
    (field,) = _refused({"status": {"monthlyCost": 66.82}})
    assert (field.path, field.rule) == ("status.monthlyCost", "is not an amount of money")


def test_null_means_absent_as_on_the_api_server() -> None:
    obj = manifest("ScanPolicy")
    obj["spec"] = {"schedule": None, "notify": {"slack": None}}
    assert ScanPolicy.from_object(obj).spec.schedule == "0 * * * *"


def test_objects_of_a_watch_and_of_a_yaml_file_parse_alike() -> None:
    text = "{apiVersion: finops.dev/v1alpha1, kind: ScanPolicy, metadata: {name: a}, "
    loaded = yaml.safe_load(text + "status: {nextScanTime: 2026-01-31T09:00:00Z}}")
    assert isinstance(loaded["status"]["nextScanTime"], datetime)
    frozen = MappingProxyType({**loaded, "spec": MappingProxyType({"suspend": True})})
    assert ScanPolicy.from_object(frozen).spec.suspend
    assert ScanPolicy.from_object(loaded).status.next_scan_time == NOW


def test_metadata_that_only_kubernetes_knows_is_let_through() -> None:
    metadata = {"uid": "u", "generation": 3, "managedFields": [{"manager": "kubectl"}], "annotations": {"a": "b"}}
    policy = ScanPolicy.from_object(manifest("ScanPolicy", {"metadata": metadata}))
    assert (policy.metadata.uid, policy.metadata.generation, policy.metadata.annotations) == ("u", 3, {"a": "b"})
    assert "managedFields" not in policy.to_object()["metadata"]


@pytest.mark.parametrize(
    ("spec", "path", "rule", "hint"),
    [
        ({"schedules": "0 * * * *"}, "spec.schedules", "is not a field of this kind", "did you mean schedule?"),
        ({"time_zone": "UTC"}, "spec.time_zone", "is not a field of this kind", "did you mean timeZone?"),
        ({"notify": {"slack": {}}}, "spec.notify.slack.channel", "is missing", "add it"),
        ({"actions": {"limits": {"perMinute": 1}}}, "spec.actions.limits.perMinute", "is not a field", "perHour"),
        (
            {"approval": {"approvers": [{"user": "U1"}]}},
            "spec.approval.approvers[0].user",
            "is not a field",
            "slackUser",
        ),
        ({"resources": ["S3_BUCKET"]}, "spec.resources[0]", "is not the id of a kind", "lower-case words joined by -"),
        ({"sizing": {"minimumVcpus": 0}}, "spec.sizing.minimumVcpus", "is out of range", "at least 1"),
        ({"sizing": {"preset": "Tiny"}}, "spec.sizing.preset", "is not one of", "'MaxSavings'"),
        ({"metrics": {"lookbackDays": 456}}, "spec.metrics.lookbackDays", "is out of range", "at most 455"),
        ({"metrics": {"lookbackDays": "14"}}, "spec.metrics.lookbackDays", "has the wrong type", "whole number"),
        ({"metrics": {"lookbackDays": 1.5}}, "spec.metrics.lookbackDays", "has the wrong type", "whole number"),
        ({"suspend": "yes"}, "spec.suspend", "has the wrong type", "true or false"),
        ({"pricing": {"discountPercent": "5"}}, "spec.pricing.discountPercent", "has the wrong", "without quotes"),
        (
            {"pricing": {"discountPercent": True}},
            "spec.pricing.discountPercent",
            "has the wrong type",
            "without quotes",
        ),
        ({"pricing": {"discountPercent": 101}}, "spec.pricing.discountPercent", "is out of range", "at most 100"),
        ({"regions": "eu-west-1"}, "spec.regions", "has the wrong type", "a list"),
        ({"regions": ["eu-west-1", "eu-west-1"]}, "spec.regions", "contains duplicates", "remove"),
        ({"regions": ["eu-west-1"] * 51}, "spec.regions", "is too long", "at most 50"),
        ({"accounts": []}, "spec.accounts", "is empty", "at least one"),
        ({"schedule": "* * * *"}, "spec.schedule", "is not a cron schedule", "five fields"),
        ({"schedule": "@hourly"}, "spec.schedule", "is not a cron schedule", "five fields"),
        ({"schedule": "0 * * * *" * 20}, "spec.schedule", "is not a cron schedule", "five fields"),
        ({"timeZone": ""}, "spec.timeZone", "is not a time zone", "Europe/Berlin"),
        ({"regions": ["eu-west-1" * 9]}, "spec.regions[0]", "is not an AWS region", "eu-west-1"),
        ({"accounts": [{"name": ""}]}, "spec.accounts[0].name", "is empty", "at least one"),
        ({"accounts": ["production"]}, "spec.accounts[0]", "has the wrong type", "an object"),
        ({"schedule": 5}, "spec.schedule", "has the wrong type", "a string in quotes"),
        (
            {"selector": {"includeTags": {"a/b": "c"}}},
            "spec.selector.includeTags['a/b']",
            "has the wrong type",
            "a list",
        ),
    ],
)
def test_an_error_names_the_field_and_the_fix(spec: dict[str, Any], path: str, rule: str, hint: str) -> None:
    (field,) = _refused({"spec": spec})
    assert field.path == path
    assert field.rule.startswith(rule)
    assert hint in field.hint
    assert str(field) == f"{field.path}: {field.rule}; {field.hint}"


def test_all_wrong_fields_are_named_at_once_and_as_an_input_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        ScanPolicy.from_object(manifest("ScanPolicy", {"spec": {"timeZone": "Mars", "schedule": "hourly"}}, name="p"))
    assert str(caught.value).startswith("ScanPolicy/p is invalid: spec.schedule")
    assert "spec.timeZone" in str(caught.value)


@pytest.mark.parametrize("status", [{"nextScanTime": "2026-01-31T09:00:00"}, {"nextScanTime": "soon"}])
def test_a_time_without_its_zone_is_refused(status: dict[str, Any]) -> None:
    (field,) = _refused({"status": status})
    assert (field.path, field.hint) == (
        "status.nextScanTime",
        "write a time with its zone, such as 2026-01-31T09:00:00Z",
    )


def test_another_kind_or_version_is_refused_by_name() -> None:
    obj = {**manifest("ScanPolicy"), "apiVersion": "finops.dev/v1", "kind": "Budget"}
    with pytest.raises(InvalidObject) as caught:
        ScanPolicy.from_object(obj)
    assert [field.path for field in caught.value.fields] == ["apiVersion", "kind"]
    assert caught.value.fields[0].hint == "write finops.dev/v1alpha1"


def _nested(depth: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("spec", "path", "rule"),
    [
        ({"pricing": {"discountPercent": float("nan")}}, "spec.pricing.discountPercent", "is not a number"),
        (
            {"checks": [{"id": "ec2_instance_idle", "parameters": {"a": float("-inf")}}]},
            "spec.checks[0].parameters.a",
            "is not a number",
        ),
        ({"metrics": {"lookbackDays": 10**5000}}, "spec.metrics.lookbackDays", "is out of range"),
        ({"regions": {"eu-west-1"}}, "spec.regions", "is not plain JSON (a set)"),
        ({"schedule": b"0 * * * *"}, "spec.schedule", "is not plain JSON (a bytes)"),
        ({"timeZone": "\ud800"}, "spec.timeZone", "holds half a character"),
        (
            {"selector": {"includeTags": {"\ud800": ["a"]}}},
            "spec.selector.includeTags",
            "has a key that is not a string",
        ),
        ({"selector": {("a", "b"): 1}}, "spec.selector", "has a key that is not a string"),
        ({"regions": _nested(5000)}, "spec.regions" + "[0]" * 59, "is nested more than 60 deep"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place_and_not_raised_through(
    spec: dict[str, Any], path: str, rule: str
) -> None:
    with pytest.raises(InvalidObject) as caught:
        ScanPolicy.from_object({**manifest("ScanPolicy"), "spec": spec})
    (field,) = caught.value.fields
    assert (field.path, field.rule) == (path, rule)
    assert field.hint


def test_an_object_that_holds_itself_is_refused() -> None:
    spec: dict[str, Any] = {}
    spec["selector"] = spec
    with pytest.raises(InvalidObject, match="nested more than 60 deep"):
        ScanPolicy.from_object({**manifest("ScanPolicy"), "spec": spec})


def test_what_has_another_kind_is_shown_shortly() -> None:
    with pytest.raises(InvalidObject) as caught:
        ScanPolicy.from_object({**manifest("ScanPolicy"), "kind": ["x" * 1_000_000]})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", ["UPPER_x", "a b", "-a", "a..b", "a/b", "ü", "a\n"])
def test_a_name_that_kubernetes_refuses_is_refused(name: str) -> None:
    (field,) = _refused({"metadata": {"name": name}})
    assert field.path == "metadata.name"
    assert "nightly-scan" in field.hint


def test_a_namespace_that_kubernetes_refuses_is_refused() -> None:
    (field,) = _refused({"metadata": {"name": "a", "namespace": "Team.A"}})
    assert field.path == "metadata.namespace"


def test_an_object_without_metadata_is_refused() -> None:
    with pytest.raises(InvalidObject, match="metadata: is missing"):
        ScanPolicy.from_object({"apiVersion": "finops.dev/v1alpha1", "kind": "ScanPolicy"})


@pytest.mark.parametrize("zone", ["Local", "+02:00", "../etc/passwd", "europe", "Europe/", "/Europe/Berlin"])
def test_a_zone_must_be_in_the_database(zone: str) -> None:
    (field,) = _refused({"spec": {"timeZone": zone}})
    assert field.path == "spec.timeZone"


@pytest.mark.parametrize(
    "schedule",
    [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * *",
        "* * * * * *",
        "@daily",
    ],
)
def test_each_cron_field_has_its_range(schedule: str) -> None:
    assert [field.path for field in _refused({"spec": {"schedule": schedule}})] == ["spec.schedule"]


def test_an_accounts_grant_is_by_namespace_and_adds_up() -> None:
    allow = [
        {"namespaces": ["a", "b"], "actions": ["ec2_instance_stop"]},
        {"namespaces": ["b"], "actions": ["ebs_volume_delete"]},
        {"namespaces": ["c"]},
    ]
    spec = AwsAccount.from_object(manifest("AwsAccount", {"spec": {"allow": allow}})).spec
    assert spec.actions_for("a") == frozenset({"ec2_instance_stop"})
    assert spec.actions_for("b") == frozenset({"ec2_instance_stop", "ebs_volume_delete"})
    assert spec.actions_for("c") == frozenset()
    assert spec.actions_for("d") is None


def test_a_request_gives_back_the_plan_it_was_made_from() -> None:
    spec = ActionRequest.from_object(manifest("ActionRequest")).spec
    assert spec.to_plan() == PLAN
    assert spec.plan_is_intact
    assert tuple(map(PlannedStep.of, PLAN.steps)) == spec.plan
    assert fingerprint_texts(PLAN.fingerprint) == spec.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"plan": [{"id": "stop", "operation": "ec2:TerminateInstances", "parameters": "{}"}]},
        {"fingerprint": {"state": '"stopped"'}},
        {"resource": {"id": "i-1"}},
        {"parameters": {"force": 1}},
    ],
)
def test_a_request_whose_plan_was_tampered_with_is_not_intact(change: dict[str, Any]) -> None:
    assert not ActionRequest.from_object(manifest("ActionRequest", {"spec": change})).spec.plan_is_intact


def test_hostile_characters_in_a_plan_travel_as_ascii() -> None:
    texts = fingerprint_texts({"tags": {"Name": "<!channel> \u202e\u0000 ü"}})
    assert texts["tags"].isascii()
    spec = ActionRequest.from_object(manifest("ActionRequest", {"spec": {"fingerprint": texts}})).spec
    assert spec.to_plan().fingerprint["tags"] == {"Name": "<!channel> \u202e\u0000 ü"}


def test_votes_carry_their_column() -> None:
    status = ActionRequestStatus(state=State.PENDING, votes=Votes.of(approve=1, deny=0, required=2))
    assert status.to_dict()["votes"] == {"approve": 1, "deny": 0, "required": 2, "summary": "1/2"}


def test_a_vote_is_named_by_person_and_decision_and_owned_by_its_request() -> None:
    spec = Approval.from_object(manifest("Approval", {"spec": {"approver": SLACK_VOTER}})).spec
    vote, again = Approval.of("team-a", spec), Approval.of("team-a", spec)
    assert vote == again
    assert vote.spec.approver.person == "slack:T0123/U0123"
    (owner,) = vote.to_object()["metadata"]["ownerReferences"]
    assert owner == {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "ActionRequest",
        "name": "stop-web",
        "uid": spec.request.uid,
    }
    by_alice = ApprovalSpec(
        request=RequestReference(name="stop-web", uid=spec.request.uid),
        plan_hash=spec.plan_hash,
        decision=spec.decision,
        approver=Voter(source=Source.KUBERNETES, username="alice"),
    )
    assert Approval.of("team-a", by_alice).metadata.name != vote.metadata.name


def test_an_approver_reads_as_people_write_it() -> None:
    assert str(Approver(slack_user_group="S0123")) == "slackUserGroup S0123"
    assert Approver(kubernetes_group="sre").is_group
    assert not Approver(kubernetes_user="alice").is_group


def test_models_cannot_be_changed_in_place() -> None:
    policy = ScanPolicy.from_object(manifest("ScanPolicy"))
    with pytest.raises(ValueError, match="frozen"):
        policy.spec.suspend = True  # type: ignore[misc]  # the point of the test


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    first = with_condition((), "Ready", status=True, reason="Completed", message="", now=NOW)
    later = NOW + timedelta(minutes=1)
    second = with_condition(first, "Ready", status=True, reason="CompletedWithGaps", message="2 gaps", now=later)
    assert second[0].last_transition_time == NOW
    assert second[0].reason == "CompletedWithGaps"
    third = with_condition(
        second, "Ready", status=ConditionStatus.FALSE, reason="Failed", message="", now=later, observed_generation=2
    )
    assert (third[0].last_transition_time, third[0].observed_generation) == (later, 2)


def test_conditions_keep_their_order_and_their_neighbours() -> None:
    first = with_condition((), "Ready", status=False, reason="New", message="", now=NOW)
    both = with_condition(first, "Stalled", status=False, reason="New", message="", now=NOW)
    changed = with_condition(both, "Ready", status=True, reason="Done", message="", now=NOW)
    assert [condition.type for condition in changed] == ["Ready", "Stalled"]
    stalled = find_condition(changed, "Stalled")
    assert stalled is both[1]
    assert find_condition(changed, "Reconciling") is None


def test_what_a_validator_says_stands_without_the_name_of_its_exception() -> None:
    class Odd(BaseModel):
        days: Annotated[int, AfterValidator(_odd)]

    with pytest.raises(ValidationError) as refused:
        Odd(days=2)

    (found,) = invalid_fields(refused.value, Odd)
    assert (found.path, found.rule) == ("days", "has the wrong type or form (2 is even)")


def _odd(value: int) -> int:
    if value % 2 == 0:
        raise ValueError(f"{value} is even")
    return value
