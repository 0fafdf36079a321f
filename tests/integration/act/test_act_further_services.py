"""Acts of services without dry runs: what is led back, what people changed meanwhile, and what AWS refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, prepare, run_to_end
from tests.support.act_cases import CASES, find
from tests.support.act_world import (
    ACCESS,
    ACCOUNT,
    ACTIONS,
    LONGEST_NAME,
    REGION,
    TENANT,
    World,
    make_sessions,
    propose,
    vote,
)

from finops.audit_verify.plan import problem_of_undo
from finops.domain.decision import State
from finops.domain.execution import Observation
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.executor import Executor
from finops_operator.acts.progress import ActResult
from finops_operator.plugins.action import PolicyFacts, Target
from finops_sandbox.aws.double import AwsDouble


def seen(world: World, name: str, action: str, **parameters: Any) -> Observation:
    reader = make_sessions(world.clock).reader(ACCESS, REGION, tenant=TENANT)
    return ACTIONS[action].observe(reader, Target(find(name), parameters))


def proposed(world: World, action: str, name: str, **parameters: Any) -> tuple[ActRequest, DurableLedger]:
    world.sessions = make_sessions(world.clock)
    request = propose(world.sessions, ACTIONS[action], find(name), parameters, uid="u1")
    ledger = world.ledger()
    vote(ledger, request, world.clock)
    return request, ledger


def never_verified(world: World, request: ActRequest, ledger: DurableLedger) -> ActResult:
    """Run to the end an act whose end state never reads back, so that it turns."""
    action = ACTIONS[request.plan.action]
    procedure = replace(action.procedure, verified=lambda _plan, _now: False)
    executor: Executor = replace(world.executor(ledger), actions={action.id: replace(action, procedure=procedure)})
    for _ in range(2000):
        result = executor.run(request)
        if result.retry_after_seconds is None:
            return result
        world.clock.sleep(result.retry_after_seconds)
    raise AssertionError(result)


@pytest.mark.parametrize(
    ("action", "name", "parameters", "changes", "fact"),
    [
        (
            "log_group_set_retention",
            "application",
            {"retentionInDays": 90},
            {"PutRetentionPolicy": 1, "DeleteRetentionPolicy": 1},
            {"retentionDays": "0"},
        ),
        (
            "log_group_set_retention",
            "audit-trail",
            {"retentionInDays": 90},
            {"PutRetentionPolicy": 2},
            {"retentionDays": "365"},
        ),
        ("rds_instance_stop", "reports", {}, {"StopDBInstance": 1, "StartDBInstance": 1}, {"state": "available"}),
        (
            "rds_instance_resize",
            "reports",
            {"dbInstanceClass": "db.m5.xlarge", "apply": "now"},
            {"ModifyDBInstance": 2},
            {"class": "db.m5.large", "pendingClass": ""},
        ),
        (
            "rds_instance_resize",
            "reports",
            {"dbInstanceClass": "db.m5.xlarge"},
            {"ModifyDBInstance": 2},
            {"class": "db.m5.large", "pendingClass": ""},
        ),
        ("rds_cluster_stop", "shop", {}, {"StopDBCluster": 1, "StartDBCluster": 1}, {"state": "available"}),
        (
            "dynamodb_table_set_mode",
            "orders",
            {"billingMode": "PAY_PER_REQUEST"},
            {"UpdateTable": 2},
            {"billingMode": "PROVISIONED", "capacity": "100/50", "indexes": "by-date=5/5"},
        ),
        (
            "ecs_service_set_desired_count",
            "main/web",
            {"desiredCount": 0},
            {"UpdateService": 2},
            {"desiredCount": "2", "runningCount": "2"},
        ),
        (
            "auto_scaling_group_resize",
            "workers",
            {"size": "1/1/2"},
            {"UpdateAutoScalingGroup": 2},
            {"size": "1/2/4"},
        ),
        (
            "eks_nodegroup_resize",
            "main/nodes",
            {"size": "0/1/4"},
            {"UpdateNodegroupConfig": 2},
            {"size": "1/2/4", "state": "ACTIVE"},
        ),
        (
            "lambda_function_set_memory",
            "thumbnails",
            {"memoryMb": 256},
            {"UpdateFunctionConfiguration": 2},
            {"memoryMb": "1024", "update": "Successful"},
        ),
        (
            "s3_bucket_set_lifecycle",
            "finops-tests-media",
            {"abortUploadsAfterDays": 7},
            {"PutBucketLifecycleConfiguration": 2},
            {},
        ),
        (
            "s3_bucket_set_lifecycle",
            "finops-tests-empty",
            {"abortUploadsAfterDays": 7},
            {"PutBucketLifecycleConfiguration": 1, "DeleteBucketLifecycle": 1},
            {"lifecycle": "[]"},
        ),
    ],
)
def test_an_act_that_turns_back_restores_what_was_observed(
    action: str,
    name: str,
    parameters: dict[str, Any],
    changes: dict[str, int],
    fact: dict[str, str],
    world: World,
    aws: AwsDouble,
) -> None:
    before = seen(world, name, action, **parameters)
    request, ledger = proposed(world, action, name, **parameters)
    result = never_verified(world, request, ledger)
    assert result.state is State.ROLLED_BACK, result
    after = seen(world, name, action, **parameters)
    # Every change of a function makes a revision of its own.
    revisions = {"revisionId"}
    assert {name for name in before.fingerprint if after.fingerprint[name] != before.fingerprint[name]} <= revisions
    assert fact.items() <= after.facts.items()
    assert effects(aws.calls) == changes
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_group_is_observed_with_its_tags_and_its_neighbours_are_not_taken_for_it(
    world: World, aws: AwsDouble
) -> None:
    assert seen(world, "application", "log_group_set_retention").facts["tags"] == {"team": "web"}
    assert seen(world, "audit-trail", "log_group_set_retention").text("retentionDays") == "365"


def test_the_longest_name_that_aws_takes_is_acted_on_like_any_other(world: World, aws: AwsDouble) -> None:
    request, ledger = proposed(world, "log_group_set_retention", LONGEST_NAME, retentionInDays=30)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert seen(world, LONGEST_NAME, "log_group_set_retention").text("retentionDays") == "30"
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_retention_that_somebody_set_after_the_vote_makes_the_act_stale(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "log_group_set_retention")
    aws.control.change(request.plan.resource.account, REGION, "log-group:application", {"retention": 30})
    assert run_to_end(world, request, ledger).state is State.STALE
    assert effects(aws.calls) == {}


def test_a_retention_that_somebody_changed_right_after_the_call_is_left_alone(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "log_group_set_retention")
    account = request.plan.resource.account
    world.passage = at(
        "outcome.after", lambda: aws.control.change(account, REGION, "log-group:application", {"retention": 30})
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert result.message.endswith("The log group keeps its events for 30 days.")
    assert effects(aws.calls) == {"PutRetentionPolicy": 1}


def test_a_database_that_somebody_starts_while_it_is_stopping_is_left_alone(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_instance_stop")
    account = request.plan.resource.account
    world.passage = at(
        "outcome.after", lambda: aws.control.change(account, REGION, "db:reports", {"state": "starting"})
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "somebody started it while we were stopping it; it is left alone" in result.message
    assert "The database is starting" in result.message
    assert effects(aws.calls) == {"StopDBInstance": 1}


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        ("elastic_ip_release", "ReleaseAddress"),
        ("nat_gateway_delete", "DeleteNatGateway"),
        ("ebs_snapshot_delete", "DeleteSnapshot"),
        ("log_group_set_retention", "PutRetentionPolicy"),
        ("rds_instance_stop", "StopDBInstance"),
        ("rds_instance_start", "StartDBInstance"),
        ("rds_instance_resize", "ModifyDBInstance"),
        ("rds_instance_delete", "DeleteDBInstance"),
        ("rds_cluster_stop", "StopDBCluster"),
        ("rds_cluster_start", "StartDBCluster"),
        ("dynamodb_table_set_mode", "UpdateTable"),
        ("ecs_service_set_desired_count", "UpdateService"),
        ("lambda_function_set_memory", "UpdateFunctionConfiguration"),
        ("rds_snapshot_delete", "DeleteDBSnapshot"),
        ("s3_bucket_set_lifecycle", "PutBucketLifecycleConfiguration"),
    ],
)
@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "http_error", "throttle"])
def test_a_lost_answer_or_a_call_that_never_arrived_ends_in_one_effect(
    fault: str, action: str, operation: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    service = ACTIONS[action].permissions[0].partition(":")[0]
    aws.control.inject({"kind": fault, "service": service, "action": operation, "count": 1})
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    assert effects(aws.calls) == {operation: 1}
    check(aws.calls, world.ledger_path, session=request.name)


_SHOWN: dict[str, tuple[str, dict[str, Any], str]] = {
    "log_group_set_retention": ("log-group:application", {"retention": 90}, "PutRetentionPolicy"),
    "rds_instance_stop": ("db:reports", {"state": "stopped"}, "StopDBInstance"),
    "dynamodb_table_set_mode": ("table/orders", {"mode": "PAY_PER_REQUEST"}, "UpdateTable"),
    "ecs_service_set_desired_count": ("service/main/web", {"desired": 0}, "UpdateService"),
}
"""What AWS shows once it has carried the act's call out."""


