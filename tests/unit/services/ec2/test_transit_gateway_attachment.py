"""Attachments as collected: whose they are, errors as gaps, the dimensions of their metrics, and what is billed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.ec2.networks import ATTACHMENT, ATTACHMENTS, attachment, traffic

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.ec2.transit_gateway_attachment import KIND, AttachmentFacts

MODEL = botocore.session.get_session().get_service_model("ec2")
LIST = "ec2:DescribeTransitGatewayAttachments"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "TransitGatewayAttachmentId": ATTACHMENT,
        "TransitGatewayId": "tgw-1",
        "TransitGatewayOwnerId": "999999999999",
        "ResourceOwnerId": "111122223333",
        "ResourceType": "vpc",
        "ResourceId": "vpc-1",
        "State": "available",
        "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated"},
        "CreationTime": "2026-02-01T00:00:00Z",
        "Tags": [{"Key": "Name", "Value": "shop"}],
        **changes,
    }


def collected(*pages: Any) -> list[Resource | Gap]:
    return list(KIND.listing.collect(Pages({LIST: pages}), "aws"))


def test_an_attachment_carries_what_is_attached_and_whose_it_is() -> None:
    asked = Pages({LIST: [{"TransitGatewayAttachments": [listed(), listed(ResourceOwnerId="999999999999")]}]})
    mine, foreign = KIND.listing.collect(asked, "aws")
    assert isinstance(mine, Resource)
    assert isinstance(foreign, Resource)
    own = facts_of(AttachmentFacts, mine)
    assert (mine.id, mine.state, mine.name, mine.created is None) == (ATTACHMENT, "available", "shop", False)
    assert (own.attached_type, own.attached, own.transit_gateway) == ("vpc", "vpc-1", "tgw-1")
    assert (own.owned_elsewhere, own.associated) == (False, True)
    assert facts_of(AttachmentFacts, foreign).owned_elsewhere is True
    assert listed().keys() <= MODEL.shape_for("TransitGatewayAttachment").members.keys()
    shape = MODEL.operation_model("DescribeTransitGatewayAttachments").input_shape
    assert not ParamValidator().validate(asked.asked[0][1], shape).has_errors()


def test_ended_ones_are_left_out_and_errors_are_gaps() -> None:
    assert collected({"TransitGatewayAttachments": [listed(State="deleted"), listed(State="rejected")]}) == []
    (gap,) = collected(AwsDenied("no", operation=LIST, code="UnauthorizedOperation"))
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LIST, code="RequestLimitExceeded")
    one, cut = collected({"TransitGatewayAttachments": [listed(Association=None)]}, slow)
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)
    assert facts_of(AttachmentFacts, one).associated is False


def test_the_owner_of_what_is_attached_pays_and_its_cost_is_unknown() -> None:
    missing = ATTACHMENTS.cost(attachment(), traffic()).missing
    assert "attachment_hour: no price for attachments" in missing
    assert KIND.billed_parts(attachment(owned_elsewhere=True)) == ()
    assert KIND.billed_parts(attachment("pendingAcceptance")) == ()


def test_its_metrics_are_named_by_gateway_and_attachment_and_a_missing_point_is_unknown() -> None:
    assert {spec.also_of(attachment()) for spec in KIND.metrics} == {(("TransitGateway", "tgw-1"),)}
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(attachment(transit_gateway=None)) for spec in KIND.metrics)
    assert KIND.owner(replace(attachment(), tags={"services.k8s.aws/namespace": "x"})) is not None
