"""The printed IAM policies are enough for what the plug-ins call, and for nothing more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from finops.domain.recommendation import ResourceRef
from finops.errors import InvalidInput
from finops_operator.cli.iam_documents import act_policy, kinds_of, scan_policy
from finops_operator.cli.main import run
from finops_operator.plugins.loaded import plugins
from finops_sandbox.aws.policy_evaluator import AccessRequest, Policy, evaluate, parse_policy


def allowed(document: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for statement in document["Statement"]:
        actions = statement["Action"]
        found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def may(policy: Policy, operation: str, resource: str, *, protected: str, attribute: str = "") -> bool:
    context = {"aws:resourcetag/finops.dev/protected": (protected,)} if protected else {}
    if attribute:
        context["ec2:attribute"] = (attribute,)
    arn = f"arn:aws:ec2:us-east-1:111111111111:{resource}"
    return evaluate([policy], AccessRequest(f"ec2:{operation}", arn, context)).allowed


def test_the_scanner_may_do_exactly_what_kinds_list_and_actions_observe() -> None:
    loaded = plugins()
    needed = {one for kind in loaded.kinds.values() for one in kind.permissions}
    needed |= {one for action in loaded.actions.values() for one in action.read_permissions}
    assert allowed(scan_policy(loaded, loaded.kinds)) == needed


def test_the_scanner_may_ask_the_price_list_only_where_that_is_wanted() -> None:
    loaded = plugins()
    usual = allowed(scan_policy(loaded, loaded.kinds))
    assert allowed(scan_policy(loaded, loaded.kinds, price_list=True)) - usual == {"pricing:GetProducts"}


def test_the_scanner_may_ask_for_the_coverage_by_commitments_only_where_that_is_wanted() -> None:
    loaded = plugins()
    usual = allowed(scan_policy(loaded, loaded.kinds))
    asked = {"ce:GetReservationCoverage", "ce:GetSavingsPlansCoverage"}
    assert allowed(scan_policy(loaded, loaded.kinds, coverage=True)) - usual == asked


def test_the_scanner_may_query_logs_only_where_that_is_wanted_and_of_kinds_that_are_read_from_logs() -> None:
    loaded, lambdas = plugins(), ["lambda-function"]
    usual = allowed(scan_policy(loaded, lambdas))
    queries = {"logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery", "logs:DescribeLogGroups"}
    assert allowed(scan_policy(loaded, lambdas, report_lines=True)) - usual == queries
    assert not any("Query" in one for one in allowed(scan_policy(loaded, loaded.kinds)))
    with pytest.raises(InvalidInput, match="kinds that are read from logs"):
        scan_policy(loaded, ["ec2-instance"], report_lines=True)


def test_the_executor_may_do_exactly_what_actions_change() -> None:
    loaded = plugins()
    assert allowed(act_policy(loaded, loaded.kinds, ())) == {
        one for action in loaded.actions.values() for one in action.permissions
    }


@pytest.mark.parametrize("action", sorted(plugins().actions))
def test_a_policy_for_one_action_allows_that_one_alone(action: str) -> None:
    assert allowed(act_policy(plugins(), plugins().kinds, [action])) == set(plugins().actions[action].permissions)


def test_a_team_grants_the_reading_of_the_services_it_chose_and_of_no_other() -> None:
    loaded = plugins()
    chosen = kinds_of(loaded, ["rds"], ["s3-bucket"])

    assert chosen == {"rds-instance", "rds-cluster", "rds-snapshot", "s3-bucket"}
    granted = allowed(scan_policy(loaded, chosen))
    assert granted >= {one for name in chosen for one in loaded.kinds[name].permissions}
    assert {one.partition(":")[0] for one in granted - {"ec2:DescribeRegions"}} == {"rds", "s3", "cloudwatch", "tag"}


@pytest.mark.parametrize("kind", sorted(plugins().kinds))
def test_a_role_for_one_kind_reads_what_its_scan_and_its_actions_read(kind: str) -> None:
    loaded = plugins()
    actions = [action for action in loaded.actions.values() if kind in action.kinds]
    needed = {"ec2:DescribeRegions"}.union(loaded.kinds[kind].permissions, *(one.read_permissions for one in actions))
    assert allowed(scan_policy(loaded, [kind])) == needed


def test_a_role_that_changes_one_service_changes_no_other() -> None:
    loaded = plugins()
    granted = allowed(act_policy(loaded, kinds_of(loaded, ["rds"], []), ()))
    assert {one.partition(":")[0] for one in granted} == {"rds"}


def test_a_role_that_changes_nothing_is_not_printed_as_an_empty_policy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", "--for", "act", "--service", "kms"]) == 2
    assert "is for what no action changes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--service", "rdss"], "there is no service 'rdss'"),
        (["--kind", "bucket"], "there is no kind 'bucket'"),
        (["--for", "act", "--action", "ec2_instance_stop", "--kind", "ec2-instance"], "--service and --kind name all"),
    ],
)
def test_what_does_not_exist_is_named(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_no_changing_call_is_allowed_on_everything_without_a_condition() -> None:
    for statement in act_policy(plugins(), plugins().kinds, ())["Statement"]:
        assert statement["Resource"] != "*" or "Condition" in statement


def test_what_carries_the_protecting_tag_cannot_be_changed() -> None:
    policy = parse_policy(act_policy(plugins(), plugins().kinds, ()))
    for operation in ("StopInstances", "ModifyVolume", "DeleteVolume"):
        kind = "instance/i-1" if operation == "StopInstances" else "volume/vol-1"
        assert may(policy, operation, kind, protected="")
        assert not may(policy, operation, kind, protected="true")


def test_an_instance_protected_while_an_act_has_it_stopped_can_be_restored_and_started() -> None:
    policy = parse_policy(act_policy(plugins(), plugins().kinds, ["ec2_instance_resize"]))
    assert may(policy, "StartInstances", "instance/i-1", protected="true")
    assert may(policy, "ModifyInstanceAttribute", "instance/i-1", protected="true", attribute="InstanceType")
    assert not may(policy, "ModifyInstanceAttribute", "instance/i-1", protected="", attribute="UserData")


_RIGHTS = dict.fromkeys(
    ("s3:PutBucketLifecycleConfiguration", "s3:DeleteBucketLifecycle"), "s3:PutLifecycleConfiguration"
)
"""Calls whose right has another name."""


@pytest.mark.parametrize("kept_days", ["0", "365"])
@pytest.mark.parametrize("action", sorted(plugins().actions))
def test_what_was_protected_in_mid_act_can_be_led_back(action: str, kept_days: str) -> None:
    loaded = plugins().actions[action]
    kind = plugins().kinds[next(iter(loaded.kinds))]
    arn = kind.arn_pattern.replace("*", "1")
    resource = ResourceRef(kind.id, kind.sample.id, arn, "111111111111", "us-east-1")
    plan = loaded.plan(resource, loaded.sample.parameters, {**loaded.sample.assumed, "retentionDays": kept_days})
    policy = parse_policy(act_policy(plugins(), plugins().kinds, [action]))
    context = {"aws:resourcetag/finops.dev/protected": ("true",), "ec2:attribute": ("InstanceType",)}
    for step in loaded.procedure.compensation(plan):
        # An instance that runs at the new type is safe as it is: a person who protects it then keeps it running.
        if step.changes and step.operation != "ec2:StopInstances":
            right = _RIGHTS.get(step.operation, step.operation)
            assert evaluate([policy], AccessRequest(right, arn, context)).allowed, step


@pytest.mark.parametrize("action", sorted(plugins().actions))
def test_only_what_also_leads_back_may_change_what_is_protected(action: str) -> None:
    loaded = plugins().actions[action]
    kind = plugins().kinds[next(iter(loaded.kinds))]
    arn = kind.arn_pattern.replace("*", "1")
    resource = ResourceRef(kind.id, kind.sample.id, arn, "111111111111", "us-east-1")
    plan = loaded.plan(resource, loaded.sample.parameters, loaded.sample.assumed)
    policy = parse_policy(act_policy(plugins(), plugins().kinds, [action]))
    context = {"aws:resourcetag/finops.dev/protected": ("true",), "ec2:attribute": ("InstanceType",)}
    called = [_RIGHTS.get(step.operation, step.operation) for step in plan.steps if step.changes]
    may_change = {right for right in called if evaluate([policy], AccessRequest(right, arn, context)).allowed}
    assert may_change <= {*loaded.rights.rollback, "ec2:ModifyInstanceAttribute"}


def test_the_command_prints_a_document_that_iam_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", "--for", "act"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() for sid in sids)
    # The policies inside a role hold at most 10,240 characters without white space together (IAM quotas).
    assert len(json.dumps(document, separators=(",", ":"))) < 10_240


def test_statements_of_two_actions_with_one_sid_are_one_statement() -> None:
    declared: dict[str, object] = {}
    for action in plugins().actions.values():
        for statement in (*action.rights.further, *action.rights.narrowed):
            assert declared.setdefault(str(statement["Sid"]), statement) == statement, f"{action.id}: one would be lost"


def test_an_unknown_action_is_wrong_usage_and_the_known_ones_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["iam-policy", "--for", "act", "--action", "ec2_terminate"]) == 2
    told = capsys.readouterr().err
    assert "--action" in told
    assert "ec2_instance_stop" in told


def test_who_writes_the_ledger_may_add_to_its_bucket_and_neither_delete_nor_unlock(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["iam-policy", "--for", "ledger", "--bucket", "s3://acme/ledger"]) == 0
    found = {one["Resource"]: set(one["Action"]) for one in json.loads(capsys.readouterr().out)["Statement"]}
    assert found == {
        "arn:aws:s3:::acme": {"s3:GetBucketObjectLockConfiguration", "s3:ListBucketVersions"},
        "arn:aws:s3:::acme/ledger/*": {
            *("s3:PutObject", "s3:PutObjectRetention", "s3:GetObjectVersion", "s3:GetObjectRetention"),
        },
    }


@pytest.mark.parametrize(
    "arguments",
    [["--for", "ledger"], ["--bucket", "s3://a/b"], ["--for", "ledger", "--bucket", "s3://a", "--kind", "x"]],
)
def test_a_bucket_and_the_ledger_go_together_and_with_nothing_else(arguments: list[str]) -> None:
    assert run(["iam-policy", *arguments]) == 2
