"""What shows in the hours after a setting was changed: each service's signs, judged against those before the act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.watching import Health, Sign, verdict
from finops.errors import AwsDenied
from finops_operator.plugins.action import Action, WatchedAct
from finops_operator.plugins.watch_shape import Load, Missing, above, above_highest, load_sign
from finops_operator.plugins.watched import GET_METRICS
from finops_operator.services.autoscaling.actions.auto_scaling_group_resize import ACTION as GROUP
from finops_operator.services.awslambda.actions.lambda_function_set_memory import ACTION as FUNCTION
from finops_operator.services.dynamodb.actions.dynamodb_table_set_mode import ACTION as TABLE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as VOLUME
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_start import ACTION as START
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.services.ecs.actions.ecs_service_set_desired_count import ACTION as SERVICE
from finops_operator.services.eks.actions.eks_nodegroup_resize import ACTION as NODES

_SINCE: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_TARGET_GROUP: Final = "arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/shop/1"
_DAY: Final = 285
"""Periods of 5 minutes in a day, without those in which an act settles."""
_BAD: Final = [1.0] * 3
"""So many periods are more than 1 % of a day, and two are not."""


def act(name: str, parameters: Mapping[str, Any], **changes: Any) -> WatchedAct:
    watched = WatchedAct(
        resource=ResourceRef("kind", name, f"arn:aws:x:us-east-1:111111111111:{name}", "111111111111", "us-east-1"),
        parameters=parameters,
        promised={},
        started=_SINCE - timedelta(minutes=5),
        since=_SINCE,
        until=_SINCE + timedelta(hours=24),
        now=_SINCE + timedelta(hours=24),
    )
    return replace(watched, **changes)


@dataclass(slots=True)
class Aws(CannedReader):
    """Answers reads from a table, and CloudWatch by metric: values before the act and after it."""

    metrics: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation != GET_METRICS or operation in self.answers:
            return CannedReader.read(self, operation, parameters)
        self.asked.append((operation, parameters))
        before = parameters["EndTime"] < _SINCE
        results = []
        for query in parameters["MetricDataQueries"]:
            values = self.metrics.get(query["MetricStat"]["Metric"]["MetricName"], ((), ()))[0 if before else 1]
            results.append({"Id": query["Id"], "Values": values, "StatusCode": "Complete"})
        return {"MetricDataResults": results}


def signs(action: Action, watched: WatchedAct, aws: CannedReader) -> tuple[Sign, ...]:
    assert action.watch is not None
    return action.watch.signs(aws, watched)


# -- the shape ---------------------------------------------------------------------------------------------------------

_ERRORS: Final = Load("errors", "Errors", "Sum", "It failed", "It works.", Missing.IDLE)
_CPU: Final = Load("CPU", "CPU", "Maximum", "It was above {limit:.0f} %", "It has room.", Missing.GAP, above(90))
_SLOW: Final = Load("time", "Time", "Average", "Over {limit:.0f}", "As fast.", Missing.IDLE, above_highest(1.5, 10))
_THROTTLED: Final = Load("reads", "Throttled", "Sum", "It throttled", "It keeps up.", Missing.ZERO)


@pytest.mark.parametrize(
    ("load", "before", "after", "expected", "words"),
    [
        (_ERRORS, [0.0] * 9, [0.0] * 9, Health.WELL, "It works."),
        (_ERRORS, [0.0] * 9, [*_BAD, 0.0], Health.WORSE, "It failed in 3 periods of 5 minutes, in 0 before the act."),
        (_ERRORS, [0.0] * 9, [1.0, 1.0], Health.WELL, "It works."),
        (_ERRORS, _BAD, _BAD, Health.WELL, "It works."),
        (_ERRORS, _BAD, [*_BAD, *_BAD], Health.WORSE, "in 6 periods of 5 minutes, in 3 before the act."),
        (_ERRORS, [], _BAD, Health.UNKNOWN, "How it was before the act is not known."),
        (_ERRORS, [0.0], [], Health.UNKNOWN, "0 of 285 readings of Errors"),
        (_THROTTLED, [], [], Health.WELL, "It keeps up."),
        (_THROTTLED, [], _BAD, Health.WORSE, "It throttled in 3 periods"),
        (_CPU, [50.0] * _DAY, [50.0] * _DAY, Health.WELL, "It has room."),
        (_CPU, [50.0] * _DAY, [50.0] * 100, Health.UNKNOWN, "100 of 285 readings of CPU"),
        (_CPU, [50.0] * _DAY, [95.0] * 3, Health.WORSE, "It was above 90 %"),
        (_SLOW, [20.0, 40.0], [59.0] * 9, Health.WELL, "As fast."),
        (_SLOW, [20.0, 40.0], [61.0] * 9, Health.WORSE, "Over 60 in 9 periods"),
        (_SLOW, [1.0], [9.0] * 9, Health.WELL, "As fast."),
        (_SLOW, [], [61.0] * 9, Health.UNKNOWN, "no reading of Time from before the act"),
    ],
)
def test_a_load_is_worse_only_by_more_periods_than_before_and_unknown_where_nobody_knows(
    load: Load, before: list[float], after: list[float], expected: Health, words: str
) -> None:
    sign = load_sign(act("x", {}), load, after, before)
    assert sign.health is expected
    assert words in sign.sentence


# -- what is there, by service -----------------------------------------------------------------------------------------

_NODES_ACT: Final = act("shop/workers/1", {"size": "1/2/4"}, before={"count": "ok", "health": "sound"})
_GROUP_ACT: Final = act("web", {"size": "1/2/4"}, before={"count": "ok", "target group shop": "healthy"})
_SERVICE_ACT: Final = act("main/web", {"desiredCount": 2}, before={"count": "ok"})
_FUNCTION_ACT: Final = act("mail", {"memoryMb": 256}, before={"function": "Active"})
_TABLE_ACT: Final = act("orders", {"billingMode": "PAY_PER_REQUEST"}, before={"table": "ACTIVE"})
_VOLUME_ACT: Final = act("vol-1", {"volumeType": "gp3", "iops": 3000, "throughput": 125}, before={"volume": "in-use"})
_FULL_DAY: Final = {
    name: ([1.0] * _DAY, [1.0] * _DAY)
    for name in (
        *("CPUUtilization", "MemoryUtilization", "VolumeQueueLength", "Errors", "Throttles", "Duration"),
        *("VolumeReadOps", "VolumeWriteOps", "VolumeReadBytes", "VolumeWriteBytes"),
    )
}


def _members(number: int) -> list[dict[str, str]]:
    return [
        {"InstanceId": f"i-{one}", "LifecycleState": "InService", "HealthStatus": "Healthy"} for one in range(number)
    ]


def nodes(working: int = 2, status: str = "ACTIVE", *issues: str, size: int = 2) -> Aws:
    group = {
        "nodegroupArn": "arn",
        "status": status,
        "scalingConfig": {"minSize": 1, "desiredSize": size, "maxSize": 4},
        "health": {"issues": [{"code": code} for code in issues]},
        "resources": {"autoScalingGroups": [{"name": "eks-1"}]},
    }
    behind = {"AutoScalingGroups": [{"AutoScalingGroupName": "eks-1", "Instances": _members(working)}]}
    return Aws({"eks:DescribeNodegroup": {"nodegroup": group}, "autoscaling:DescribeAutoScalingGroups": behind})


def group(working: int = 2, state: str = "healthy", *, desired: int = 2, denied: bool = False) -> Aws:
    found = {
        "AutoScalingGroupARN": "arn",
        "MinSize": 1,
        "DesiredCapacity": desired,
        "MaxSize": 4,
        "Instances": _members(working),
        "TargetGroupARNs": [_TARGET_GROUP],
    }
    targets = [
        {"Target": {"Id": "i-0"}, "TargetHealth": {"State": state}},
        {"Target": {"Id": "i-gone"}, "TargetHealth": {"State": "draining"}},
    ]
    health: Any = {"TargetHealthDescriptions": targets}
    if denied:
        health = AwsDenied("no", operation="elbv2:DescribeTargetHealth")
    answers = {"autoscaling:DescribeAutoScalingGroups": {"AutoScalingGroups": [found]}}
    return Aws({**answers, "elbv2:DescribeTargetHealth": health}, metrics=_FULL_DAY)


def service(running: int = 2, desired: int = 2, **metrics: Any) -> Aws:
    found = {"status": "ACTIVE", "desiredCount": desired, "runningCount": running}
    return Aws({"ecs:DescribeServices": {"services": [found]}}, metrics={**_FULL_DAY, **metrics})


def function(state: str = "Active", memory: int = 256, **metrics: Any) -> Aws:
    quiet = {
        "Errors": ([0.0] * 9, [0.0] * 9),
        "Throttles": ([0.0] * 9, [0.0] * 9),
        "Duration": ([80.0] * 9, [90.0] * 9),
    }
    found = {"State": state, "LastUpdateStatus": "Successful", "MemorySize": memory}
    return Aws({"lambda:GetFunctionConfiguration": found}, metrics={**quiet, **metrics})


def table(state: str = "ACTIVE", mode: str = "PAY_PER_REQUEST", **metrics: Any) -> Aws:
    found = {"TableStatus": state, "BillingModeSummary": {"BillingMode": mode}}
    return Aws({"dynamodb:DescribeTable": {"Table": found}}, metrics=metrics)


def volume(state: str = "in-use", kind: str = "gp3", **metrics: Any) -> Aws:
    found = {"VolumeId": "vol-1", "State": state, "VolumeType": kind, "Iops": 3000, "Throughput": 125, "Size": 100}
    return Aws({"ec2:DescribeVolumes": {"Volumes": [found]}}, metrics={**_FULL_DAY, **metrics})


def instance(state: str, checks: str = "ok", kind: str = "m5.large", more: Any = None) -> Aws:
    found = {"InstanceId": "i-1", "InstanceType": kind, "State": {"Name": state}}
    status = {"InstanceStatus": {"Status": checks}, "SystemStatus": {"Status": checks}}
    answers = {"ec2:DescribeInstances": {"Reservations": [{"Instances": [found]}]}, **(more or {})}
    return Aws({**answers, "ec2:DescribeInstanceStatus": {"InstanceStatuses": [status]}})


def without_credits(mode: Any) -> Aws:
    """A t3.medium that had no credits all day and whose CPU was at its baseline."""
    answer = {"InstanceCreditSpecifications": mode} if isinstance(mode, list) else mode
    found = instance("running", kind="t3.medium", more={"ec2:DescribeInstanceCreditSpecifications": answer})
    readings = {"CPUUtilization": 20.0, "CPUCreditBalance": 0.0, "CPUSurplusCreditsCharged": 0.0}
    found.metrics = {name: ((), [value] * _DAY) for name, value in readings.items()}
    return found


_ILL_NODES: Final = replace(_NODES_ACT, before={"count": "few", "health": "ill"})
_ILL_GROUP: Final = replace(_GROUP_ACT, before={"count": "few", "target group shop": "unhealthy"})
_AT_LIMIT: Final = ([1.0] * _DAY, [3000.0 * 300] * 4)
_GIB_IN_FLIGHT: Final = ([1.0] * _DAY, [125.0 * 2**20 * 300] * 4)
_UNDO: Final = replace(_VOLUME_ACT, parameters={"volumeType": "gp2"})
_STOPPED: Final = act("i-1", {})
_MODE: Final = "ec2:DescribeInstanceCreditSpecifications"
_DENIED: Final = AwsDenied("no", operation=_MODE)
_STANDARD: Final = {"InstanceId": "i-1", "CpuCredits": "standard"}
_UNLIMITED: Final = {"InstanceId": "i-1", "CpuCredits": "unlimited"}
_RESIZED: Final = act("i-1", {"instanceType": "t3.medium"}, promised={"projectedCpuP99_5Percent": "60"})
_STARTED: Final = act("i-1", {"state": "running"}, before={"status checks": "stopped"})


@pytest.mark.parametrize(
    ("action", "watched", "aws", "expected", "words"),
    [
        (NODES, _NODES_ACT, nodes(), Health.WELL, "2 of 2 wanted machines work."),
        (NODES, _NODES_ACT, nodes(1), Health.WORSE, "Only 1 of 2 wanted machines work."),
        (NODES, _ILL_NODES, nodes(1), Health.UNKNOWN, "It was so before the act."),
        (NODES, _NODES_ACT, nodes(2, "ACTIVE", "Ec2SubnetNotFound"), Health.WORSE, "problems of it: Ec2SubnetNotFound"),
        (NODES, _ILL_NODES, nodes(2, "ACTIVE", "Ec2SubnetNotFound"), Health.UNKNOWN, "It was so before"),
        (NODES, _NODES_ACT, nodes(2, "DEGRADED"), Health.WORSE, "EKS calls it degraded."),
        (NODES, _NODES_ACT, nodes(2, "UPDATING"), Health.UNKNOWN, "It is UPDATING now."),
        (NODES, _NODES_ACT, nodes(size=3), Health.UNKNOWN, "Its size is 1/3/4 now, not the 1/2/4 of the act."),
        (GROUP, _GROUP_ACT, group(), Health.WELL, "find its members healthy"),
        (GROUP, _GROUP_ACT, group(1), Health.WORSE, "Only 1 of 2 wanted members work."),
        (GROUP, _GROUP_ACT, group(2, "unhealthy"), Health.WORSE, "Target group shop finds a member unhealthy."),
        (GROUP, _ILL_GROUP, group(2, "unhealthy"), Health.UNKNOWN, "It was so before the act."),
        (GROUP, replace(_GROUP_ACT, before={}), group(2, "unhealthy"), Health.UNKNOWN, "before the act is not known"),
        (GROUP, _GROUP_ACT, group(2, "initial"), Health.UNKNOWN, "says of a member: initial"),
        (GROUP, _GROUP_ACT, group(denied=True), Health.UNKNOWN, "allow elasticloadbalancing:DescribeTargetHealth"),
        (GROUP, _GROUP_ACT, group(desired=3), Health.UNKNOWN, "Its size is 1/3/4 now"),
        (GROUP, _GROUP_ACT, Aws(), Health.UNKNOWN, "The group is gone"),
        (SERVICE, _SERVICE_ACT, service(), Health.WELL, "2 of 2 wanted tasks work."),
        (SERVICE, _SERVICE_ACT, service(1), Health.WORSE, "Only 1 of 2 wanted tasks work."),
        (SERVICE, _SERVICE_ACT, service(CPUUtilization=([50.0], [99.0] * 9)), Health.WORSE, "CPU was above 90 %"),
        (SERVICE, _SERVICE_ACT, service(MemoryUtilization=([50.0], [99.0] * 9)), Health.WORSE, "memory was above"),
        (SERVICE, _SERVICE_ACT, service(MemoryUtilization=([50.0], [])), Health.UNKNOWN, "readings of MemoryUtil"),
        (SERVICE, replace(_SERVICE_ACT, parameters={"desiredCount": 0}), service(0, 0), Health.WELL, "0 of 0 wanted"),
        (SERVICE, _SERVICE_ACT, service(3, 3), Health.UNKNOWN, "Its desired count is 3 now, not the 2 of the act."),
        (FUNCTION, _FUNCTION_ACT, function(), Health.WELL, "It fails no more often than before."),
        (FUNCTION, _FUNCTION_ACT, function(Errors=([0.0] * 9, _BAD)), Health.WORSE, "It failed in 3 periods"),
        (FUNCTION, _FUNCTION_ACT, function(Throttles=([0.0] * 9, _BAD)), Health.WORSE, "It was throttled in 3"),
        (FUNCTION, _FUNCTION_ACT, function(Duration=([80.0] * 9, [101.0] * 3)), Health.WORSE, "more than 100 ms"),
        (FUNCTION, _FUNCTION_ACT, function(Duration=([], [101.0] * 3)), Health.UNKNOWN, "from before the act"),
        (FUNCTION, _FUNCTION_ACT, function("Failed"), Health.WORSE, "Lambda cannot run it."),
        (FUNCTION, _FUNCTION_ACT, function("Pending"), Health.UNKNOWN, "It is Pending now."),
        (FUNCTION, _FUNCTION_ACT, function(memory=512), Health.UNKNOWN, "It has 512 MB now, not the 256 of the act."),
        (TABLE, _TABLE_ACT, table(), Health.WELL, "Its reads are throttled no more than before."),
        (TABLE, _TABLE_ACT, table(ReadThrottleEvents=([], _BAD)), Health.WORSE, "DynamoDB throttled reads in 3"),
        (TABLE, _TABLE_ACT, table(WriteThrottleEvents=([], _BAD)), Health.WORSE, "DynamoDB throttled writes in 3"),
        (TABLE, _TABLE_ACT, table(WriteThrottleEvents=(_BAD, _BAD)), Health.WELL, "no more than before"),
        (TABLE, _TABLE_ACT, table("UPDATING"), Health.UNKNOWN, "It is UPDATING now."),
        (TABLE, _TABLE_ACT, table(mode="PROVISIONED"), Health.UNKNOWN, "Its mode is PROVISIONED now"),
        (VOLUME, _VOLUME_ACT, volume(), Health.WELL, "No more requests wait than before."),
        (VOLUME, _VOLUME_ACT, volume(VolumeQueueLength=([2.0], [4.0] * 3)), Health.WORSE, "More than 3.0 requests"),
        (VOLUME, _VOLUME_ACT, volume(VolumeQueueLength=([0.1], [0.9] * _DAY)), Health.WELL, "No more requests wait"),
        (VOLUME, _VOLUME_ACT, volume(VolumeReadOps=_AT_LIMIT), Health.WORSE, "reads were at its limit of 3000 IOPS"),
        (VOLUME, _VOLUME_ACT, volume(VolumeWriteBytes=_GIB_IN_FLIGHT), Health.WORSE, "writes were at its limit of 125"),
        (VOLUME, _VOLUME_ACT, volume("available"), Health.UNKNOWN, "before the act: in-use"),
        (VOLUME, replace(_VOLUME_ACT, before={"volume": "available"}), volume("available"), Health.WELL, "available."),
        (VOLUME, _VOLUME_ACT, volume(kind="gp2"), Health.UNKNOWN, "no longer those that the act gave it"),
        (VOLUME, _UNDO, volume(kind="gp2", VolumeReadOps=_AT_LIMIT), Health.WELL, "No more requests wait"),
        (STOP, _STOPPED, instance("stopped"), Health.WELL, "It is stopped, as the act left it."),
        (STOP, _STOPPED, instance("running"), Health.UNKNOWN, "It is running now, not stopped"),
        (START, _STARTED, instance("running"), Health.WELL, "Its status checks pass."),
        (START, _STARTED, instance("running", "impaired"), Health.WORSE, "check fails"),
        (RESIZE, _RESIZED, without_credits([_STANDARD]), Health.WORSE, "at its baseline of 20 % in 285 of 285"),
        (
            RESIZE,
            _RESIZED,
            without_credits([_UNLIMITED]),
            Health.WELL,
            "charged for none",
        ),
        (RESIZE, _RESIZED, without_credits([]), Health.UNKNOWN, "does not say whether it may go beyond"),
        (RESIZE, _RESIZED, without_credits(_DENIED), Health.UNKNOWN, "allow ec2:DescribeInstanceCreditSpec"),
    ],
)
def test_what_is_there_and_what_was_measured_is_judged_against_before(
    action: Action, watched: WatchedAct, aws: Aws, expected: Health, words: str
) -> None:
    found = signs(action, watched, aws)
    assert verdict(found) is expected, found
    assert any(words in sign.sentence for sign in found if sign.health is expected), found


def test_what_is_missing_is_named_and_never_well() -> None:
    aws = service()
    aws.answers = {**aws.answers, GET_METRICS: AwsDenied("no", operation=GET_METRICS)}
    found = signs(SERVICE, _SERVICE_ACT, aws)
    assert verdict(found) is Health.UNKNOWN
    assert any("allow cloudwatch:GetMetricData to the scanner role" in sign.sentence for sign in found)


@pytest.mark.parametrize("action", [SERVICE, NODES, GROUP], ids=lambda one: str(one.id))
def test_a_count_that_was_not_known_before_an_act_is_not_kept(action: Action) -> None:
    assert action.watch is not None
    kept = action.watch.before(Observation(exists=True, facts={"size": "", "machines": None, "inService": None}))
    assert "count" not in kept
