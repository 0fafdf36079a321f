"""ecs_service_set_desired_count: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.unit.services.ecs.containers import SERVICES, measured, service

from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watch_shape import PERMISSIONS
from finops_operator.services.ecs.actions.ecs_service_set_desired_count import ACTION
from finops_operator.services.ecs.checks.ecs_service_idle import CHECK

_ARN: Final = "arn:aws:ecs:us-east-1:111111111111:service/shop/web"
_SERVICE: Final = ResourceRef("ecs-service", "shop/web", _ARN, "111111111111", "us-east-1")
_NONE: Final[dict[str, Any]] = {"desiredCount": 0}
_SCALING: Final = "application-autoscaling:DescribeScalableTargets"
_DESCRIBED: Final[dict[str, Any]] = {
    "serviceName": "web",
    "status": "ACTIVE",
    "desiredCount": 2,
    "runningCount": 2,
    "createdAt": "2026-01-01T00:00:00+00:00",
    "taskDefinition": "web:7",
    "schedulingStrategy": "REPLICA",
    "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
}


def reader(tags: dict[str, str] | None = None, scaled: str = "", **described: Any) -> CannedReader:
    listed = [{"key": key, "value": value} for key, value in (tags or {}).items()]
    return CannedReader(
        {
            "ecs:DescribeServices": {"services": [_DESCRIBED | {"tags": listed} | described]},
            _SCALING: {"ScalableTargets": [{"ResourceId": scaled}] if scaled else []},
        }
    )


def observed(tags: dict[str, str] | None = None, scaled: str = "", **described: Any) -> Observation:
    return ACTION.observe(reader(tags, scaled, **described), Target(_SERVICE, _NONE))


def scaled_in(running: int = 0) -> Observation:
    return observed(desiredCount=0, runningCount=running)


def codes(seen: Observation, facts: PolicyFacts | None = None, wanted: int = 0) -> list[str]:
    return [one.code for one in ACTION.preflight(seen, {"desiredCount": wanted}, facts or PolicyFacts())]


def test_nothing_speaks_against_a_steady_service_that_nobody_else_scales() -> None:
    assert codes(observed({"team": "shop"})) == []
    assert codes(observed(scaled="service/shop/api")) == []
    assert codes(observed(), wanted=1) == []
    # AWS leaves out a controller that was never set.
    assert codes(observed(deploymentController={"type": "ECS"})) == []


_ROLLING: Final = [{"status": "PRIMARY", "rolloutState": "COMPLETED"}, {"status": "ACTIVE"}]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"DoNotStop": "yes"}), "Protected"),
        (observed({"legal hold": ""}), "KeptByTag"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"copilot-application": "shop"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"terraform": "true"}), "OwnedByTemplate"),
        (observed(schedulingStrategy="DAEMON"), "Daemon"),
        (observed(deploymentController={"type": "EXTERNAL"}), "ExternalController"),
        (observed(deploymentController={"type": "CODE_DEPLOY"}), "ExternalController"),
        (observed(resourceManagementType="ECS"), "ManagedByService"),
        (observed(scaled="service/shop/web"), "AutoScaled"),
        (observed(status="DRAINING"), "NotActive"),
        (observed(deployments=_ROLLING), "DeploymentUnderWay"),
        (observed(deployments=[{"status": "PRIMARY", "rolloutState": "IN_PROGRESS"}]), "DeploymentUnderWay"),
        (observed(createdAt=None), "CreationUnknown"),
        (observed(deployments=None), "DeploymentUnderWay"),
        (observed(deployments=[]), "DeploymentUnderWay"),
        (observed(loadBalancers=[{"targetGroupArn": "arn"}]), "BehindLoadBalancer"),
        (observed(runningCount=None), "CountUnknown"),
        (observed(runningCount=1), "NotSteady"),
        (observed(runningCount=3), "NotSteady"),
        (observed(desiredCount=0, runningCount=0), "CountNotLower"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


@pytest.mark.parametrize("wanted", [2, 3])
def test_as_many_tasks_or_more_are_no_saving(wanted: int) -> None:
    assert codes(observed(), wanted=wanted) == ["CountNotLower"]


def test_a_service_that_must_not_stop_may_run_fewer_tasks() -> None:
    assert codes(observed({"DoNotStop": "yes"}), wanted=1) == []


def test_a_service_behind_a_load_balancer_may_run_fewer_tasks() -> None:
    assert codes(observed(loadBalancers=[{"targetGroupArn": "arn"}]), wanted=1) == []


def test_the_warning_of_protected_tasks_names_when_a_person_is_called() -> None:
    (warning,) = (one for one in ACTION.warnings(observed(), _NONE) if "scale-in protection" in one)
    minutes = ACTION.procedure.steps["wait_scaled"].timeout_seconds / 60
    assert warning.endswith(f"a person is called after {minutes:.0f} minutes.")


def test_what_was_not_read_is_refused() -> None:
    partial = ACTION.observe(reader(), Target(_SERVICE, _NONE, full=False))
    assert codes(partial) == ["AutoScaled"]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("wanted", [None, -1, 5000, "0", True, 1.5])
def test_only_a_number_of_tasks_that_aws_takes_makes_a_plan(wanted: Any) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_SERVICE, {"desiredCount": wanted}, observed().fingerprint)


def test_a_service_or_a_cluster_that_is_gone_does_not_exist_and_other_refusals_are_no_absence() -> None:
    def answered(code: str) -> CannedReader:
        return CannedReader({"ecs:DescribeServices": AwsRejected("no", operation="ecs:DescribeServices", code=code)})

    target = Target(_SERVICE, _NONE)
    assert not ACTION.observe(answered("ClusterNotFoundException"), target).exists
    assert not ACTION.observe(CannedReader({"ecs:DescribeServices": {"failures": [{}]}}), target).exists
    assert not observed(status="INACTIVE").exists
    with pytest.raises(AwsRejected):
        ACTION.observe(answered("InvalidParameterException"), target)


@pytest.mark.parametrize(
    "other",
    [
        observed(status="DRAINING"),
        observed(desiredCount=3),
        observed(createdAt="2026-02-01T00:00:00+00:00"),
        observed(taskDefinition="web:8"),
        observed({"team": "shop"}),
    ],
    ids=["state", "count", "made anew", "deployed", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_it_sets_the_count_and_a_turned_act_sets_the_old_one_again() -> None:
    plan = ACTION.plan(_SERVICE, _NONE, observed().fingerprint)
    (call, _), (back, _) = plan.steps, ACTION.procedure.compensation(plan)
    assert (call.operation, call.parameters) == (
        "ecs:UpdateService",
        {"cluster": "shop", "service": "web", "desiredCount": 0},
    )
    assert call.inverse == back.id
    assert (back.operation, back.parameters) == (
        "ecs:UpdateService",
        {"cluster": "shop", "service": "web", "desiredCount": 2},
    )


def test_each_session_may_change_this_service_alone_and_reads_are_those_declared() -> None:
    found = list(granted(ACTION, ACTION.plan(_SERVICE, _NONE, observed().fingerprint)))
    assert {(permission, arn) for _, permission, arn in found} == {("ecs:UpdateService", _ARN)}
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)
    asked = reader()
    ACTION.observe(asked, Target(_SERVICE, _NONE))
    # What its watch reads besides: see test_watches_of_settings.
    assert asked.operations == set(ACTION.read_permissions) - {*PERMISSIONS}


def test_it_is_done_once_the_tasks_are_stopped_and_back_once_they_run() -> None:
    plan = ACTION.plan(_SERVICE, _NONE, observed().fingerprint)
    rules = ACTION.procedure
    assert rules.steps["set_count"].reached(plan, scaled_in(running=2))
    assert not rules.verified(plan, scaled_in(running=1))
    assert not rules.steps["wait_scaled"].reached(plan, observed(desiredCount=0, runningCount=None))
    assert rules.verified(plan, scaled_in())
    assert rules.steps["wait_scaled"].failed(plan, observed(createdAt="later", desiredCount=0, runningCount=0))
    # A count that AWS does not show yet may be about to show.
    assert not rules.steps["wait_scaled"].failed(plan, observed())
    assert not rules.restored(plan, scaled_in())
    assert not rules.restored(plan, observed(runningCount=1))
    assert not rules.restored(plan, observed(runningCount=None))
    assert rules.restored(plan, observed())


@pytest.mark.parametrize("step", ["set_count", "restore"])
@pytest.mark.parametrize(
    ("seen", "clause"),
    [
        (observed(), ""),
        (scaled_in(), ""),
        (observed(desiredCount=5, runningCount=1), "somebody set another count meanwhile"),
        (
            observed(desiredCount=0, createdAt="2026-02-01T00:00:00+00:00"),
            "it was deleted, and somebody made another one under its name",
        ),
        (Observation(exists=False), ""),
    ],
    ids=["old count", "new count", "another count", "made anew", "gone"],
)
def test_what_somebody_else_made_of_it_is_theirs(seen: Observation, clause: str, step: str) -> None:
    plan = ACTION.plan(_SERVICE, _NONE, observed().fingerprint)
    assert ACTION.procedure.steps[step].taken(plan, Journal(), seen, 0.0) == clause


@pytest.mark.parametrize(
    ("wanted", "change", "consequence", "down"),
    [
        (
            0,
            "Desired count: 2 tasks → 0 tasks",
            "All of its tasks are stopped.",
            "Until someone raises the count again",
        ),
        (
            1,
            "Desired count: 2 tasks → 1 task",
            "The tasks beyond that number are stopped.",
            "None for the tasks that stay",
        ),
    ],
)
def test_the_card_names_both_counts_and_what_stops(wanted: int, change: str, consequence: str, down: str) -> None:
    parameters = {"desiredCount": wanted}
    words = ACTION.words(observed(), parameters, ACTION.plan(_SERVICE, parameters, observed().fingerprint))
    assert (words.change, words.consequence, words.downtime) == (change, consequence, down)
    assert words.undo == "On a failure it gets 2 tasks again by itself. Later: set its desired count back."
    assert [(fact.label, fact.value) for fact in words.facts] == [("Running tasks", "2")]
    first = ACTION.warnings(observed(), parameters)[0]
    assert first.startswith("Nothing answers" if wanted == 0 else "The tasks that stay")
    assert all(len(warning) <= 250 for warning in ACTION.warnings(observed(), parameters))


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(), "The service wants 2 tasks; 2 of them run."),
        (scaled_in(), "The service wants 0 tasks; 0 of them run."),
        (Observation(exists=False), "The service does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_SERVICE, _NONE, observed().fingerprint), seen) == sentence


def test_every_change_has_two_minutes_to_show() -> None:
    assert min(rules.settle_seconds for rules in ACTION.procedure.steps.values()) >= 120


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Properties: DesiredCount: 0"),
        ("Terraform", "desired_count = 0"),
        ("AWS Copilot", "Wanted: 0 tasks"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), service(), _NONE) == patch


def test_the_check_of_idle_services_proposes_none_of_its_tasks() -> None:
    found = SERVICES.found(CHECK, service(), measured())
    assert (found.action, found.parameters) == (ACTION.id, _NONE)
    ACTION.plan(_SERVICE, found.parameters, observed().fingerprint)


def undo_of(left: Observation) -> Plan:
    assert ACTION.undo is not None
    parameters = ACTION.undo.parameters(ACTION.plan(_SERVICE, _NONE, observed().fingerprint), {})
    return ACTION.plan(_SERVICE, parameters, left.fingerprint)


def test_an_undo_wants_the_old_count_again_and_waits_until_its_tasks_run() -> None:
    undo = undo_of(scaled_in())

    assert undo.steps[0].parameters["desiredCount"] == 2
    assert not ACTION.procedure.verified(undo, observed(runningCount=1))
    assert ACTION.procedure.verified(undo, observed(runningCount=2))
    assert not ACTION.procedure.restored(undo, scaled_in(running=1))
    assert ACTION.procedure.restored(undo, scaled_in())


@pytest.mark.parametrize(
    ("left", "codes"),
    [
        (scaled_in(), []),
        (observed({"finops.dev/protected": "true", "terraform": "true"}, desiredCount=0, runningCount=0), []),
        (observed(desiredCount=0, runningCount=0, loadBalancers=[{"targetGroupArn": "arn"}]), []),
        (observed(scaled="service/shop/web", desiredCount=0, runningCount=0), ["AutoScaled"]),
        (scaled_in(running=1), ["NotSteady"]),
        (observed(), ["NotBack"]),
        (Observation(exists=False), ["NotFound"]),
    ],
)
def test_what_forbids_fewer_tasks_does_not_forbid_the_undo(left: Observation, codes: list[str]) -> None:
    parameters = undo_of(scaled_in()).parameters
    assert [one.code for one in ACTION.preflight(left, parameters, PolicyFacts())] == codes


def test_the_card_of_an_undo_says_that_tasks_start() -> None:
    undo = undo_of(scaled_in())
    words = ACTION.words(scaled_in(), undo.parameters, undo)

    assert words.change == "Desired count: 0 tasks → 2 tasks"
    assert words.consequence == "Its tasks are started again, and cost as much as before."
    assert words.steps["wait_scaled"] == "Wait until its tasks run"
    assert words.steps["wait_restored"] == "Wait until the other tasks are stopped"
    assert ACTION.warnings(scaled_in(), undo.parameters)[0].startswith("Its tasks begin with empty disks.")
