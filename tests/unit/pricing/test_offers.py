"""What kinds ask AWS's price list: each question has a row, and what is not certain is not asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.support.facts import NOW

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart, ResourceKind
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import known_regions
from finops_operator.pricing.offers import Offer, all_offers, offer_of
from finops_operator.pricing.price_list import PAGES_OF_A_SCAN, choose
from finops_operator.services.ec2 import transit_gateway_attachment, vpn_connection
from finops_operator.services.ecr import repository
from finops_operator.services.kinesis import stream
from finops_operator.services.msk import cluster
from finops_operator.services.opensearch import domain
from finops_sandbox.aws.price_list import PRODUCTS

SAMPLES: Final = {"instance_type": "ml.m5.large", "engine": "Valkey", "database_engine": "Aurora PostgreSQL"}
"""A value of each attribute that offers name."""
OFFERS: Final = all_offers(load_kinds().values())
GIB: Final = Decimal(2**30)


GP3: Final[dict[str, Json]] = {
    "data_nodes": 2,
    "volume_type": "gp3",
    "volume_gb": 50,
    "volume_iops": 3000,
    "volume_throughput": 125,
}
KINDS: Final[dict[str, ResourceKind[Any]]] = {
    "kinesis": stream.KIND,
    "vpn": vpn_connection.KIND,
    "tgw": transit_gateway_attachment.KIND,
    "ecr": repository.KIND,
    "msk": cluster.KIND,
    "opensearch": domain.KIND,
}


def parts(service: str, state: str, **attributes: Json) -> dict[str, BilledPart]:
    """Return the billed parts of one resource in eu-west-1 by dimension."""
    kind = KINDS[service]
    one = Resource(
        kind=kind.id,
        id="one",
        arn="arn:aws:x:eu-west-1:111122223333:one",
        name="one",
        account="111122223333",
        region="eu-west-1",
        state=state,
        created=NOW,
        attributes=attributes,
    )
    return {part.dimension: part for part in kind.billed_parts(one)}


@pytest.mark.parametrize(
    ("service", "state", "attributes", "dimension", "quantity"),
    [
        ("kinesis", "active", {"mode": "PROVISIONED", "shards": 4}, "shard_hour", Decimal(4)),
        ("kinesis", "active", {"mode": "ON_DEMAND"}, "stream_hour", Decimal(1)),
        ("vpn", "available", {"accelerated": False}, "connection_hour", Decimal(1)),
        ("tgw", "available", {"attached_type": "vpc"}, "attachment_hour", Decimal(1)),
        ("tgw", "available", {"attached_type": "vpn"}, "data_gb", 1 / GIB),
        ("ecr", "active", {"images": 1, "image_bytes": 2**31}, "gb_month", Decimal(2)),
        (
            "msk",
            "active",
            {"broker_type": "kafka.m5.large", "brokers": 3, "volume_gb": 100},
            "storage_gb_month",
            Decimal(300),
        ),
        (
            "opensearch",
            "active",
            {"data_nodes": 2, "volume_type": "gp2", "volume_gb": 50},
            "storage_gb_month",
            Decimal(100),
        ),
        ("opensearch", "active", GP3, "storage_gb_month", Decimal(100)),
        ("opensearch", "active", {**GP3, "volume_iops": 3001}, "iops_month", Decimal(2)),
        ("opensearch", "active", {**GP3, "volume_throughput": 126}, "throughput_mibps_month", Decimal(2)),
    ],
)
def test_what_is_asked_has_a_row_and_the_quantity_is_in_its_unit(
    service: str, state: str, attributes: dict[str, Json], dimension: str, quantity: Decimal
) -> None:
    part = parts(service, state, **attributes)[dimension]
    assert part.query is not None
    assert offer_of(part.query, KINDS[service].offers) is not None
    assert (part.query.region, part.quantity) == ("eu-west-1", quantity)


@pytest.mark.parametrize(
    ("service", "state", "attributes", "dimension"),
    [
        ("vpn", "available", {"accelerated": True}, "connection_hour"),
        ("vpn", "available", {}, "connection_hour"),
        ("tgw", "available", {"attached_type": "peering"}, "attachment_hour"),
        ("tgw", "available", {}, "data_gb"),
        ("ecr", "active", {"images": 2, "image_bytes": 2**31}, "gb_month"),
        ("msk", "active", {"broker_type": "express.m7g.large", "brokers": 3, "volume_gb": 1}, "storage_gb_month"),
        ("msk", "active", {"broker_type": "kafka.m5.large", "brokers": 3}, "storage_gb_month"),
        ("opensearch", "active", {"data_nodes": 2, "volume_type": "gp3", "volume_gb": 50}, "iops_month"),
        ("opensearch", "active", {**GP3, "volume_throughput": None}, "throughput_mibps_month"),
        ("opensearch", "active", {**GP3, "volume_type": "io1"}, "storage_gb_month"),
    ],
)
def test_what_is_not_certain_is_not_asked_and_says_why(
    service: str, state: str, attributes: dict[str, Json], dimension: str
) -> None:
    part = parts(service, state, **attributes)[dimension]
    assert part.query is None
    assert part.reason_unknown


@pytest.mark.parametrize("usage", ["Storage-ShardHour", "EU-Storage-ShardHour", "USE2-Storage-ShardHour"])
def test_a_usage_type_may_carry_its_region_and_nothing_else(usage: str) -> None:
    offer = offer_of(PriceQuery("kinesis", "eu-west-1", "shard_hour"), KINDS["kinesis"].offers)
    assert offer is not None
    assert offer.is_of(usage)
    assert not offer.is_of(f"{usage}s")
    assert not offer.is_of(f"USW2-LAX1-{usage}")


def test_a_query_with_other_attributes_than_an_offer_asks_for_another_product() -> None:
    offers = load_kinds()["load-balancer"].offers
    for attributes, found in (((("type", "classic"),), True), ((("type", "network"),), False), ((), False)):
        assert (offer_of(PriceQuery("elb", "eu-west-1", "gb", attributes), offers) is not None) is found


def test_an_offer_that_names_an_attribute_is_of_the_product_that_a_query_says() -> None:
    medium = PriceQuery("sagemaker", "eu-west-1", "notebook_hour", (("instance_type", "ml.t3.medium"),))
    offer = offer_of(medium, OFFERS)
    assert offer is not None
    assert offer.filters == (("instanceName", "ml.t3.medium"),)
    assert offer.is_of("EU-Notebk:ml.t3.medium")
    assert not offer.is_of("EU-Notebk:ml.t3.large")
    for attributes in ((), (("instance_type", ""),), (("class", "x"),), (*medium.attributes, ("os", "x"))):
        assert offer_of(PriceQuery("sagemaker", "eu-west-1", "notebook_hour", attributes), OFFERS) is None


def test_a_scan_may_ask_every_figure_in_every_region() -> None:
    assert len(OFFERS) * len(known_regions()) < PAGES_OF_A_SCAN


def test_no_two_kinds_say_where_one_figure_stands() -> None:
    figures = [figure for kind in load_kinds().values() for figure in kind.offers]
    assert figures
    assert len(figures) == len(set(figures))


@pytest.mark.parametrize("figure", sorted(OFFERS), ids="/".join)
def test_the_double_lists_exactly_one_product_of_every_figure(figure: tuple[str, str]) -> None:
    """Its products carry the fields and words that the offers name, beside others that are not meant."""
    named = tuple((name, SAMPLES[name]) for name in OFFERS[figure].named)
    offer = offer_of(PriceQuery(*figure[:1], "us-east-1", figure[1], named or OFFERS[figure].attributes), OFFERS)
    assert offer is not None
    listed = [json.dumps(one) for one in PRODUCTS if one["serviceCode"] == offer.service_code and _has(one, offer)]
    answer = choose(listed, offer, "us-east-1", NOW.date())
    assert isinstance(answer, Price), answer
    assert answer.sku.startswith("SANDBOX")


def _has(product: Mapping[str, Any], offer: Offer) -> bool:
    fields = {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}
    return all(fields.get(name) == word for name, word in offer.filters)
