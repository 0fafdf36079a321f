"""Load balancers as collected from both APIs: targets, tags, prices, and errors as gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from tests.unit.services.elasticloadbalancing.balancers import IDS, balancer, billed, cost

from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.services.elasticloadbalancing.load_balancer import KIND

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:111111111111"
ARN = f"{PREFIX}:loadbalancer/app/shop/50dc6c495c0c9188"
GROUP = f"{PREFIX}:targetgroup/shop/1"
LISTENER = f"{PREFIX}:listener/app/shop/50dc6c495c0c9188/1"
Answer = Mapping[str, Any] | Exception


class Balancing:
    """The two APIs of one region: operation → pages, or an error after them; every call is kept."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, **answers: list[Answer]) -> None:
        self.answers: dict[str, list[Answer]] = {
            "elbv2:DescribeLoadBalancers": [{"LoadBalancers": [current()]}],
            "elbv2:DescribeTags": [{"TagDescriptions": [{"ResourceArn": ARN, "Tags": [{"Key": "a", "Value": "b"}]}]}],
            "elbv2:DescribeTargetGroups": [{"TargetGroups": [group(GROUP, ARN)]}],
            "elbv2:DescribeTargetHealth": [health("healthy", "unhealthy")],
            "elbv2:DescribeListeners": [{"Listeners": [listener("forward")]}],
            "elbv2:DescribeRules": [{"Rules": []}],
            "elb:DescribeLoadBalancers": [{"LoadBalancerDescriptions": []}],
            "elb:DescribeTags": [{"TagDescriptions": []}],
            **{name.replace("_", ":"): pages for name, pages in answers.items()},
        }
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        return next(self.pages(operation, parameters))

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, dict(parameters)))
        for answer in self.answers[operation]:
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def times(self, operation: str) -> int:
        return sum(1 for name, _ in self.asked if name == operation)


def current(arn: str = ARN, **changes: Any) -> dict[str, Any]:
    return {
        "LoadBalancerArn": arn,
        "LoadBalancerName": "shop",
        "DNSName": "shop-1.us-east-1.elb.amazonaws.com",
        "CreatedTime": "2026-01-01T00:00:00.000Z",
        "Scheme": "internet-facing",
        "VpcId": "vpc-1",
        "State": {"Code": "active"},
        "Type": "application",
        "AvailabilityZones": [{"ZoneName": "us-east-1a"}, {"ZoneName": "us-east-1b"}],
        **changes,
    }


def classic(name: str = "old", **changes: Any) -> dict[str, Any]:
    return {
        "LoadBalancerName": name,
        "CreatedTime": "2020-01-01T00:00:00.000Z",
        "Scheme": "internal",
        "VPCId": "vpc-1",
        "AvailabilityZones": ["us-east-1a"],
        "Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}],
        "ListenerDescriptions": [{"Listener": {"Protocol": "http"}}, {"Listener": {"Protocol": "TCP"}}],
        **changes,
    }


def group(arn: str, *owners: str) -> dict[str, Any]:
    return {"TargetGroupArn": arn, "LoadBalancerArns": list(owners)}


def health(*states: str) -> dict[str, Any]:
    return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}


def listener(action: str, protocol: str = "HTTP") -> dict[str, Any]:
    return {"ListenerArn": LISTENER, "Protocol": protocol, "DefaultActions": [{"Type": action}]}


def denied(operation: str) -> AwsDenied:
    return AwsDenied("not allowed", operation=operation, code="AccessDenied")


def collected(reader: Balancing, partition: str = "aws") -> tuple[list[Resource], list[Gap]]:
    items = list(KIND.listing.collect(reader, partition))
    return [one for one in items if isinstance(one, Resource)], [one for one in items if isinstance(one, Gap)]


def only(reader: Balancing) -> Resource:
    (one,), gaps = collected(reader)
    assert gaps == []
    return one


