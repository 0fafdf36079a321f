"""Kafka clusters as collected and priced: brokers by their number, storage without a price, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.msk.brokers import ARN, END, KAFKA, kafka

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.msk.cluster import KIND, hour_query, kafka_facts
from finops_operator.services.msk.rules.clients import LIST

MODEL = botocore.session.get_session().get_service_model("kafka")
LISTING = "kafka:ListClustersV2"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "ClusterArn": ARN,
        "ClusterName": "events",
        "ClusterType": "PROVISIONED",
        "State": "ACTIVE",
        "CreationTime": "2026-01-01T00:00:00.000Z",
        "Tags": {"team": "shop"},
        "Provisioned": {
            "BrokerNodeGroupInfo": {
                "InstanceType": "kafka.m5.large",
                "StorageInfo": {"EbsStorageInfo": {"VolumeSize": 500}},
            },
            "NumberOfBrokerNodes": 3,
            "EnhancedMonitoring": "DEFAULT",
            "StorageMode": "LOCAL",
            "CurrentBrokerSoftwareInfo": {"KafkaVersion": "3.6.0"},
        },
        **changes,
    }


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(Pages({LISTING: [{"ClusterInfoList": [described(**changes)]}], LIST: []}), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_cluster_carries_its_brokers_and_their_disks() -> None:
    one = collected()
    facts = kafka_facts(one)
    assert (one.id, one.arn, one.name, one.state, one.tags) == (END, ARN, "events", "active", {"team": "shop"})
    assert one.created is not None
    assert (facts.cluster_type, facts.broker_type, facts.brokers) == ("PROVISIONED", "kafka.m5.large", 3)
    assert (facts.volume_gb, facts.monitoring, facts.kafka_version) == (500, "DEFAULT", "3.6.0")
    serverless = kafka_facts(collected(ClusterType="SERVERLESS", Provisioned=None, Serverless={}))
    assert (serverless.broker_type, serverless.brokers) == ("", 0)
    assert described().keys() <= MODEL.shape_for("Cluster").members.keys()


def test_what_the_cost_leaves_out_is_named_where_the_cluster_has_it() -> None:
    plain = ("tiered_storage_gb_month", "ingested_gb")
    assert kafka_facts(collected()).not_in_cost == plain
    brokers = {
        "ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}},
        "StorageInfo": {"EbsStorageInfo": {"ProvisionedThroughput": {"Enabled": True, "VolumeThroughput": 250}}},
    }
    more = collected(Provisioned={"BrokerNodeGroupInfo": brokers, "EnhancedMonitoring": "PER_BROKER"})
    assert kafka_facts(more).not_in_cost == (
        *plain,
        "metric_month",
        "provisioned_throughput_mibps_month",
        "public_ipv4_hour",
    )


def counts(*named: dict[str, str]) -> list[dict[str, Any]]:
    metrics = [{"Dimensions": [{"Name": name, "Value": value} for name, value in one.items()]} for one in named]
    return [{"Metrics": metrics}]


def test_the_ways_by_which_connections_are_counted_are_asked_for_once_and_joined_with_each_broker() -> None:
    events = {"Cluster Name": "events", "Broker ID": "1"}
    named = counts(
        {**events, "Client Authentication": "SASL_SCRAM"},
        {**events, "Client Authentication": "IAM"},
        {"Cluster Name": "other", "Broker ID": "1", "Client Authentication": "TLS"},
        events,
    )
    listed = [{"ClusterInfoList": [described(), described(ClusterName="quiet")]}]
    pages = Pages({LISTING: listed, LIST: named})
    one, quiet = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    assert isinstance(quiet, Resource)
    assert kafka_facts(one).client_authentications == ("IAM", "SASL_SCRAM")
    assert kafka_facts(quiet).client_authentications == ()
    assert [operation for operation, _ in pages.asked].count(LIST) == 1
    (spec,) = [spec for spec in KIND.metrics if spec.metric == "ClientConnectionCount"]
    assert spec.parts is not None
    assert len(spec.parts(one)) == 3 * 2
    assert spec.parts(one)[0] == (
        ("Cluster Name", "events"),
        ("Broker ID", "1"),
        ("Client Authentication", "IAM"),
    )
    assert not spec.applies(quiet)


def test_ways_that_cannot_be_read_are_a_gap_and_not_known() -> None:
    denied = AwsDenied("no", operation=LIST, code="AccessDenied")
    one, gap = KIND.listing.collect(Pages({LISTING: [{"ClusterInfoList": [described()]}], LIST: [denied]}), "aws")
    assert isinstance(one, Resource)
    assert kafka_facts(one).client_authentications is None
    assert isinstance(gap, Gap)
    assert gap.operation == "ListMetrics"


def test_a_refused_listing_is_a_gap_pages_before_an_error_are_kept_and_calls_are_as_the_api_allows() -> None:
    (gap,) = KIND.listing.collect(Pages({LISTING: [AwsDenied("no", operation=LISTING, code="Forbidden")]}), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LISTING, code="TooManyRequests")
    pages = Pages({LISTING: [{"ClusterInfoList": [described()]}, slow], LIST: []})
    one, cut = KIND.listing.collect(pages, "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)
    ((_, parameters),) = [one for one in pages.asked if one[0] == LISTING]
    assert not ParamValidator().validate(parameters, MODEL.operation_model("ListClustersV2").input_shape).has_errors()
    gone = Pages({LISTING: [{"ClusterInfoList": [described(State="DELETING")]}]})
    assert list(KIND.listing.collect(gone, "aws")) == []


def test_brokers_have_a_price_and_storage_has_none() -> None:
    cost = KAFKA.cost(kafka())
    assert [(one.quantity, one.price.amount) for one in cost.components] == [(Decimal(3), Decimal("0.21"))]
    assert (cost.monthly, cost.missing) == (None, ("storage_gb_month: no price for Kafka storage",))
    express = KAFKA.cost(kafka(broker_type="express.m7g.large"))
    assert [one.price.amount for one in express.components] == [Decimal("0.408")]
    assert KAFKA.cost(kafka(cluster_type="SERVERLESS")).missing == ("cluster_hour: no price for serverless clusters",)
    assert "is not known" in KAFKA.cost(kafka(brokers=None)).missing[0]
    assert KIND.billed_parts(kafka("creating")) == ()


def test_each_broker_is_measured_by_its_number_and_a_missing_point_is_unknown() -> None:
    applied = [spec for spec in KIND.metrics if spec.applies(kafka())]
    for brokers in (3, 90):
        expected = [(("Cluster Name", "events"), ("Broker ID", str(broker))) for broker in range(1, brokers + 1)]
        asked = [spec.parts(kafka(brokers=brokers)) for spec in applied[:2] if spec.parts is not None]
        assert asked == [tuple(expected)] * 2
    assert [spec.metric for spec in applied] == ["BytesInPerSec", "BytesOutPerSec", "ClientConnectionCount"]
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(kafka(brokers=None)) or spec.applies(kafka("creating")) for spec in KIND.metrics)


def test_the_price_of_a_type_is_found_and_an_owner_by_its_tags() -> None:
    (product,) = KIND.products
    (query,) = product.queries("us-east-1", product.sample, {})
    assert SOURCE.lookup(query) is not None
    assert dict(hour_query("r", "express.m7g.large").attributes) == {"instance_type": "express.express.m7g.large"}
    owner = KIND.owner(replace(kafka(), tags={"crossplane-name": "events"}))
    assert owner is not None
    assert owner.system == "Crossplane"
