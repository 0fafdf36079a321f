"""Log groups as collected and priced: facts as AWS gives them, tags, owners, what is billed, and errors as gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages, without
from tests.unit.services.logs.log_groups import GIB, GROUPS, group, incoming

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.logs.log_group import KIND, LogGroupFacts

MODEL = botocore.session.get_session().get_service_model("logs")
LIST, TAGS = "logs:DescribeLogGroups", "resourcegroupstaggingapi:GetResources"
ARN = "arn:aws:logs:us-east-1:111122223333:log-group:/app/shop"
TAGGED = {"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "logGroupName": "/app/shop",
        "arn": f"{ARN}:*",
        "logGroupArn": ARN,
        "creationTime": 1_767_225_600_000,
        "metricFilterCount": 2,
        "storedBytes": 5 * GIB,
        "logGroupClass": "STANDARD",
        "deletionProtectionEnabled": False,
        **changes,
    }


def answering(*pages: Sequence[Mapping[str, Any]], error: Any = None, tags: Any = (TAGGED,)) -> Pages:
    listed: list[Any] = [{"logGroups": page} for page in pages]
    return Pages({LIST: [*listed, *([error] if error is not None else [])], TAGS: tags})


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(answering([described(**changes)]), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_log_group_carries_class_retention_bytes_age_and_tags() -> None:
    one = collected(retentionInDays=30)
    facts = facts_of(LogGroupFacts, one)
    assert (one.id, one.arn, one.tags, one.state) == ("/app/shop", ARN, {"team": "shop"}, "active")
    assert one.created is not None
    assert one.created.isoformat() == "2026-01-01T00:00:00+00:00"
    assert (facts.log_group_class, facts.retention_days, facts.stored_bytes) == ("STANDARD", 30, 5 * GIB)
    assert (facts.metric_filters, facts.deletion_protection, facts.tags_known) == (2, False, True)


def test_a_retention_that_aws_leaves_out_means_never_and_a_policy_of_the_account_is_named() -> None:
    facts = facts_of(LogGroupFacts, collected())
    assert (facts.retention_days, facts.retention_policy) == (0, "")
    assert facts_of(LogGroupFacts, collected(retentionPolicyName="all")).retention_policy == "all"


def test_what_aws_did_not_say_is_absent_and_a_class_that_it_does_not_name_is_the_standard_one() -> None:
    one = collected(storedBytes=None, logGroupClass=None, creationTime=None)
    assert "stored_bytes" not in one.attributes
    assert one.created is None
    assert KIND.type_of(one) == "STANDARD"


def test_every_page_is_listed_and_asked_at_the_documented_maximum() -> None:
    reader = answering([described(logGroupName="a")], [described(logGroupName="b")])
    assert [one.id for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)] == ["a", "b"]
    asked = dict(reader.asked)
    assert asked[LIST] == {"limit": 50}
    assert asked[TAGS] == {"ResourceTypeFilters": ["logs"], "ResourcesPerPage": 100}
    shape = MODEL.operation_model("DescribeLogGroups").input_shape
    assert not ParamValidator().validate(asked[LIST], shape).has_errors()
    assert described().keys() <= MODEL.shape_for("LogGroup").members.keys()


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LIST, code="AccessDeniedException")
    (gap,) = KIND.listing.collect(answering(error=denied), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation, gap.code) == ("logs", "DescribeLogGroups", "AccessDeniedException")
    slow = AwsThrottled("slow down", operation=LIST, code="ThrottlingException")
    one, cut = KIND.listing.collect(answering([described()], error=slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_tags_that_cannot_be_read_are_a_gap_and_not_known_to_be_none() -> None:
    denied = AwsDenied("no", operation=TAGS, code="AccessDeniedException")
    gap, one = KIND.listing.collect(answering([described()], tags=denied), "aws")
    assert isinstance(gap, Gap)
    assert gap.operation == "GetResources"
    assert isinstance(one, Resource)
    assert facts_of(LogGroupFacts, one).tags_known is False
    assert facts_of(LogGroupFacts, collected(logGroupName="untagged")).tags_known is True


def test_storage_is_billed_by_the_month_and_what_came_in_by_use() -> None:
    known = GROUPS.cost(group(), incoming(2), hours=720)
    assert known.monthly == Decimal("33.00")
    assert known.monthly_by_use == Decimal("30.00")
    assert [part.dimension for part in known.components] == ["storage_gb_month", "ingested_gb"]


def test_a_bill_without_its_metric_is_unknown_and_a_day_without_events_is_zero() -> None:
    unknown = GROUPS.cost(group(), without(incoming(2), "incomingBytes"))
    assert unknown.monthly is None
    assert unknown.missing == ("ingested_gb: incomingBytes of the last 30 days is unknown (Throttled)",)
    assert GROUPS.cost(group(), incoming(0)).monthly == Decimal("3.00")
    assert all(spec.missing_means_zero for spec in KIND.metrics)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"log_group_class": "INFREQUENT_ACCESS"}, "ingested_gb: no price for the class INFREQUENT_ACCESS"),
        ({"log_group_class": "DELIVERY"}, "ingested_gb: no price for the class DELIVERY"),
        ({"log_group_class": None}, "ingested_gb: its class is not known"),
        ({"stored_bytes": None}, "storage_gb_month: how much it stores is not known"),
    ],
)
def test_what_has_no_price_makes_the_cost_unknown(changes: dict[str, Any], why: str) -> None:
    unknown = GROUPS.cost(group(**changes), incoming(1))
    assert unknown.monthly is None
    assert why in unknown.missing


@pytest.mark.parametrize(
    ("tags", "system"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation"),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"services.k8s.aws/namespace": "shop"}, "a Kubernetes cluster"),
        ({"crossplane-name": "shop"}, "Crossplane"),
    ],
)
def test_an_owner_is_known_by_its_tags(tags: dict[str, str], system: str) -> None:
    owner = KIND.owner(replace(group(), tags=tags))
    assert owner is not None
    assert owner.system == system


def test_nobody_owns_a_group_without_a_sign() -> None:
    assert KIND.owner(replace(group(), tags={"team": "shop"})) is None


def test_the_link_leads_to_the_group_with_its_slashes_encoded_twice() -> None:
    assert KIND.console_url(group()).endswith("#logsV2:log-groups/log-group/$252Fapp$252Fshop")