def test_a_load_balancer_is_known_by_the_end_of_its_arn_as_cloudwatch_knows_it() -> None:
    one = only(Balancing())
    assert (one.id, one.arn, one.name, one.state) == ("app/shop/50dc6c495c0c9188", ARN, "shop", "active")
    assert one.tags == {"a": "b"}
    assert one.created is not None
    wanted = {"load_balancer_name": "shop", "load_balancer_arn": ARN, "load_balancer_type": "application"}
    wanted |= {"scheme": "internet-facing", "vpc_id": "vpc-1"}
    assert wanted.items() <= one.attributes.items()
    assert one.attributes["balanced_zones"] == ["us-east-1a", "us-east-1b"]


def test_targets_of_all_its_groups_are_counted_and_its_listeners_are_not_asked_for() -> None:
    reader = Balancing(
        elbv2_DescribeTargetGroups=[{"TargetGroups": [group("g1", ARN)]}, {"TargetGroups": [group("g2", ARN)]}]
    )
    one = only(reader)
    assert (one.number("target_groups"), one.number("registered_targets"), one.number("healthy_targets")) == (2, 4, 2)
    assert reader.times("elbv2:DescribeListeners") == 0


def test_a_target_group_that_no_load_balancer_uses_is_not_asked_about() -> None:
    reader = Balancing(elbv2_DescribeTargetGroups=[{"TargetGroups": [group("g1")]}])
    assert only(reader).number("registered_targets") == 0
    assert reader.times("elbv2:DescribeTargetHealth") == 0


@pytest.mark.parametrize(
    ("default", "rule", "alone"),
    [("forward", "forward", False), ("redirect", "forward", True), ("forward", "fixed-response", True)],
)
def test_where_nothing_is_registered_listeners_and_rules_say_whether_it_answers_itself(
    default: str, rule: str, *, alone: bool
) -> None:
    reader = Balancing(
        elbv2_DescribeTargetHealth=[health()],
        elbv2_DescribeListeners=[{"Listeners": [listener(default)]}],
        elbv2_DescribeRules=[{"Rules": []}, {"Rules": [{"Actions": [{"Type": rule}]}]}],
    )
    assert only(reader).attributes["answers_itself"] is alone


def test_listeners_of_a_network_load_balancer_have_no_rules_to_ask_for() -> None:
    reader = Balancing(
        elbv2_DescribeTargetHealth=[health()],
        elbv2_DescribeListeners=[{"Listeners": [listener("forward", "TCP")]}],
    )
    assert only(reader).attributes["answers_itself"] is False
    assert reader.times("elbv2:DescribeRules") == 0


def test_a_classic_load_balancer_is_known_by_its_name_and_works_while_it_exists() -> None:
    tags = {"TagDescriptions": [{"LoadBalancerName": "old", "Tags": [{"Key": "team", "Value": "web"}]}]}
    reader = Balancing(
        elbv2_DescribeLoadBalancers=[{"LoadBalancers": []}],
        elb_DescribeLoadBalancers=[{"LoadBalancerDescriptions": [classic()]}],
        elb_DescribeTags=[tags],
    )
    (one,), gaps = collected(reader, "aws-cn")
    assert gaps == []
    assert (one.id, one.state, one.text("load_balancer_type")) == ("old", "active", "classic")
    assert one.arn == "arn:aws-cn:elasticloadbalancing:us-east-1:111111111111:loadbalancer/old"
    assert (one.number("registered_targets"), one.attributes["listener_protocols"]) == (2, ["HTTP", "TCP"])
    assert one.tags == {"team": "web"}
    assert reader.times("elbv2:DescribeTargetGroups") == 0


def test_tags_are_asked_for_by_twenty() -> None:
    many = [classic(f"lb-{number}") for number in range(45)]
    reader = Balancing(elb_DescribeLoadBalancers=[{"LoadBalancerDescriptions": many}])
    assert len(collected(reader)[0]) == 46
    sizes = [len(asked["LoadBalancerNames"]) for name, asked in reader.asked if name == "elb:DescribeTags"]
    assert sizes == [20, 20, 5]


