"""MSK clusters on moto's servers: a scan lists them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_kafka_clusters_are_listed_with_their_brokers(aws: AwsDouble, scanned: Scan) -> None:
    brokers = {
        "InstanceType": "kafka.m5.large",
        "ClientSubnets": ["subnet-1", "subnet-2", "subnet-3"],
        "StorageInfo": {"EbsStorageInfo": {"VolumeSize": 100}},
    }
    aws.client("kafka", role=MAKER).create_cluster_v2(
        ClusterName="events",
        Tags={"team": "shop"},
        Provisioned={"BrokerNodeGroupInfo": brokers, "KafkaVersion": "3.6.0", "NumberOfBrokerNodes": 3},
    )
    outcome = scanned("msk-cluster")
    assert outcome.summary.gaps == ()
    (one,) = report_of(outcome)["resources"]
    # A cluster on moto's server stays in the state of its creation, in which AWS bills nothing.
    assert (one["name"], one["state"], one["monthlyCost"]) == ("events", "creating", "0.00")
    assert one["tags"] == {"team": "shop"}
    assert (one["attributes"]["broker_type"], one["attributes"]["brokers"]) == ("kafka.m5.large", 3)
