"""What an instance needs to start again, and who misses it meanwhile: keys, quotas, load balancers, licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.action_cases import INSTANCE, instance_with

from finops.domain.execution import Observation
from finops.errors import AwsDenied, AwsRejected, AwsUnreachable
from finops_operator.plugins.action import Action, PolicyFacts, Target
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.services.ec2.rules.instance_observation import CREDIT_MODE
from finops_operator.services.ec2.rules.vcpu_quota import quota_code

KEY = "arn:aws:kms:us-east-1:111111111111:key/k1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SMALLER: dict[str, Any] = {"instanceType": "m5.large"}
START: dict[str, Any] = {"endState": "running"}
GROUP: dict[str, Any] = {
    "TargetGroupArn": "arn:tg/web",
    "TargetGroupName": "web",
    "TargetType": "instance",
    "VpcId": "vpc-1",
    "LoadBalancerArns": ["arn:lb/web"],
}
METRIC: dict[str, Any] = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Resource": "vCPU", "Class": "Standard/OnDemand"},
}


def types(*vcpus: tuple[str, int]) -> dict[str, Any]:
    return {"InstanceTypes": [{"InstanceType": name, "VCpuInfo": {"DefaultVCpus": number}} for name, number in vcpus]}


@dataclass(slots=True)
class Aws:
    """An account with one instance; an error among the answers is raised."""

    state: str = "running"
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def read(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((operation, parameters))
        answer = self.answers.get(operation, self.usual().get(operation, {}))
        if isinstance(answer, Exception):
            raise answer
        found: Mapping[str, Any] = answer
        return found

    def usual(self) -> dict[str, Any]:
        instance = {
            "InstanceId": INSTANCE.id,
            "InstanceType": "m5.xlarge",
            "State": {"Name": self.state},
            "LaunchTime": "t0",
            "VpcId": "vpc-1",
            "Placement": {"AvailabilityZone": "us-east-1a"},
            "NetworkInterfaces": [{"PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.5"}]}],
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1"}}],
        }
        return {
            "ec2:DescribeInstances": {"Reservations": [{"Instances": [instance]}]},
            "ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": True, "KmsKeyId": KEY}]},
            "ec2:DescribeInstanceTypes": types(
                ("m5.xlarge", 4), ("m5.large", 2), ("m5.8xlarge", 32), ("p3.2xlarge", 8)
            ),
            "kms:DescribeKey": {"KeyMetadata": {"KeyState": "Enabled"}},
            "service-quotas:GetServiceQuota": quota(64),
            "cloudwatch:GetMetricData": {"MetricDataResults": [{"Values": [60.0, 2.0]}]},
        }


def quota(limit: int) -> dict[str, Any]:
    return {"Quota": {"Value": float(limit), "QuotaName": "Running Standard instances", "UsageMetric": METRIC}}


def observed(action: Action, aws: Aws, parameters: dict[str, Any]) -> Observation:
    return action.observe(aws, Target(INSTANCE, parameters, now=NOW))


def said(action: Action, aws: Aws, parameters: dict[str, Any]) -> dict[str, str]:
    """Return code → sentence of the reasons that this file is about."""
    found = action.preflight(observed(action, aws, parameters), parameters, PolicyFacts())
    ours = ("Kms", "Quota", "Targets", "LastHealthy", "Licence")
    return {refusal.code: refusal.message for refusal in found if refusal.code.startswith(ours)}


def denied(operation: str) -> AwsDenied:
    return AwsDenied("no", operation=operation, code="AccessDenied")


def rejected(operation: str, code: str) -> AwsRejected:
    return AwsRejected("no", operation=operation, code=code)


@pytest.mark.parametrize(("action", "parameters"), [(STOP, {}), (RESIZE, SMALLER)])
def test_nothing_speaks_against_an_instance_whose_key_quota_and_targets_are_in_order(
    action: Action, parameters: dict[str, Any]
) -> None:
    assert said(action, Aws(), parameters) == {}


# -- keys --------------------------------------------------------------------------------------------------------------

_KEY_STATES = [
    ("Disabled", "is disabled"),
    ("PendingDeletion", "is due to be deleted"),
    ("PendingImport", "has no key material"),
    ("Unavailable", "does not answer"),
    ("Updating", "is in the state Updating"),
]


@pytest.mark.parametrize(("action", "parameters"), [(STOP, {}), (RESIZE, SMALLER), (STOP, START)])
@pytest.mark.parametrize(("state", "words"), _KEY_STATES)
def test_a_key_that_cannot_be_used_keeps_an_instance_as_it_is(
    action: Action, parameters: dict[str, Any], state: str, words: str
) -> None:
    aws = Aws(
        "stopped" if parameters == START else "running", {"kms:DescribeKey": {"KeyMetadata": {"KeyState": state}}}
    )
    found = said(action, aws, parameters)
    assert set(found) == {"KmsKeyUnusable"}
    assert words in found["KmsKeyUnusable"]
    assert KEY in found["KmsKeyUnusable"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("arn:aws:kms:us-east-1:222222222222:key/k1", "belongs to another account"),
        ("arn:aws:kms:eu-west-1:111111111111:key/k1", "is in another region"),
    ],
)
def test_a_key_of_another_place_is_refused_without_a_question(key: str, words: str) -> None:
    aws = Aws(answers={"ec2:DescribeVolumes": {"Volumes": [{"VolumeId": "vol-1", "Encrypted": True, "KmsKeyId": key}]}})
    assert words in said(STOP, aws, {})["KmsKeyUnusable"]
    assert "kms:DescribeKey" not in [operation for operation, _ in aws.asked]


def test_a_key_that_is_gone_cannot_be_used() -> None:
    aws = Aws(answers={"kms:DescribeKey": rejected("kms:DescribeKey", "NotFoundException")})
    assert "does not exist any more" in said(STOP, aws, {})["KmsKeyUnusable"]


def test_any_other_refusal_by_kms_is_not_taken_for_an_answer() -> None:
    with pytest.raises(AwsRejected):
        observed(STOP, Aws(answers={"kms:DescribeKey": rejected("kms:DescribeKey", "InvalidArnException")}), {})


@pytest.mark.parametrize(("action", "parameters"), [(STOP, {}), (RESIZE, SMALLER)])
@pytest.mark.parametrize("operation", ["kms:DescribeKey", "ec2:DescribeVolumes"])
def test_a_key_about_which_nothing_is_known_refuses_and_the_missing_right_is_named(
    action: Action, parameters: dict[str, Any], operation: str
) -> None:
    assert operation in said(action, Aws(answers={operation: denied(operation)}), parameters)["KmsKeyUnknown"]


@pytest.mark.parametrize("operation", ["kms:DescribeKey", "ec2:DescribeVolumes"])
def test_a_start_that_harms_nothing_is_tried_with_a_key_about_which_nothing_is_known(operation: str) -> None:
    assert said(STOP, Aws("stopped", {operation: denied(operation)}), START) == {}


def test_every_key_is_asked_about_once_and_volumes_without_encryption_are_not() -> None:
    volumes = [
        {"VolumeId": "vol-1", "Encrypted": True, "KmsKeyId": KEY},
        {"VolumeId": "vol-2", "Encrypted": True, "KmsKeyId": KEY},
        {"VolumeId": "vol-3", "Encrypted": False},
    ]
    mappings = [{"DeviceName": f"/dev/{one['VolumeId']}", "Ebs": {"VolumeId": one["VolumeId"]}} for one in volumes]
    instance = {
        **Aws().usual()["ec2:DescribeInstances"]["Reservations"][0]["Instances"][0],
        "BlockDeviceMappings": mappings,
    }
    aws = Aws(
        answers={
            "ec2:DescribeInstances": {"Reservations": [{"Instances": [instance]}]},
            "ec2:DescribeVolumes": {"Volumes": volumes},
        }
    )
    assert said(STOP, aws, {}) == {}
    assert [one for operation, one in aws.asked if operation == "kms:DescribeKey"] == [{"KeyId": KEY}]


# -- quotas ------------------------------------------------------------------------------------------------------------


def test_a_larger_type_needs_room_in_the_quota_beside_what_others_use() -> None:
    found = said(RESIZE, Aws(), {"instanceType": "m5.8xlarge"})
    # 60 run, 4 of them are its own; 56 and 32 are more than 64.
    assert set(found) == {"QuotaTooSmall"}
    for figure in ("Running Standard instances", "L-1216C47A", "64 vCPUs", "others use 56", "needs 32"):
        assert figure in found["QuotaTooSmall"]


def test_a_quota_that_is_just_large_enough_refuses_nothing() -> None:
    aws = Aws(answers={"service-quotas:GetServiceQuota": quota(88)})
    assert said(RESIZE, aws, {"instanceType": "m5.8xlarge"}) == {}
    aws = Aws(answers={"service-quotas:GetServiceQuota": quota(87)})
    assert "QuotaTooSmall" in said(RESIZE, aws, {"instanceType": "m5.8xlarge"})


def test_a_quota_that_was_lowered_below_its_use_keeps_an_instance_from_starting_again_smaller() -> None:
    aws = Aws(answers={"service-quotas:GetServiceQuota": quota(32)})
    assert "QuotaTooSmall" in said(RESIZE, aws, SMALLER)


def test_what_an_instance_uses_of_one_quota_gives_no_room_in_another() -> None:
    aws = Aws(
        answers={
            "service-quotas:GetServiceQuota": quota(8),
            "cloudwatch:GetMetricData": {"MetricDataResults": [{"Values": [4.0]}]},
        }
    )
    assert "others use 4" in said(RESIZE, aws, {"instanceType": "p3.2xlarge"})["QuotaTooSmall"]
    asked = [one["QuotaCode"] for operation, one in aws.asked if operation == "service-quotas:GetServiceQuota"]
    assert asked == ["L-417A185B"]


_NOT_KNOWN: list[tuple[dict[str, Any], str]] = [
    ({"service-quotas:GetServiceQuota": denied("service-quotas:GetServiceQuota")}, "servicequotas:GetServiceQuota"),
    ({"cloudwatch:GetMetricData": denied("cloudwatch:GetMetricData")}, "cloudwatch:GetMetricData"),
    ({"service-quotas:GetServiceQuota": rejected("service-quotas:GetServiceQuota", "NoSuchResourceException")}, ""),
    ({"cloudwatch:GetMetricData": {"MetricDataResults": [{"Values": []}]}}, ""),
]


@pytest.mark.parametrize(("answers", "right"), _NOT_KNOWN)
def test_figures_of_a_quota_that_are_not_known_refuse_only_what_needs_more_than_it_gives_back(
    answers: dict[str, Any], right: str
) -> None:
    assert said(RESIZE, Aws(answers=dict(answers)), SMALLER) == {}
    assert right in said(RESIZE, Aws(answers=dict(answers)), {"instanceType": "m5.8xlarge"})["QuotaUnknown"]


def test_a_stopped_instance_gets_a_type_unless_the_quota_has_no_room_for_it_alone() -> None:
    assert said(RESIZE, Aws("stopped"), {"instanceType": "m5.8xlarge"}) == {}
    aws = Aws("stopped", {"service-quotas:GetServiceQuota": quota(31)})
    assert "QuotaTooSmall" in said(RESIZE, aws, {"instanceType": "m5.8xlarge"})


def test_a_start_is_refused_by_a_quota_that_is_used_up_and_not_by_one_that_is_unknown() -> None:
    aws = Aws("stopped", {"service-quotas:GetServiceQuota": quota(63)})
    assert "others use 60" in said(STOP, aws, START)["QuotaTooSmall"]
    assert said(STOP, Aws("stopped"), START) == {}
    unknown = {"service-quotas:GetServiceQuota": denied("service-quotas:GetServiceQuota")}
    assert said(STOP, Aws("stopped", unknown), START) == {}


def test_a_stop_needs_no_quota_and_asks_for_none() -> None:
    aws = Aws()
    observed(STOP, aws, {})
    assert "service-quotas:GetServiceQuota" not in [operation for operation, _ in aws.asked]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("m5.large", "L-1216C47A"),
        ("im4gn.large", "L-1216C47A"),
        ("t3.micro", "L-1216C47A"),
        ("trn1.2xlarge", "L-2C3B7624"),
        ("g5.xlarge", "L-DB2E81BA"),
        ("inf2.xlarge", "L-1945791B"),
        ("u7i-12tb.224xlarge", "L-43DA4232"),
        ("x2gd.large", "L-7295265B"),
        ("mac2.metal", ""),
        ("", ""),
    ],
)
def test_each_family_has_the_quota_of_its_letters(kind: str, code: str) -> None:
    assert quota_code(kind) == code


# -- load balancers ----------------------------------------------------------------------------------------------------


def target(name: str, state: str) -> dict[str, Any]:
    return {"Target": {"Id": name}, "TargetHealth": {"State": state}}


def behind(*targets: dict[str, Any], **group: Any) -> Aws:
    return Aws(
        answers={
            "elbv2:DescribeTargetGroups": {"TargetGroups": [{**GROUP, **group}]},
            "elbv2:DescribeTargetHealth": {"TargetHealthDescriptions": list(targets)},
        }
    )


OURS = target(INSTANCE.id, "healthy")


@pytest.mark.parametrize(
    ("aws", "place"),
    [
        (behind(OURS), "target group web"),
        (behind(OURS, target("i-2", "unhealthy"), target("i-3", "draining")), "target group web"),
        (behind(target(INSTANCE.id, "unavailable")), "target group web"),
        (behind(target("10.0.0.5", "healthy"), TargetType="ip"), "target group web"),
        (
            Aws(
                answers={
                    "elb:DescribeLoadBalancers": {
                        "LoadBalancerDescriptions": [
                            {"LoadBalancerName": "old", "Instances": [{"InstanceId": INSTANCE.id}]}
                        ]
                    },
                    "elb:DescribeInstanceHealth": {
                        "InstanceStates": [
                            {"InstanceId": INSTANCE.id, "State": "InService"},
                            {"InstanceId": "i-2", "State": "OutOfService"},
                        ]
                    },
                }
            ),
            "Classic Load Balancer old",
        ),
    ],
    ids=["alone", "others unhealthy", "not checked", "by address", "classic"],
)
def test_the_only_target_that_answers_is_not_stopped_and_a_resize_says_so_on_the_card(aws: Aws, place: str) -> None:
    assert place in said(STOP, aws, {})["LastHealthyTarget"]
    assert said(RESIZE, aws, SMALLER) == {}
    warnings = RESIZE.warnings(observed(RESIZE, aws, SMALLER), SMALLER)
    assert any(place in one and "only healthy target" in one for one in warnings)


def test_one_of_several_targets_is_stopped_and_the_card_names_the_group() -> None:
    aws = behind(OURS, target("i-2", "healthy"))
    assert said(STOP, aws, {}) == {}
    assert "It is one of 2 healthy targets of target group web." in STOP.warnings(observed(STOP, aws, {}), {})


def test_a_target_that_gets_no_requests_is_stopped_and_the_card_says_its_state() -> None:
    aws = behind(target(INSTANCE.id, "unhealthy"))
    assert said(STOP, aws, {}) == {}
    sentence = "It is a target of target group web, where its state is unhealthy."
    assert sentence in STOP.warnings(observed(STOP, aws, {}), {})


@pytest.mark.parametrize(
    "group",
    [{"LoadBalancerArns": []}, {"VpcId": "vpc-2"}, {"TargetType": "lambda"}],
    ids=["no load balancer", "other network", "functions"],
)
def test_groups_that_cannot_send_it_requests_are_not_asked(group: dict[str, Any]) -> None:
    aws = behind(OURS, **group)
    assert said(STOP, aws, {}) == {}
    assert "elbv2:DescribeTargetHealth" not in [operation for operation, _ in aws.asked]


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        ("elbv2:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroups"),
        ("elbv2:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth"),
        ("elb:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
        ("elb:DescribeInstanceHealth", "elasticloadbalancing:DescribeInstanceHealth"),
    ],
)
def test_without_the_right_to_read_targets_nothing_is_stopped_and_the_right_is_named(
    operation: str, right: str
) -> None:
    classic = {"LoadBalancerName": "old", "Instances": [{"InstanceId": INSTANCE.id}]}
    aws = behind(OURS, target("i-2", "healthy"))
    aws.answers |= {
        "elb:DescribeLoadBalancers": {"LoadBalancerDescriptions": [classic]},
        operation: denied(operation),
    }
    assert right in said(STOP, aws, {})["TargetsUnknown"]
    assert right in said(RESIZE, aws, SMALLER)["TargetsUnknown"]


def test_a_group_that_is_deleted_meanwhile_has_no_targets() -> None:
    aws = behind(OURS)
    aws.answers["elbv2:DescribeTargetHealth"] = rejected("elbv2:DescribeTargetHealth", "TargetGroupNotFound")
    assert said(STOP, aws, {}) == {}


def test_an_endpoint_that_does_not_answer_is_no_absence_of_targets() -> None:
    aws = behind(OURS)
    aws.answers["elbv2:DescribeTargetHealth"] = AwsUnreachable("no", operation="elbv2:DescribeTargetHealth")
    with pytest.raises(AwsUnreachable):
        observed(STOP, aws, {})


def test_more_groups_than_are_asked_leave_it_to_people_to_check() -> None:
    aws = behind(OURS)
    aws.answers["elbv2:DescribeTargetGroups"] = {"TargetGroups": [GROUP] * 41}
    assert said(STOP, aws, {}) == {}
    assert "elbv2:DescribeTargetHealth" not in [operation for operation, _ in aws.asked]
    assert any("41 target groups, too many to ask" in one for one in STOP.warnings(observed(STOP, aws, {}), {}))


def test_the_card_names_three_places_and_counts_the_others() -> None:
    aws = behind(OURS, target("i-2", "healthy"))
    aws.answers["elbv2:DescribeTargetGroups"] = {"TargetGroups": [GROUP] * 5}
    assert "It serves 2 more target groups or load balancers." in STOP.warnings(observed(STOP, aws, {}), {})


@pytest.mark.parametrize(("action", "parameters"), [(STOP, START), (RESIZE, SMALLER)])
def test_a_stopped_instance_serves_nobody_and_nobody_is_asked(action: Action, parameters: dict[str, Any]) -> None:
    aws = Aws("stopped")
    assert said(action, aws, parameters) == {}
    assert not [operation for operation, _ in aws.asked if operation.startswith("elb")]


# -- licences ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"instance/Licenses": [{"LicenseConfigurationArn": "arn:x"}]}, "License Manager"),
        ({"instance/UsageOperation": "RunInstances:0800"}, "Windows"),
        ({"instance/UsageOperation": "RunInstances:00g0"}, "Red Hat"),
        ({"instance/Placement/HostResourceGroupArn": "arn:x"}, "host resource group"),
        ({"instance/CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 2}}, "1 of 2 cores"),
    ],
)
def test_an_instance_whose_licence_follows_its_cores_keeps_its_type_and_may_be_stopped(
    changes: dict[str, Any], words: str
) -> None:
    observation = instance_with(changes)
    found = RESIZE.preflight(observation, SMALLER, PolicyFacts())
    assert [refusal.code for refusal in found] == ["LicenceFollowsCores"]
    assert words in found[0].message
    assert STOP.preflight(observation, {}, PolicyFacts()) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"instance/UsageOperation": "RunInstances:0002"},
        {"instance/UsageOperation": "RunInstances:0010"},
        {"instance/CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}},
        {"instance/Licenses": []},
    ],
    ids=["Windows of AWS", "Red Hat of AWS", "all cores", "no licence"],
)
def test_a_licence_that_aws_bills_follows_the_instance(changes: dict[str, Any]) -> None:
    assert RESIZE.preflight(instance_with(changes), SMALLER, PolicyFacts()) == ()


# -- what is asked -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [STOP, RESIZE])
def test_every_call_that_is_made_is_among_the_rights_that_are_declared(action: Action) -> None:
    names: dict[str, str] = {call: right for right, call in action.rights.calls.items()}
    made: set[str] = set()
    cases: list[tuple[str, dict[str, Any]]] = [("running", SMALLER if action is RESIZE else {})]
    if action is STOP:
        cases.append(("stopped", START))
    for state, parameters in cases:
        aws = behind(OURS, target("i-2", "healthy"))
        aws.state = state
        classic = {"LoadBalancerName": "old", "Instances": [{"InstanceId": INSTANCE.id}]}
        aws.answers["elb:DescribeLoadBalancers"] = {"LoadBalancerDescriptions": [classic]}
        observed(action, aws, parameters)
        made |= {names.get(one, one.replace("elbv2:", "elasticloadbalancing:")) for one, _ in aws.asked}
    made = {one.replace("elb:", "elasticloadbalancing:") for one in made}
    offerings = {"ec2:DescribeInstanceTypeOfferings"} if action is STOP else set()
    # It is read afterwards, see test_act_watches.
    watched = set() if action.watch is None else {LIST_ALARMS, CREDIT_MODE}
    assert made == set(action.read_permissions) - offerings - watched


def test_once_something_has_changed_nothing_of_this_is_asked() -> None:
    aws = Aws("stopped")
    RESIZE.observe(aws, Target(INSTANCE, SMALLER, "u1", full=False, now=NOW))
    assert {operation for operation, _ in aws.asked} == {
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeVolumes",
    }