def test_tags_that_cannot_be_read_are_a_gap_and_not_an_absence() -> None:
    (one,), gaps = collected(Balancing(elbv2_DescribeTags=[denied("elbv2:DescribeTags")]))
    assert [gap.operation for gap in gaps] == ["DescribeTags"]
    assert one.attributes["tags_known"] is False


def test_half_a_listing_of_target_groups_makes_no_target_disappear() -> None:
    lost = AwsThrottled("slow down", operation="elbv2:DescribeTargetGroups", code="Throttling")
    reader = Balancing(elbv2_DescribeTargetGroups=[{"TargetGroups": []}, lost])
    (one,), gaps = collected(reader)
    assert [(gap.operation, gap.code) for gap in gaps] == [("DescribeTargetGroups", "Throttling")]
    assert "registered_targets" not in one.attributes


def test_a_right_that_is_missing_is_asked_for_once_and_is_one_gap() -> None:
    reader = Balancing(
        elbv2_DescribeTargetGroups=[{"TargetGroups": [group(f"g{number}", ARN) for number in range(3)]}],
        elbv2_DescribeTargetHealth=[denied("elbv2:DescribeTargetHealth")],
    )
    (one,), gaps = collected(reader)
    assert len(gaps) == reader.times("elbv2:DescribeTargetHealth") == 1
    assert (one.number("target_groups"), "registered_targets" in one.attributes) == (3, False)


def test_a_listener_that_vanished_meanwhile_leaves_its_load_balancer_unknown_and_the_others_are_asked() -> None:
    other = ARN.replace("50dc", "60dc")
    gone = AwsRejected("no such thing", operation="elbv2:DescribeListeners", code="LoadBalancerNotFound")
    reader = Balancing(
        elbv2_DescribeLoadBalancers=[{"LoadBalancers": [current(), current(other)]}],
        elbv2_DescribeTargetGroups=[{"TargetGroups": []}],
        elbv2_DescribeListeners=[gone],
    )
    found, gaps = collected(reader)
    assert [gap.code for gap in gaps] == ["LoadBalancerNotFound"]
    assert reader.times("elbv2:DescribeListeners") == len(found) == 2
    assert all("answers_itself" not in one.attributes for one in found)


def test_when_the_first_listing_fails_the_second_does_not_pass_for_all_there_is() -> None:
    error = denied("elbv2:DescribeLoadBalancers")
    reader = Balancing(
        elbv2_DescribeLoadBalancers=[error], elb_DescribeLoadBalancers=[{"LoadBalancerDescriptions": [classic()]}]
    )
    found, gaps = collected(reader)
    assert (found, [gap.code for gap in gaps]) == ([], ["AccessDenied"])


def test_when_the_second_listing_fails_the_first_stays_and_a_gap_is_shown() -> None:
    found, gaps = collected(Balancing(elb_DescribeLoadBalancers=[denied("elb:DescribeLoadBalancers")]))
    assert ([one.id for one in found], [gap.service for gap in gaps]) == ([IDS["application"]], ["elb"])


# -- what is billed ----------------------------------------------------------------------------------------------------


def test_an_application_load_balancer_costs_16_20_in_720_hours_and_194_40_in_a_year_of_them() -> None:
    month = cost(balancer(), hours=720).monthly
    assert month == Decimal("16.20")
    assert month * 12 == Decimal("194.40")


@pytest.mark.parametrize(("kind", "hourly"), [("application", "0.0252"), ("classic", "0.028"), ("gateway", "0.014")])
def test_each_type_has_its_own_hour(kind: str, hourly: str) -> None:
    assert cost(replace(balancer(kind), region="eu-west-1")).hourly == Decimal(hourly)


