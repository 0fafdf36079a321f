"""load_balancer_delete: what speaks against it, what is kept of it, what it calls, and what people are warned of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsDenied, AwsRejected, AwsUnreachable
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.services.elasticloadbalancing.actions.load_balancer_delete import ACTION

_PLACE: Final = "arn:aws:elasticloadbalancing:us-east-1:111111111111"
_ID: Final = "app/shop/50dc6c495c0c9188"
_ARN: Final = f"{_PLACE}:loadbalancer/{_ID}"
_GROUP: Final = f"{_PLACE}:targetgroup/shop/73e2d6bc24d8a067"
_LISTENER: Final = f"{_PLACE}:listener/{_ID}/f2f7dc8efc522ab2"
_BALANCER: Final = ResourceRef("load-balancer", _ID, _ARN, "111111111111", "us-east-1")
_CLASSIC: Final = ResourceRef("load-balancer", "old", f"{_PLACE}:loadbalancer/old", "111111111111", "us-east-1")
_NOW: Final = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
_NO_FACTS: Final = PolicyFacts()
_CERTIFICATE: Final = "arn:aws:acm:us-east-1:111111111111:certificate/1"
_QUIET: Final = [{"Id": f"q{number}", "Values": [], "StatusCode": "Complete"} for number in range(3)]
_WEEK: Final = [0.0] * 168
_DESCRIBED: Final[dict[str, Any]] = {
    "LoadBalancerArn": _ARN,
    "LoadBalancerName": "shop",
    "Type": "application",
    "Scheme": "internal",
    "DNSName": "Shop-1.us-east-1.elb.amazonaws.com",
    "CreatedTime": datetime(2025, 1, 1, tzinfo=UTC),
    "State": {"Code": "active"},
}
_ANSWERS: Final[dict[str, Any]] = {
    "elbv2:DescribeLoadBalancers": {"LoadBalancers": [_DESCRIBED]},
    "elbv2:DescribeTags": {"TagDescriptions": [{"ResourceArn": _ARN, "Tags": [{"Key": "team", "Value": "web"}]}]},
    "elbv2:DescribeLoadBalancerAttributes": {
        "Attributes": [{"Key": "deletion_protection.enabled", "Value": "false"}],
    },
    "elbv2:DescribeListeners": {"Listeners": [{"ListenerArn": _LISTENER, "Protocol": "HTTPS", "Port": 443}]},
    "elbv2:DescribeListenerCertificates": {"Certificates": [{"CertificateArn": _CERTIFICATE, "IsDefault": True}]},
    "elbv2:DescribeRules": {"Rules": [{"RuleArn": "r-1", "Priority": "10"}, {"RuleArn": "r-2", "IsDefault": True}]},
    "elbv2:DescribeTargetGroups": {"TargetGroups": [{"TargetGroupArn": _GROUP}]},
    "cloudwatch:GetMetricData": {"MetricDataResults": _QUIET},
}
_OF_CLASSIC: Final[dict[str, Any]] = {
    "elb:DescribeLoadBalancers": {
        "LoadBalancerDescriptions": [
            {
                "LoadBalancerName": "old",
                "DNSName": "old-1.us-east-1.elb.amazonaws.com",
                "CreatedTime": datetime(2025, 1, 1, tzinfo=UTC),
                "ListenerDescriptions": [{"Listener": {"Protocol": "TCP", "LoadBalancerPort": 80}}],
                "Instances": [{"InstanceId": "i-1"}],
            }
        ]
    },
    "cloudwatch:GetMetricData": {"MetricDataResults": _QUIET},
}


def observed(changes: dict[str, Any] | None = None, **described: Any) -> Observation:
    balancer = {"elbv2:DescribeLoadBalancers": {"LoadBalancers": [_DESCRIBED | described]}}
    reader = CannedReader({**_ANSWERS, **balancer, **(changes or {})})
    return ACTION.observe(reader, Target(_BALANCER, {}, now=_NOW))


def without(fact: str) -> Observation:
    seen = observed()
    return replace(seen, facts={name: value for name, value in seen.facts.items() if name != fact})


def tagged(key: str, value: str = "") -> Observation:
    listed = [{"ResourceArn": _ARN, "Tags": [{"Key": key, "Value": value}]}]
    return observed({"elbv2:DescribeTags": {"TagDescriptions": listed}})


def protected(value: str) -> Observation:
    listed = [{"Key": "deletion_protection.enabled", "Value": value}] if value else []
    return observed({"elbv2:DescribeLoadBalancerAttributes": {"Attributes": listed}})


def target(state: str) -> Observation:
    return observed({"elbv2:DescribeTargetHealth": {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}}]}})


def measured(*results: dict[str, Any], kind: str = "application") -> Observation:
    return observed({"cloudwatch:GetMetricData": {"MetricDataResults": list(results)}}, Type=kind)


def classic(changes: dict[str, Any] | None = None) -> Observation:
    return ACTION.observe(CannedReader({**_OF_CLASSIC, **(changes or {})}), Target(_CLASSIC, {}, now=_NOW))


def grouped(**group: Any) -> dict[str, Any]:
    return {"autoscaling:DescribeAutoScalingGroups": {"AutoScalingGroups": [{"AutoScalingGroupName": "g", **group}]}}


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


_SERVICE: Final = {"ServiceConfigurations": [{"ServiceId": "vpce-svc-1", "NetworkLoadBalancerArns": [_ARN]}]}
_ORIGIN: Final = {"Items": [{"DomainName": "dualstack.shop-1.us-east-1.elb.amazonaws.com"}]}
_DISTRIBUTION: Final = {"DistributionList": {"Items": [{"Id": "E1", "Origins": _ORIGIN}]}}
_ACCELERATED: Final[dict[str, Any]] = {
    "globalaccelerator:ListAccelerators": {"Accelerators": [{"AcceleratorArn": "arn:x:accelerator/a-1"}]},
    "globalaccelerator:ListListeners": {"Listeners": [{"ListenerArn": "arn:x:accelerator/a-1/listener/1"}]},
    "globalaccelerator:ListEndpointGroups": {"EndpointGroups": [{"EndpointDescriptions": [{"EndpointId": _ARN}]}]},
}


def test_nothing_speaks_against_one_with_no_healthy_target_and_no_traffic() -> None:
    assert codes(observed()) == []
    assert codes(target("unhealthy")) == []
    assert codes(measured(*({"Id": f"q{n}", "Values": _WEEK, "StatusCode": "Complete"} for n in range(2)))) == [
        "UseUnknown"
    ], "a metric that CloudWatch said nothing about proves nothing"
    assert codes(classic()) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (tagged("finops.dev/protected", "true"), "Protected"),
        (tagged("elbv2.k8s.aws/cluster", "shop"), "OwnedByController"),
        (tagged("kubernetes.io/service-name", "shop/web"), "OwnedByController"),
        (tagged("aws:cloudformation:stack-name", "shop"), "OwnedByTemplate"),
        (tagged("do not delete"), "KeptByTag"),
        (observed(Type="other"), "TypeUnknown"),
        (observed(State={"Code": "provisioning"}), "NotActive"),
        (observed(State={}), "NotActive"),
        (observed(CreatedTime=None), "CreationUnknown"),
        (protected("true"), "DeletionProtected"),
        (protected(""), "DeletionProtected"),
        (observed({"elbv2:DescribeRules": {"Rules": [{"RuleArn": "r" * 3001}]}}), "ConfigurationTooLong"),
        (without("targetsAlive"), "TargetsUnknown"),
        (target("healthy"), "HealthyTargets"),
        (target("initial"), "HealthyTargets"),
        (target("draining"), "HealthyTargets"),
        (observed(grouped(TargetGroupARNs=[_GROUP])), "UsedByAutoScaling"),
        (measured({"Id": "q1", "Values": [1.0], "StatusCode": "Complete"}), "InUse"),
        (measured(), "UseUnknown"),
        (measured(*_QUIET, kind="network"), "UseUnknown"),
        (observed({"ec2:DescribeVpcEndpointServiceConfigurations": _SERVICE}, Type="gateway"), "ServesEndpointService"),
        (observed({"cloudfront:ListDistributions": _DISTRIBUTION}), "OriginOfCloudFront"),
        (observed(_ACCELERATED), "BehindGlobalAccelerator"),
        (classic({"elb:DescribeInstanceHealth": {"InstanceStates": [{"State": "InService"}]}}), "HealthyTargets"),
        (classic(grouped(LoadBalancerNames=["old"])), "UsedByAutoScaling"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert code in codes(seen)
    if code != "TypeUnknown":
        assert codes(seen) == [code]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed(), PolicyFacts({"team": ("web",)})) == ["Protected"]


@pytest.mark.parametrize("error", [AwsDenied, AwsUnreachable])
def test_what_of_other_services_cannot_be_read_is_said_and_not_guessed(error: type[AwsDenied]) -> None:
    unread = error("no", operation="x", code="AccessDenied")
    seen = observed({"cloudfront:ListDistributions": unread, "globalaccelerator:ListAccelerators": unread})
    assert codes(seen) == []
    assert ACTION.warnings(seen, {})[-2:] == (
        "Whether CloudFront sends traffic to it could not be read.",
        "Whether Global Accelerator sends traffic to it could not be read.",
    )
    assert len(ACTION.warnings(observed(), {})) == 2


def test_the_plan_keeps_what_another_one_would_be_made_from() -> None:
    kept = ACTION.plan(_BALANCER, {}, observed().fingerprint).fingerprint
    assert json.loads(str(kept["balancer"]))["Scheme"] == "internal"
    assert json.loads(str(kept["attributes"])) == [{"Key": "deletion_protection.enabled", "Value": "false"}]
    (listener,) = json.loads(str(kept["listeners"]))
    assert (listener["Port"], listener["Certificates"][0]["CertificateArn"]) == (443, _CERTIFICATE)
    assert [rule["RuleArn"] for rule in json.loads(str(kept["rules"]))] == ["r-1"], "the default one is the listener's"
    assert json.loads(str(kept["tagList"])) == {"team": "web"}
    old = ACTION.plan(_CLASSIC, {}, classic().fingerprint).fingerprint
    assert json.loads(str(old["balancer"]))["Instances"] == [{"InstanceId": "i-1"}]
    assert json.loads(str(old["listeners"]))[0]["Listener"]["LoadBalancerPort"] == 80


def test_a_change_of_state_alone_leaves_the_plan_as_it_is_and_one_of_a_listener_does_not() -> None:
    plan, rules = ACTION.plan(_BALANCER, {}, observed().fingerprint), ACTION.procedure.steps["delete"]
    assert rules.expected(plan, observed(State={"Code": "active_impaired"}))
    changed = observed({"elbv2:DescribeListeners": {"Listeners": []}})
    assert not rules.expected(plan, changed)
    assert not rules.expected(plan, tagged("team", "other"))
    assert not rules.expected(plan, Observation(exists=False))


def test_one_that_was_made_anew_under_the_name_says_that_the_old_one_is_gone() -> None:
    plan, rules = ACTION.plan(_BALANCER, {}, observed().fingerprint), ACTION.procedure
    anew = observed(CreatedTime=datetime(2026, 1, 1, tzinfo=UTC))
    assert [rules.verified(plan, one) for one in (observed(), anew, Observation(exists=False))] == [False, True, True]
    assert rules.found(plan, observed()) == "The load balancer is active."
    assert rules.found(plan, anew).startswith("The load balancer is deleted;")


@pytest.mark.parametrize(
    ("resource", "seen", "operation", "named"),
    [
        (_BALANCER, observed(), "elbv2:DeleteLoadBalancer", {"LoadBalancerArn": _ARN}),
        (_CLASSIC, classic(), "elb:DeleteLoadBalancer", {"LoadBalancerName": "old"}),
    ],
)
def test_it_makes_one_call_of_its_generation_and_its_session_may_do_nothing_else(
    resource: ResourceRef, seen: Observation, operation: str, named: dict[str, str]
) -> None:
    plan = ACTION.plan(resource, {}, seen.fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == (operation, named)
    assert ACTION.procedure.steps[step.id].destroys
    assert ACTION.procedure.compensation(plan) == ()
    assert list(granted(ACTION, plan)) == [(operation, "elasticloadbalancing:DeleteLoadBalancer", resource.arn)]


def test_it_reads_with_the_rights_that_it_declares_and_no_others() -> None:
    calls, asked = ACTION.rights.calls, set[str]()
    for resource, answers in ((_BALANCER, {**_ANSWERS, **_ACCELERATED}), (_CLASSIC, _OF_CLASSIC)):
        for kind in ("application", "network"):
            balancer = {"elbv2:DescribeLoadBalancers": {"LoadBalancers": [_DESCRIBED | {"Type": kind}]}}
            reader = CannedReader({**answers, **balancer})
            ACTION.observe(reader, Target(resource, {}, now=_NOW))
            asked |= reader.operations
    named = {f"elasticloadbalancing:{one.partition(':')[2]}" if one.startswith("elb") else one for one in asked}
    assert named == set(ACTION.read_permissions)
    assert set(calls.values()) - {"elbv2:DeleteLoadBalancer"} <= asked


@pytest.mark.parametrize("code", ["LoadBalancerNotFound", "LoadBalancerNotFoundException"])
def test_one_that_aws_does_not_find_is_gone_and_any_other_refusal_of_a_read_proves_nothing(code: str) -> None:
    def failing(code: str) -> CannedReader:
        error = AwsRejected("no", operation="elbv2:DescribeLoadBalancers", code=code)
        return CannedReader({"elbv2:DescribeLoadBalancers": error})

    assert not ACTION.observe(failing(code), Target(_BALANCER, {})).exists
    with pytest.raises(AwsRejected):
        ACTION.observe(failing("ValidationError"), Target(_BALANCER, {}))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("OperationNotPermitted", "Somebody protected it from deletion meanwhile."),
        ("ResourceInUse", "An endpoint service leads to it meanwhile."),
        ("Other", ""),
    ],
)
def test_a_refusal_of_aws_is_explained(code: str, sentence: str) -> None:
    plan = ACTION.plan(_BALANCER, {}, observed().fingerprint)
    assert ACTION.procedure.refused(plan, observed(), "delete", code) == sentence
