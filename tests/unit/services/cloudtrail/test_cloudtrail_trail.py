"""Trails as collected: those at home in the region, with what their shadows and the organization's show of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.cloudtrail.trails import ARN, TRAILS, trail

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected
from finops_operator.plugins.facts import facts_of
from finops_operator.services.cloudtrail.trail import KIND, TrailFacts

MODEL = botocore.session.get_session().get_service_model("cloudtrail")
LIST, STATUS, SELECTORS = "cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"
TAGS = "resourcegroupstaggingapi:GetResources"
SHADOW = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit"
FOREIGN = "arn:aws:cloudtrail:us-east-1:999999999999:trail/everybody"


def described(arn: str = ARN, **changes: Any) -> dict[str, Any]:
    return {
        "Name": arn.rpartition("/")[2],
        "TrailARN": arn,
        "HomeRegion": arn.split(":")[3],
        "S3BucketName": "logs",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "IsOrganizationTrail": False,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
        **changes,
    }


def shadow(**changes: Any) -> dict[str, Any]:
    return described(SHADOW, IsMultiRegionTrail=True, **changes)


def reader(*trails: dict[str, Any], **answers: Any) -> Pages:
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    standard = {
        LIST: [{"trailList": list(trails) or [described()]}],
        STATUS: [{"IsLogging": True, "StartLoggingTime": "1700000000.0"}],
        TAGS: [{"ResourceTagMappingList": tags}],
    }
    return Pages({**standard, **answers})


def collected(pages: Pages) -> list[Resource | Gap]:
    return list(KIND.listing.collect(pages, "aws"))


def facts(pages: Pages) -> TrailFacts:
    """Return the facts of the one trail that is listed."""
    (one,) = (found for found in collected(pages) if isinstance(found, Resource))
    return facts_of(TrailFacts, one)


def test_a_trail_carries_what_it_delivers_and_is_not_asked_for_selectors_that_it_does_not_have() -> None:
    asked = reader()
    (one,) = collected(asked)
    assert isinstance(one, Resource)
    assert (one.id, one.arn, one.state, one.tags) == ("team", ARN, "logging", {"team": "shop"})
    own = facts_of(TrailFacts, one)
    assert (own.management_events, own.other_events, own.same_events_in) == ("all", False, "")
    assert (own.logging_since, own.tags_known) == ("2023-11-14T22:13:20+00:00", True)
    assert [operation for operation, _ in asked.asked] == [LIST, TAGS, STATUS]
    assert described().keys() <= MODEL.shape_for("Trail").members.keys()
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_region_without_a_trail_of_its_own_is_asked_nothing_more() -> None:
    asked = reader(shadow(), described(FOREIGN, IsOrganizationTrail=True))
    assert collected(asked) == []
    assert [operation for operation, _ in asked.asked] == [LIST]


def test_a_shadow_that_delivers_everything_makes_a_copy_of_the_trail_and_is_no_resource_itself() -> None:
    own = facts(reader(described(), shadow()))
    assert (own.same_events_in, own.same_events_since) == ("audit", "2023-11-14T22:13:20+00:00")


@pytest.mark.parametrize("target", ["CloudWatchLogsLogGroupArn", "SnsTopicARN"])
def test_a_trail_whose_events_reach_a_log_group_or_topic_needs_a_copy_that_reaches_it_too(target: str) -> None:
    arn = "arn:aws:logs:us-east-1:111122223333:log-group:trail:*"
    assert target in MODEL.shape_for("Trail").members
    assert facts(reader(described(**{target: arn}), shadow())).same_events_in == ""
    assert facts(reader(described(**{target: arn}), shadow(**{target: arn}))).same_events_in == "audit"
    chosen: dict[str, Any] = {"HasCustomEventSelectors": True, target: arn}
    answers: dict[str, Any] = {SELECTORS: [{"EventSelectors": [{}]}]}
    assert facts(reader(described(**chosen), shadow(), **answers)).same_events_in == ""


def test_of_trails_that_feed_different_targets_none_can_go_and_yet_one_of_them_is_billed() -> None:
    topics = [{"SnsTopicARN": f"arn:aws:sns:us-east-1:111122223333:{name}"} for name in ("people", "machines")]
    own = facts(reader(described(**topics[0]), shadow(**topics[1])))
    assert (own.same_events_in, own.second_copy) == ("", True)
    assert facts(reader()).second_copy is False


@pytest.mark.parametrize(
    "failure", ["LatestDeliveryError", "LatestCloudWatchLogsDeliveryError", "LatestNotificationError"]
)
def test_a_trail_that_logs_to_where_it_is_refused_is_no_copy_to_count_on(failure: str) -> None:
    status = {"IsLogging": True, "StartLoggingTime": "1700000000.0", failure: "AccessDenied"}
    assert status.keys() <= MODEL.operation_model("GetTrailStatus").output_shape.members.keys()
    assert facts(reader(described(), shadow(), **{STATUS: [status]})).same_events_in is None


def test_what_a_shadow_selects_is_not_known_where_its_home_region_alone_says_it() -> None:
    hidden = AwsRejected("Unknown trail", operation=SELECTORS, code="TrailNotFoundException")
    own = facts(pages := reader(described(), shadow(HasCustomEventSelectors=True), **{SELECTORS: [hidden]}))
    assert own.same_events_in is None
    assert [one for one in collected(pages) if isinstance(one, Gap)] == []


def test_selectors_say_what_is_delivered() -> None:
    answer = {"EventSelectors": [{"ReadWriteType": "WriteOnly", "DataResources": [{"Type": "AWS::S3::Object"}]}]}
    own = facts(reader(described(HasCustomEventSelectors=True), **{SELECTORS: [answer]}))
    assert (own.management_events, own.other_events) == ("write", True)
    assert facts(reader(described(HasInsightSelectors=True))).other_events is True


def test_the_trail_of_the_organization_is_not_asked_about_from_a_member_and_leaves_it_open() -> None:
    asked = reader(described(), described(FOREIGN, IsOrganizationTrail=True, IsMultiRegionTrail=True))
    assert facts(asked).same_events_in is None
    assert [parameters["Name"] for operation, parameters in asked.asked if operation == STATUS] == [ARN]


@pytest.mark.parametrize(("operation", "selected"), [(STATUS, False), (SELECTORS, True)])
def test_a_question_that_is_refused_is_a_gap_and_its_answer_unknown(operation: str, selected: bool) -> None:
    refused = AwsDenied("no", operation=operation, code="AccessDeniedException")
    several = [described(HasCustomEventSelectors=selected), shadow(HasCustomEventSelectors=selected)]
    one, gap = collected(asked := reader(*several, **{operation: [refused]}))
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert gap.operation == operation.partition(":")[2]
    assert facts_of(TrailFacts, one).same_events_in is None
    assert (one.state == "logging") == selected
    assert [name for name, _ in asked.asked].count(operation) == 1


def test_a_refused_listing_and_refused_tags_are_gaps() -> None:
    (gap,) = collected(reader(**{LIST: [AwsDenied("no", operation=LIST, code="AccessDeniedException")]}))
    assert isinstance(gap, Gap)
    one, other = collected(reader(**{TAGS: [AwsDenied("no", operation=TAGS, code="AccessDeniedException")]}))[::-1]
    assert isinstance(one, Resource)
    assert isinstance(other, Gap)
    assert facts_of(TrailFacts, one).tags_known is False


def test_the_first_copy_of_management_events_is_free_and_everything_else_of_unknown_cost() -> None:
    first: dict[str, Any] = {"same_events_in": "", "second_copy": False}
    assert TRAILS.cost(trail(**first)).monthly == 0
    unsure = [{**first, "second_copy": None}, {**first, "second_copy": True}, {**first, "same_events_in": None}]
    for billed in (trail(), *(trail(**one) for one in unsure), trail(**first, other_events=True)):
        assert TRAILS.cost(billed).monthly is None
    assert TRAILS.cost(trail("stopped")).monthly == 0


def test_an_owner_is_known_by_tags() -> None:
    owner = KIND.owner(replace(trail(), tags={"aws:cloudformation:stack-name": "audit"}))
    assert owner is not None
    assert (owner.system, owner.name) == ("CloudFormation", "audit")