def test_an_hour_that_the_tables_lack_is_unknown_and_never_zero() -> None:
    assert cost(balancer("gateway")).monthly is None
    assert cost(balancer("gateway")).missing == ("hour: no price for gateway in us-east-1",)
    assert cost(balancer(load_balancer_type="")).missing == ("hour: its type is not known",)


@pytest.mark.parametrize(
    ("state", "billed"), [("active_impaired", "16.43"), ("provisioning", "16.43"), ("failed", "0.00")]
)
def test_it_is_billed_in_every_state_but_failed(state: str, billed: str) -> None:
    assert cost(balancer(state=state)).monthly == Decimal(billed)


def test_what_is_billed_by_use_or_by_another_service_is_named() -> None:
    assert only(Balancing()).attributes["billed_by_use"] == ["further_public_ipv4_hour"]
    internal = Balancing(elbv2_DescribeLoadBalancers=[{"LoadBalancers": [current(Scheme="internal")]}])
    assert only(internal).attributes["billed_by_use"] == []


ZONES = [{"ZoneName": "us-east-1a"}, {"ZoneName": "us-east-1b"}]
OWN = [{"ZoneName": "us-east-1a", "LoadBalancerAddresses": [{"AllocationId": "eipalloc-1"}]}, ZONES[1]]


@pytest.mark.parametrize(
    ("changes", "addresses", "left_out"),
    [
        ({}, 2, ["further_public_ipv4_hour"]),
        ({"Scheme": "internal"}, 0, []),
        ({"IpAddressType": "dualstack"}, 2, ["further_public_ipv4_hour"]),
        ({"IpAddressType": "dualstack-without-public-ipv4"}, 0, []),
        ({"Type": "network"}, 2, []),
        ({"Type": "network", "AvailabilityZones": OWN}, 1, []),
        ({"Type": "gateway", "Scheme": None}, 0, []),
        ({"Scheme": None}, None, []),
        ({"AvailabilityZones": []}, None, []),
        ({"CustomerOwnedIpv4Pool": "ipv4pool-coip-1"}, None, []),
        ({"IpamPools": {"Ipv4IpamPoolId": "ipam-pool-1"}}, None, []),
    ],
)
def test_an_internet_facing_one_has_a_public_address_in_each_zone_at_least(
    changes: dict[str, Any], addresses: int | None, left_out: list[str]
) -> None:
    one = only(Balancing(elbv2_DescribeLoadBalancers=[{"LoadBalancers": [current(**changes)]}]))
    assert one.attributes.get("public_addresses") == addresses
    assert one.attributes["billed_by_use"] == left_out


def test_a_classic_one_has_an_address_in_each_zone_as_well() -> None:
    listed: list[Answer] = [
        {"LoadBalancerDescriptions": [classic(Scheme="internet-facing", AvailabilityZones=["a", "b", "c"])]}
    ]
    one = only(Balancing(elbv2_DescribeLoadBalancers=[{}], elb_DescribeLoadBalancers=listed))
    assert one.attributes["public_addresses"] == 3


def test_public_addresses_are_part_of_the_cost_and_unknown_where_their_number_is() -> None:
    # 730 × (0.0225 + 2 × 0.005).
    assert cost(balancer(public_addresses=2)).monthly == Decimal("23.73")
    unknown = cost(balancer(public_addresses=None, scheme="internet-facing"))
    assert (unknown.monthly, unknown.known_monthly) == (None, Decimal("16.43"))
    assert unknown.missing == ("public_ipv4_hour: how many public addresses it has is not known",)
    assert cost(balancer(public_addresses=None, scheme="internal")).monthly == Decimal("16.43")