@pytest.mark.parametrize("action", sorted(_SHOWN))
def test_a_call_without_an_answer_whose_effect_shows_after_its_time_is_carried_on(
    action: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    account, (name, shown, operation) = request.plan.resource.account, _SHOWN[action]
    service = ACTIONS[action].permissions[0].partition(":")[0]
    aws.control.inject({"kind": "drop_before", "service": service, "action": operation, "count": 1})
    world.passage = at("settle.after", lambda: aws.control.change(account, REGION, name, shown))
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    results = [record["result"] for record in records(world.ledger_path) if record["step"] == request.plan.steps[0].id]
    assert results[:3] == ["", "unknown", "absent"]
    # A stop of what is stopped is refused, which says nothing about the first call; the others are taken twice.
    assert results[3:] == (["", "unknown", "recovered"] if action == "rds_instance_stop" else ["", "ok"])
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_call_that_aws_denies_ends_the_act_with_nothing_changed(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "log_group_set_retention")
    aws.control.inject({"kind": "deny", "service": "logs", "action": "PutRetentionPolicy"})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "AccessDenied" in result.message
    assert effects(aws.calls) == {}


def test_a_fifth_change_of_mode_in_a_day_ends_the_act_and_says_why(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "dynamodb_table_set_mode")
    message = "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 24 hours."
    fault = {"kind": "error", "service": "dynamodb", "action": "UpdateTable", "code": "LimitExceededException"}
    aws.control.inject({**fault, "message": message})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert result.message.startswith("AWS refused it for one of two limits: the table's four changes to on-demand mode")
    assert effects(aws.calls) == {}
    assert [call.action for call in aws.calls if not call.dry_run] == ["UpdateTable"]
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_table_that_somebody_provisioned_again_is_left_alone(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "dynamodb_table_set_mode")
    account = request.plan.resource.account
    change = {"mode": "PROVISIONED", "capacity": [7, 7]}
    world.passage = at("outcome.after", lambda: aws.control.change(account, REGION, "table/orders", change))
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert result.message.endswith("The table is ACTIVE with 7 read and 7 write units.")
    assert effects(aws.calls) == {"UpdateTable": 1}


def test_a_count_that_somebody_else_set_is_left_alone(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ecs_service_set_desired_count")
    account = request.plan.resource.account
    world.passage = at("outcome.after", lambda: aws.control.change(account, REGION, "service/main/web", {"desired": 5}))
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "somebody set another count meanwhile; it is left alone" in result.message
    assert result.message.endswith("The service wants 5 tasks; 5 of them run.")
    assert effects(aws.calls) == {"UpdateService": 1}


def test_a_service_that_was_scaled_after_the_vote_makes_the_act_stale(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ecs_service_set_desired_count")
    aws.control.change(request.plan.resource.account, REGION, "service/main/web", {"desired": 3})
    assert run_to_end(world, request, ledger).state is State.STALE
    assert effects(aws.calls) == {}


def test_a_service_that_auto_scaling_took_over_after_the_vote_is_not_touched(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ecs_service_set_desired_count")
    aws.control.change(request.plan.resource.account, REGION, "service/main/web", {"scaled": True})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "Application Auto Scaling sets its count" in result.message
    assert effects(aws.calls) == {}


def test_a_function_that_somebody_changed_right_before_the_call_is_refused_by_aws(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "lambda_function_set_memory")
    account = request.plan.resource.account
    world.passage = at(
        "intent.after", lambda: aws.control.change(account, REGION, "function:thumbnails", {"memory": 2048})
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "memoryMb was 1024, is 2048" in result.message
    assert [record["detail"]["code"] for record in records(world.ledger_path) if record["result"] == "rejected"] == [
        "PreconditionFailedException"
    ]
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize(
    "change", [{"shared": ["222222222222"]}, {"state": "copying"}], ids=["shared", "not available"]
)
def test_a_snapshot_that_somebody_needs_since_the_vote_is_kept(
    change: dict[str, Any], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "rds_snapshot_delete")
    aws.control.change(request.plan.resource.account, REGION, "db-snapshot:before-upgrade", change)
    assert run_to_end(world, request, ledger).state is State.STALE
    assert effects(aws.calls) == {}


def test_a_snapshot_of_a_database_that_was_deleted_after_the_vote_is_kept(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_snapshot_delete")
    aws.control.change(request.plan.resource.account, REGION, "db:reports", {"delete": True})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "it may be the last copy" in result.message
    assert effects(aws.calls) == {}


def test_a_lifecycle_rule_is_added_to_those_that_are_there(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "s3_bucket_set_lifecycle")
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    shown = aws.control.resource(request.plan.resource.account, REGION, "bucket:finops-tests-media")
    assert shown["rules"] == ["old logs", "finops-abort-incomplete-uploads"]
    assert shown["aborted"] == {"finops-abort-incomplete-uploads": 7}


def test_rules_as_long_as_people_are_shown_are_kept_to_the_letter(world: World, aws: AwsDouble) -> None:
    rules = [
        {
            "ID": f"rule {number}",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": f"part-{number}/", "Tag": [{"Key": "class", "Value": "old"}]}},
            "Expiration": {"Date": "2031-01-01T00:00:00.000Z"},
            "NoncurrentVersionExpiration": {"NoncurrentDays": "30"},
        }
        for number in range(12)
    ]
    aws.control.change(ACCOUNT, REGION, "bucket:finops-tests-empty", {"rules": rules})
    before = seen(world, "finops-tests-empty", "s3_bucket_set_lifecycle")
    assert 2500 < len(before.text("lifecycle")) <= 3000
    request, ledger = proposed(world, "s3_bucket_set_lifecycle", "finops-tests-empty", abortUploadsAfterDays=7)
    assert ACTIONS[request.plan.action].preflight(before, request.plan.parameters, PolicyFacts()) == ()
    assert never_verified(world, request, ledger).state is State.ROLLED_BACK
    assert seen(world, "finops-tests-empty", "s3_bucket_set_lifecycle").facts == before.facts
    assert effects(aws.calls) == {"PutBucketLifecycleConfiguration": 2}
    check(aws.calls, world.ledger_path, session=request.name)


_OTHER_RULES: dict[str, Any] = {
    "rules": [{"ID": "new", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": "1"}}]
}


def test_lifecycle_rules_that_somebody_set_after_the_vote_are_not_replaced(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "s3_bucket_set_lifecycle")
    account = request.plan.resource.account
    aws.control.change(account, REGION, "bucket:finops-tests-media", _OTHER_RULES)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "its rules changed" in result.message
    assert effects(aws.calls) == {}


def test_lifecycle_rules_that_somebody_set_right_after_the_call_are_left_alone(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "s3_bucket_set_lifecycle")
    account = request.plan.resource.account
    bucket = "bucket:finops-tests-media"
    world.passage = at("outcome.after", lambda: aws.control.change(account, REGION, bucket, _OTHER_RULES))
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "somebody set other lifecycle rules meanwhile; it is left alone" in result.message
    assert effects(aws.calls) == {"PutBucketLifecycleConfiguration": 1}


def test_a_start_that_finds_no_room_is_tried_until_there_is_some(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "rds_instance_stop")
    aws.control.inject({"kind": "capacity", "instanceType": "db.m5.large", "count": 3})
    result = never_verified(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert seen(world, "reports", "rds_instance_stop").text("state") == "available"
    refused = [one for one in records(world.ledger_path) if one["result"] == "rejected"]
    assert [one["detail"]["code"] for one in refused] == ["InsufficientDBInstanceCapacity"] * 3
    check(aws.calls, world.ledger_path, session=request.name)


def test_the_undo_of_a_stop_starts_the_database_once_and_reads_back_that_it_is_available(
    world: World, aws: AwsDouble
) -> None:
    database = find("reports")
    aws.control.change(database.account, REGION, "db:reports", {"state": "stopped"})
    request, ledger = proposed(world, "rds_instance_stop", "reports", endState="available")

    result = run_to_end(world, request, ledger)

    assert result.state is State.SUCCEEDED
    assert effects(aws.calls) == {"StartDBInstance": 1}
    assert seen(world, "reports", "rds_instance_stop").text("state") == "available"
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize(
    "action",
    [
        "dynamodb_table_set_mode",
        "ecs_service_set_desired_count",
        "lambda_function_set_memory",
        "log_group_set_retention",
        "s3_bucket_set_lifecycle",
    ],
)
def test_the_undo_of_a_setting_restores_what_was_there_before_the_act(
    action: str, world: World, aws: AwsDouble
) -> None:
    name, parameters, (operation,) = CASES[action]
    before = seen(world, name, action)
    act, ledger = proposed(world, action, name, **parameters)
    assert run_to_end(world, act, ledger).state is State.SUCCEEDED
    undo = ACTIONS[action].undo
    assert undo is not None
    assert undo.changed(act.plan, seen(world, name, action)) == ""

    back = propose(make_sessions(world.clock), ACTIONS[action], find(name), {**undo.parameters(act.plan, {})}, uid="u2")
    left = seen(world, name, action)
    assert ACTIONS[action].preflight(left, back.plan.parameters, PolicyFacts()) == ()
    vote(ledger, back, world.clock)
    assert run_to_end(world, back, ledger).state is State.SUCCEEDED

    after = seen(world, name, action)
    assert {one for one in before.facts if after.facts[one] != before.facts[one]} <= {"revisionId"}
    assert sum(effects(aws.calls).values()) == 2
    assert effects(aws.calls)[operation] >= 1
    assert problem_of_undo(act.plan.to_json(), back.plan.to_json()) == ""
    # What the act had set is no longer there: it is not undone twice.
    assert undo.changed(act.plan, after)
