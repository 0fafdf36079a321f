"""Distributions as collected: once per account, their home region, errors as gaps, and what is billed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.cloudfront.distributions import ARN, DISTRIBUTIONS, ID, distribution, measured

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.cloudfront.distribution import KIND, DistributionFacts

MODEL = botocore.session.get_session().get_service_model("cloudfront")
LIST, TAGS = "cloudfront:ListDistributions", "resourcegroupstaggingapi:GetResources"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "Id": ID,
        "ARN": ARN,
        "Status": "Deployed",
        "Enabled": True,
        "LastModifiedTime": "2026-02-01T00:00:00Z",
        "Aliases": {"Quantity": 2, "Items": ["a.example.com", "b.example.com"]},
        "PriceClass": "PriceClass_100",
        "ViewerCertificate": {"SSLSupportMethod": "sni-only"},
        "Staging": False,
        **changes,
    }


def reader(*pages: Any, region: str = "us-east-1") -> Pages:
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "Name", "Value": "shop"}]}]
    return Pages({LIST: list(pages), TAGS: [{"ResourceTagMappingList": tags}]}, region=region)


def page(*items: dict[str, Any]) -> dict[str, Any]:
    return {"DistributionList": {"Items": list(items)}}


def test_a_distribution_carries_its_names_and_its_last_change() -> None:
    asked = reader(page(listed()))
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    own = facts_of(DistributionFacts, one)
    assert (one.id, one.arn, one.state, one.name) == (ID, ARN, "enabled", "shop")
    assert (own.distribution_changed_at, own.aliases, own.price_class) == (
        "2026-02-01T00:00:00+00:00",
        2,
        "PriceClass_100",
    )
    assert (own.dedicated_address, own.staging, own.tags_known) == (False, False, True)
    assert listed().keys() <= MODEL.shape_for("DistributionSummary").members.keys()
    shape = MODEL.operation_model("ListDistributions").input_shape
    assert not ParamValidator().validate(dict(asked.asked)[LIST], shape).has_errors()
    assert KIND.is_global


def test_an_account_without_distributions_and_errors_are_two_things() -> None:
    assert list(KIND.listing.collect(reader({"DistributionList": {"Quantity": 0}}), "aws")) == []
    (gap,) = KIND.listing.collect(reader(AwsDenied("no", operation=LIST, code="AccessDenied")), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LIST, code="Throttling")
    one, cut = KIND.listing.collect(reader(page(listed(Enabled=False)), slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)
    assert one.state == "disabled"


@pytest.mark.parametrize(("region", "known"), [("us-east-1", True), ("eu-west-1", False)])
def test_tags_and_metrics_are_known_only_in_the_region_that_keeps_them(region: str, known: bool) -> None:
    (one,) = KIND.listing.collect(reader(page(listed()), region=region), "aws")
    assert isinstance(one, Resource)
    assert facts_of(DistributionFacts, one).tags_known is known
    assert [spec.applies(one) for spec in KIND.metrics] == [known, known]
    assert {spec.also for spec in KIND.metrics} == {(("Region", "Global"),)}


def test_one_that_delivers_nothing_costs_nothing_and_what_is_not_known_is_never_zero() -> None:
    assert DISTRIBUTIONS.cost(distribution(), measured()).monthly == Decimal("0.00")
    assert DISTRIBUTIONS.cost(distribution()).monthly is None
    assert len(DISTRIBUTIONS.cost(distribution()).missing) == 2
    own = DISTRIBUTIONS.cost(distribution(dedicated_address=True), measured())
    assert own.missing == ("dedicated_address_month: no price for an address of its own",)
    assert KIND.billed_parts(distribution("disabled")) == ()
    assert len(KIND.billed_parts(distribution("disabled", dedicated_address=True))) == 1


def test_a_missing_point_is_unknown_and_an_owner_is_known_by_tags() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert KIND.owner(replace(distribution(), tags={"crossplane-name": "x"})) is not None
    (dedicated,) = KIND.listing.collect(reader(page(listed(ViewerCertificate={"SSLSupportMethod": "vip"}))), "aws")
    assert isinstance(dedicated, Resource)
    assert facts_of(DistributionFacts, dedicated).dedicated_address is True