@pytest.mark.parametrize(
    ("kind", "measured", "monthly", "part"),
    [
        # 720 hours with 1,440 unit-hours are two units in each hour: 2 × 730 × 0.008, beside 730 × 0.0225.
        ("application", 1440.0, "28.11", "lcu_hour"),
        # 2 × 730 × 0.006.
        ("network", 1440.0, "25.19", "lcu_hour"),
        # 720 GiB in 720 hours in eu-west-1: 730 × 0.008, beside 730 × 0.028.
        ("classic", 720.0 * 2**30, "26.28", "gb"),
    ],
)
def test_the_use_of_each_type_is_billed_by_its_own_unit(kind: str, measured: float, monthly: str, part: str) -> None:
    one = replace(balancer(kind), region="eu-west-1" if kind == "classic" else "us-east-1")
    priced = cost(one, Utilization(one.id, month=billed(one, measured)))
    assert priced.monthly == Decimal(monthly)
    assert [(component.dimension, component.by_use) for component in priced.components] == [
        ("hour", False),
        (part, True),
    ]


@pytest.mark.parametrize("kind", ["application", "network", "classic"])
def test_use_that_was_not_measured_leaves_the_cost_unknown_and_the_hours_stay_listed(kind: str) -> None:
    priced = cost(balancer(kind), Utilization("any"))
    assert (priced.monthly, [one.dimension for one in priced.components]) == (None, ["hour"])
    assert "of the last 30 days is unknown (not measured)" in priced.missing[0]


def test_before_it_is_active_it_takes_no_traffic_and_costs_its_hours() -> None:
    assert cost(balancer(state="provisioning"), Utilization("any")).monthly == Decimal("16.43")


# -- what is measured, who owns it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "namespace", "dimension", "zero"),
    [
        ("application", "AWS/ApplicationELB", "LoadBalancer", {True}),
        ("network", "AWS/NetworkELB", "LoadBalancer", {False}),
        ("gateway", "AWS/GatewayELB", "LoadBalancer", {True}),
        ("classic", "AWS/ELB", "LoadBalancerName", {True}),
    ],
)
def test_each_type_is_measured_in_its_own_namespace_and_a_missing_point_means_what_aws_says(
    kind: str, namespace: str, dimension: str, zero: set[bool]
) -> None:
    specs = [spec for spec in KIND.metrics if spec.applies(balancer(kind))]
    assert {(spec.namespace, spec.dimension) for spec in specs} == {(namespace, dimension)}
    assert {spec.missing_means_zero for spec in specs} == zero
    assert not any("health" in spec.metric.lower() for spec in specs)


def test_the_load_balancer_of_a_kubernetes_service_belongs_to_its_cluster() -> None:
    tags = {"elbv2.k8s.aws/cluster": "blue", "service.k8s.aws/stack": "shop/web", "kubernetes.io/cluster/blue": "owned"}
    owner = KIND.owner(replace(balancer(), tags=tags))
    assert owner is not None
    assert (owner.system, owner.name) == ("a Kubernetes cluster", "shop/web")
    assert "Service" in owner.instead
    assert KIND.owner(balancer()) is None


def test_the_console_finds_a_classic_load_balancer_by_name_and_others_by_arn() -> None:
    assert KIND.console_url(balancer("classic")).endswith("loadBalancerArn=shop")
    assert KIND.console_url(balancer()).endswith(balancer().arn)


def test_every_permission_is_iams_and_every_call_one_of_the_sdks_with_its_parameters() -> None:
    loader = botocore.session.get_session().get_component("data_loader")
    model = ServiceModel(loader.load_service_model("elbv2", "service-2"), "elbv2")
    for permission, call in KIND.listing.calls.items():
        assert permission.startswith("elasticloadbalancing:")
        probe = KIND.listing.probes.get(permission)
        given = {} if probe is None else probe(KIND.sample.id)
        shape = model.operation_model(call.partition(":")[2]).input_shape
        assert not ParamValidator().validate(dict(given), shape).has_errors()
    assert set(KIND.listing.calls) == set(KIND.permissions) - {"cloudwatch:GetMetricData"}
