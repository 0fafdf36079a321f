"""Domains as collected and priced: five at a time, nodes by role, storage that no table knows, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.opensearch.domains import ARN, DOMAINS, domain

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.opensearch.domain import KIND, domain_facts
from finops_operator.services.opensearch.rules.instance_types import too_old

MODEL = botocore.session.get_session().get_service_model("opensearch")
NAMES, DOMAIN = "opensearch:ListDomainNames", "opensearch:DescribeDomains"
TAGS = "resourcegroupstaggingapi:GetResources"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "DomainName": "logs",
        "ARN": ARN,
        "Created": True,
        "Deleted": False,
        "Processing": False,
        "UpgradeProcessing": False,
        "EngineVersion": "OpenSearch_2.11",
        "ClusterConfig": {
            "InstanceType": "m5.large.search",
            "InstanceCount": 3,
            "DedicatedMasterEnabled": True,
            "DedicatedMasterType": "c6g.large.search",
            "DedicatedMasterCount": 3,
            "ZoneAwarenessEnabled": True,
            "WarmEnabled": True,
            "WarmType": "ultrawarm1.medium.search",
            "WarmCount": 2,
            "ColdStorageOptions": {"Enabled": False},
            "NodeOptions": [
                {"NodeType": "coordinator", "NodeConfig": {"Enabled": True, "Type": "m6g.large.search", "Count": 2}}
            ],
        },
        "EBSOptions": {"EBSEnabled": True, "VolumeType": "gp2", "VolumeSize": 100},
        **changes,
    }


def reader(*domains: dict[str, Any], **answers: Any) -> Pages:
    def some(parameters: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = parameters["DomainNames"]
        return [{"DomainStatusList": [one for one in domains if one["DomainName"] in wanted]}]

    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    names = [{"DomainName": one["DomainName"], "EngineType": "OpenSearch"} for one in domains]
    return Pages({NAMES: [{"DomainNames": names}], DOMAIN: some, TAGS: [{"ResourceTagMappingList": tags}], **answers})


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_domain_carries_its_nodes_by_role_and_its_storage() -> None:
    one = collected()
    facts = domain_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("logs", ARN, "active", {"team": "shop"})
    assert (facts.instance_type, facts.data_nodes) == ("m5.large.search", 3)
    assert (facts.master_type, facts.master_nodes) == ("c6g.large.search", 3)
    assert (facts.coordinator_type, facts.coordinator_nodes) == ("m6g.large.search", 2)
    assert (facts.warm_type, facts.warm_nodes) == ("ultrawarm1.medium.search", 2)
    assert (facts.volume_type, facts.volume_gb, facts.zone_aware) == ("gp2", 100, True)
    shape = MODEL.shape_for("DomainStatus")
    assert described().keys() <= shape.members.keys()
    assert described()["ClusterConfig"].keys() <= MODEL.shape_for("ClusterConfig").members.keys()


def test_what_is_switched_off_is_none_and_not_unknown() -> None:
    plain = domain_facts(
        collected(
            ClusterConfig={"InstanceType": "r6gd.large.search", "InstanceCount": 1, "DedicatedMasterEnabled": False},
            EBSOptions={"EBSEnabled": False},
        )
    )
    assert (plain.master_nodes, plain.coordinator_nodes, plain.warm_nodes, plain.cold_storage) == (0, 0, 0, False)
    assert (plain.volume_type, plain.volume_gb) == ("", 0)


def test_domains_are_described_five_at_a_time_as_the_api_allows() -> None:
    many = reader(*(described(DomainName=f"logs-{number}") for number in range(12)))
    assert len(list(KIND.listing.collect(many, "aws"))) == 12
    asked = [parameters for operation, parameters in many.asked if operation == DOMAIN]
    assert [len(one["DomainNames"]) for one in asked] == [5, 5, 2]
    assert not ParamValidator().validate(asked[0], MODEL.operation_model("DescribeDomains").input_shape).has_errors()


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        ({"Processing": True}, "processing"),
        ({"Processing": True, "UpgradeProcessing": True}, "upgrading"),
        ({"Created": False, "Processing": True}, "creating"),
    ],
)
def test_the_state_is_made_of_the_flags(flags: dict[str, bool], state: str) -> None:
    assert collected(**flags).state == state


def test_a_deleted_domain_is_left_out_and_what_cannot_be_read_is_a_gap() -> None:
    assert list(KIND.listing.collect(reader(described(Deleted=True)), "aws")) == []
    for operation in (NAMES, DOMAIN):
        denied = AwsDenied("no", operation=operation, code="AccessDenied")
        (gap,) = KIND.listing.collect(reader(described(), **{operation: [denied]}), "aws")
        assert isinstance(gap, Gap)
        assert gap.code == "AccessDenied"
    no_tags = AwsDenied("no", operation=TAGS, code="AccessDenied")
    gap, one = KIND.listing.collect(reader(described(), **{TAGS: [no_tags]}), "aws")
    assert isinstance(one, Resource)
    assert domain_facts(one).tags_known is False


def test_nodes_are_priced_by_role_and_storage_is_unknown() -> None:
    assert DOMAINS.cost(domain()).monthly == Decimal("310.98")  # 3 × 0.142 × 730
    cost = DOMAINS.cost(collected())
    assert [(one.dimension, one.quantity) for one in cost.components] == [
        ("data_node_hour", Decimal(3)),
        ("master_node_hour", Decimal(3)),
        ("coordinator_node_hour", Decimal(2)),
        ("warm_node_hour", Decimal(2)),
    ]
    assert cost.monthly is None
    assert cost.missing == (
        "storage_gb_month: no price for OpenSearch storage gp2",
        "managed_storage_gb_month: no price for data in warm and cold storage",
    )


def test_what_is_not_known_is_not_free() -> None:
    assert "is not known" in DOMAINS.cost(domain(instance_type=None)).missing[0]
    assert DOMAINS.cost(domain(volume_type=None)).missing[0].endswith("that AWS did not name")
    assert DOMAINS.cost(domain("active", "nowhere-1")).monthly is None
    assert KIND.billed_parts(domain("creating")) == ()


def test_a_metric_is_named_by_account_and_domain_and_a_missing_point_is_unknown() -> None:
    for spec in KIND.metrics:
        assert spec.dimensions is not None
        assert spec.dimensions(domain()) == (("ClientId", "111122223333"), ("DomainName", "logs"))
        assert not spec.missing_means_zero
        assert spec.applies(domain())
        assert not spec.applies(domain("creating"))


@pytest.mark.parametrize(
    ("version", "needed", "reason"),
    [
        ("OpenSearch_1.0", (7, 9), ""),
        ("Elasticsearch_7.10", (7, 9), ""),
        ("Elasticsearch_7.8", (7, 9), "Elasticsearch 7.8 does not run there, 7.9 does"),
        ("Elasticsearch_2.3", (5, 1), "Elasticsearch 2.3 does not run there, 5.1 does"),
        ("", (5, 1), "its engine version is not known"),
    ],
)
def test_a_version_says_where_it_runs(version: str, needed: tuple[int, ...], reason: str) -> None:
    assert too_old(version, needed) == reason


def test_the_price_of_a_type_is_found_and_an_owner_by_its_tags() -> None:
    (product,) = KIND.products
    (query,) = product.queries("us-east-1", product.sample, {})
    assert SOURCE.lookup(query) is not None
    owner = KIND.owner(replace(domain(), tags={"crossplane-name": "logs"}))
    assert owner is not None
    assert owner.system == "Crossplane"
