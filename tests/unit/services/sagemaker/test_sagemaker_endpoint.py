"""Endpoints as collected: machines behind variants, tags, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.sagemaker.models import ENDPOINTS, endpoint
from tests.unit.services.sagemaker.models import listed as price_of

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.pricing.offers import offer_of
from finops_operator.services.sagemaker.endpoint import KIND, endpoint_facts

MODEL = botocore.session.get_session().get_service_model("sagemaker")
LIST, DESCRIBE = "sagemaker:ListEndpoints", "sagemaker:DescribeEndpoint"
CONFIGURATION = "sagemaker:DescribeEndpointConfig"
TYPES = [
    {"VariantName": "new", "InstanceType": "ml.g5.xlarge"},
    {"VariantName": "main", "InstanceType": "ml.m5.large"},
]
TAGS = "resourcegroupstaggingapi:GetResources"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/prices"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "EndpointName": "prices",
        "EndpointArn": ARN,
        "EndpointStatus": "InService",
        "CreationTime": "1767225600.0",
        **changes,
    }


def reader(*endpoints: dict[str, Any], **answers: Any) -> Pages:
    variants = [{"VariantName": "main", "CurrentInstanceCount": 2}, {"VariantName": "new", "CurrentInstanceCount": 1}]
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    return Pages(
        {
            LIST: [{"Endpoints": list(endpoints)}],
            DESCRIBE: [{"ProductionVariants": variants, "EndpointConfigName": "prices-2"}],
            CONFIGURATION: [{"ProductionVariants": TYPES}],
            TAGS: [{"ResourceTagMappingList": tags}],
            **answers,
        }
    )


def test_an_endpoint_carries_its_variants_and_machines() -> None:
    asked = reader(listed())
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    facts = endpoint_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("prices", ARN, "inservice", {"team": "shop"})
    assert one.created is not None
    assert (facts.variants, facts.instances, facts.serverless) == (("main", "new"), 3, False)
    assert (facts.instance_types, facts.instances_of_types) == (("ml.m5.large", "ml.g5.xlarge"), (2, 1))
    assert listed().keys() <= MODEL.shape_for("EndpointSummary").members.keys()
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_description_that_could_not_be_read_is_unknown_and_asked_for_once() -> None:
    denied = AwsDenied("no", operation=DESCRIBE, code="AccessDeniedException")
    two = reader(listed(), listed(EndpointName="other"), **{DESCRIBE: [denied]})
    *found, gap = KIND.listing.collect(two, "aws")
    assert [endpoint_facts(one).variants for one in found if isinstance(one, Resource)] == [None, None]
    assert isinstance(gap, Gap)
    assert [operation for operation, _ in two.asked].count(DESCRIBE) == 1


def test_a_refused_listing_is_a_gap_and_one_that_is_being_deleted_is_left_out() -> None:
    (gap,) = KIND.listing.collect(reader(**{LIST: [AwsDenied("no", operation=LIST, code="AccessDenied")]}), "aws")
    assert isinstance(gap, Gap)
    assert list(KIND.listing.collect(reader(listed(EndpointStatus="Deleting")), "aws")) == []


def test_a_configuration_that_could_not_be_read_leaves_its_types_unknown() -> None:
    denied = AwsDenied("no", operation=CONFIGURATION, code="AccessDeniedException")
    one, gap = KIND.listing.collect(reader(listed(), **{CONFIGURATION: [denied]}), "aws")
    assert isinstance(one, Resource)
    assert endpoint_facts(one).instance_types == ("", "")
    assert isinstance(gap, Gap)
    assert ENDPOINTS.cost(one).missing == ("instance_hour: the type of its machines is not known",) * 2


def test_with_a_price_list_it_costs_the_hours_of_its_machines_and_a_shadow_is_one_of_them() -> None:
    priced = replace(ENDPOINTS, lookup=price_of)
    # 2 × 0.115 × 730.
    assert priced.cost(endpoint()).monthly == Decimal("167.90")
    described = {
        "EndpointConfigName": "prices-2",
        "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 1}],
        "ShadowProductionVariants": [{"VariantName": "new", "CurrentInstanceCount": 2}],
    }
    (one,) = KIND.listing.collect(reader(listed(), **{DESCRIBE: [described]}), "aws")
    assert isinstance(one, Resource)
    assert (endpoint_facts(one).variants, endpoint_facts(one).instances_of_types) == (("main",), (1, 2))
    assert priced.cost(one).monthly == Decimal("251.85")
    assert priced.cost(endpoint(instances_of_types=[0])).monthly == Decimal("0.00")


def test_machines_behind_a_queue_have_a_price_of_their_own_and_none_cost_nothing() -> None:
    """An hour of `AsyncInf:` is another product than one of `Host:`; not every type is offered as both."""
    priced = replace(ENDPOINTS, lookup=price_of)
    assert priced.cost(endpoint(asynchronous=True)).monthly == Decimal("175.20")  # 2 × 0.120 × 730
    (part,) = KIND.billed_parts(endpoint(asynchronous=True))
    assert part.query is not None
    offer = offer_of(part.query, KIND.offers)
    assert offer is not None
    assert offer.is_of("EU-AsyncInf:ml.m5.large")
    assert not offer.is_of("EU-Host:ml.m5.large")
    assert priced.cost(endpoint(asynchronous=True, instances_of_types=[0])).monthly == Decimal("0.00")


def test_whether_a_queue_feeds_it_decides_its_price_so_that_not_knowing_is_unknown() -> None:
    unknown = replace(ENDPOINTS, lookup=price_of).cost(endpoint(asynchronous=None))
    assert unknown.missing == ("instance_hour: its machines are not known",)


def test_a_description_with_a_queue_is_asynchronous_and_one_without_is_not() -> None:
    with_queue: dict[str, Any] = {"AsyncInferenceConfig": {"OutputConfig": {}}}
    without: dict[str, Any] = {}
    for queue, found in ((without, False), (with_queue, True)):
        described = {"ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": 1}], **queue}
        (one,) = KIND.listing.collect(reader(listed(), **{DESCRIBE: [described]}), "aws")
        assert isinstance(one, Resource)
        assert endpoint_facts(one).asynchronous is found


def test_its_cost_is_unknown_and_never_zero_while_it_works() -> None:
    unknown = endpoint(instance_types=None, instances_of_types=None)
    assert ENDPOINTS.cost(unknown).missing == ("instance_hour: its machines are not known",)
    assert ENDPOINTS.cost(endpoint()).missing == ("instance_hour: no price for SageMaker instances",)
    assert ENDPOINTS.cost(endpoint(serverless=True)).missing == ("request_second: no price for serverless endpoints",)
    assert KIND.billed_parts(endpoint("failed")) == ()


def test_requests_are_named_by_endpoint_and_variant_and_several_variants_are_not_measured() -> None:
    (spec,) = KIND.metrics
    assert spec.dimensions is not None
    assert spec.dimensions(endpoint()) == (("EndpointName", "prices"), ("VariantName", "main"))
    assert spec.missing_means_zero
    assert spec.applies(endpoint())
    assert not any(spec.applies(endpoint(variants=variants)) for variants in (["main", "new"], None))


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(endpoint(), tags={"sagemaker:project-name": "shop"}))
    assert owner is not None
    assert owner.system == "a SageMaker project"
