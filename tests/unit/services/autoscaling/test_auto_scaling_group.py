"""Auto Scaling groups as collected: sizes and members, nothing billed twice, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.support.judging import group_cost
from tests.support.scaling_groups import ARN, Groups, described, group

from finops.domain.price import GroupOf
from finops.domain.resource import Gap, Resource
from finops.errors import AwsThrottled
from finops_operator.services.autoscaling.auto_scaling_group import KIND


def test_a_group_carries_its_sizes_and_its_members() -> None:
    one = group(2, MaxSize=5)
    assert (one.id, one.arn, one.state, one.tags) == ("web", ARN, "active", {"team": "web"})
    assert (one.number("min_size"), one.number("max_size"), one.number("desired_capacity")) == (2, 5, 2)
    assert (one.number("current_instances"), one.attributes["instance_ids"]) == (2, ["i-0", "i-1"])
    assert one.text("health_check_type") == "EC2"
    assert one.created is not None


def test_a_group_without_members_is_empty_and_one_whose_members_aws_did_not_give_is_not() -> None:
    assert group(0).state == "empty"
    unknown = described()
    del unknown["Instances"]
    (one,) = KIND.listing.collect(Groups([unknown]), "aws")
    assert isinstance(one, Resource)
    assert (one.state, "current_instances" in one.attributes) == ("active", False)


def test_a_group_that_is_being_deleted_says_so() -> None:
    assert group(Status="Delete in progress").state == "Delete in progress"


def test_its_cost_is_its_members_and_is_not_added_a_second_time() -> None:
    own = group_cost(KIND, group(3), ["1.00", "2.00", "3.00"])
    assert (own.monthly, own.components, own.missing, own.at_stake) == (None, (), (), Decimal("6.00"))
    assert own.group == GroupOf("ec2-instance", ("i-0", "i-1", "i-2"))


def test_a_page_that_was_throttled_out_is_a_gap_and_those_before_it_stay() -> None:
    error = AwsThrottled("slow down", operation="autoscaling:DescribeAutoScalingGroups", code="Throttling")
    reader = Groups([described()], [described(AutoScalingGroupName="api")], error=error)
    first, second, gap = KIND.listing.collect(reader, "aws")
    assert isinstance(first, Resource)
    assert isinstance(second, Resource)
    assert isinstance(gap, Gap)
    assert (second.id, gap.code) == ("api", "Throttling")
    assert reader.asked == [("autoscaling:DescribeAutoScalingGroups", {"MaxRecords": 100})]


def test_a_group_that_a_service_or_a_cluster_keeps_has_an_owner() -> None:
    managed = KIND.owner(group(Operator={"Principal": "eks.amazonaws.com"}))
    assert managed is not None
    assert managed.name == "eks.amazonaws.com"
    nodes = KIND.owner(replace(group(), tags={"eks:nodegroup-name": "blue"}))
    assert nodes is not None
    assert nodes.system == "an EKS managed node group"
    assert KIND.owner(group()) is None


def test_a_name_with_spaces_and_signs_makes_a_link_that_holds() -> None:
    assert KIND.console_url(group(AutoScalingGroupName="my web/&1")).endswith(":id=my%20web%2F%261")


def test_members_that_are_measured_together_are_unknown_where_no_point_is() -> None:
    (cpu,) = KIND.metrics
    assert (cpu.namespace, cpu.dimension, cpu.missing_means_zero) == ("AWS/EC2", "AutoScalingGroupName", False)
