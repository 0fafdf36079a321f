"""Warehouses as collected and priced: nodes, pauses, storage without a price, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.redshift.warehouses import ARN, WAREHOUSES, warehouse

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.redshift.cluster import KIND, warehouse_facts

MODEL = botocore.session.get_session().get_service_model("redshift")
LISTING = "redshift:DescribeClusters"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "ClusterIdentifier": "sales",
        "ClusterStatus": "available",
        "NodeType": "ra3.xlplus",
        "NumberOfNodes": 2,
        "MultiAZ": "Disabled",
        "ClusterVersion": "1.0",
        "ClusterCreateTime": "2026-01-01T00:00:00.000Z",
        "AutomatedSnapshotRetentionPeriod": 1,
        "PubliclyAccessible": False,
        "Tags": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(Pages({LISTING: [{"Clusters": [described(**changes)]}]}), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_cluster_carries_its_nodes() -> None:
    one = collected()
    facts = warehouse_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("sales", ARN, "available", {"team": "shop"})
    assert one.created is not None
    assert (facts.node_type, facts.nodes, facts.multi_az, KIND.type_of(one)) == ("ra3.xlplus", 2, False, "ra3.xlplus")
    assert warehouse_facts(collected(MultiAZ="Enabled")).multi_az is True
    assert described().keys() <= MODEL.shape_for("Cluster").members.keys()


def test_public_addresses_are_named_as_left_out_unless_aws_says_that_there_are_none() -> None:
    assert "public_ipv4_hour" not in (warehouse_facts(collected()).not_in_cost or ())
    for said in (True, None):
        assert "public_ipv4_hour" in (warehouse_facts(collected(PubliclyAccessible=said)).not_in_cost or ())


def test_a_refused_listing_is_a_gap_pages_before_an_error_are_kept_and_calls_are_as_the_api_allows() -> None:
    (gap,) = KIND.listing.collect(Pages({LISTING: [AwsDenied("no", operation=LISTING, code="AccessDenied")]}), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LISTING, code="Throttling")
    pages = Pages({LISTING: [{"Clusters": [described()]}, slow]})
    one, cut = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)
    ((_, parameters),) = pages.asked
    assert not ParamValidator().validate(parameters, MODEL.operation_model("DescribeClusters").input_shape).has_errors()


def test_a_cluster_that_is_being_deleted_is_left_out() -> None:
    assert (
        list(KIND.listing.collect(Pages({LISTING: [{"Clusters": [described(ClusterStatus="deleting")]}]}), "aws")) == []
    )


def test_nodes_are_billed_by_the_hour_and_not_while_the_cluster_is_paused() -> None:
    assert WAREHOUSES.cost(warehouse()).monthly == Decimal("365.00")  # 2 × 0.25 × 730
    assert WAREHOUSES.cost(warehouse("paused")).monthly == Decimal("0.00")
    assert KIND.billed_parts(warehouse("creating")) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"node_type": "ra3.xlplus"}, "storage_gb_month: no price for managed storage"),
        ({"multi_az": True}, "node_hour: no price for clusters in several zones"),
        ({"nodes": None}, "node_hour: the type or the number of its nodes is not known"),
        ({"node_type": "ds2.xlarge"}, "node_hour: no price for ds2.xlarge in us-east-1"),
    ],
)
def test_what_has_no_price_makes_the_cost_unknown(changes: dict[str, Json], missing: str) -> None:
    cost = WAREHOUSES.cost(warehouse(**changes))
    assert (cost.monthly, cost.missing) == (None, (missing,))


def test_storage_of_ra3_stays_unknown_while_it_is_paused_and_an_unheard_of_state_is_unknown() -> None:
    assert WAREHOUSES.cost(warehouse("paused", node_type="ra3.xlplus")).monthly is None
    assert "levitating" in WAREHOUSES.cost(warehouse("levitating")).missing[0]


def test_a_paused_cluster_is_not_measured_and_a_missing_point_is_unknown() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert all(spec.applies(warehouse()) and not spec.applies(warehouse("paused")) for spec in KIND.metrics)


def test_the_price_of_a_type_is_found_and_an_owner_by_its_tags() -> None:
    (product,) = KIND.products
    (query,) = product.queries("us-east-1", product.sample, {})
    assert SOURCE.lookup(query) is not None
    owner = KIND.owner(replace(warehouse(), tags={"crossplane-name": "sales"}))
    assert owner is not None
    assert owner.system == "Crossplane"
