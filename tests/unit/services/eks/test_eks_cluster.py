"""EKS clusters as collected and priced: the support of their version, what can run pods, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.eks.kubernetes import ARN, CLUSTERS, cluster

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.services.eks.cluster import KIND, KubernetesFacts, kubernetes_facts

SESSION = botocore.session.get_session()
LIST, DESCRIBE, VERSIONS = "eks:ListClusters", "eks:DescribeCluster", "eks:DescribeClusterVersions"
GROUPS, PROFILES, MACHINES = "eks:ListNodegroups", "eks:ListFargateProfiles", "ec2:DescribeInstances"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "arn": ARN,
        "version": "1.30",
        "status": "ACTIVE",
        "createdAt": "1767225600.5",
        "upgradePolicy": {"supportType": "EXTENDED"},
        "logging": {"clusterLogging": [{"types": ["api", "audit"], "enabled": True}, {"types": ["scheduler"]}]},
        "deletionProtection": True,
        "tags": {"team": "shop"},
        **changes,
    }


def reader(*clusters: dict[str, Any], **answers: Any) -> Pages:
    known = [
        {"clusterVersion": "1.30", "versionStatus": "EXTENDED_SUPPORT", "endOfStandardSupportDate": "1753228800"},
        {"clusterVersion": "1.34", "status": "standard-support", "endOfStandardSupportDate": "2026-12-02T00:00:00Z"},
    ]
    by_name = {one["name"]: one for one in clusters}
    return Pages(
        {
            LIST: [{"clusters": list(by_name)}],
            DESCRIBE: lambda parameters: [{"cluster": by_name[parameters["name"]]}],
            VERSIONS: [{"clusterVersions": known}],
            GROUPS: [{"nodegroups": ["a", "b"]}],
            PROFILES: [{"fargateProfileNames": []}],
            MACHINES: [{"Reservations": [{}, {}, {}]}],
            **answers,
        }
    )


def collected(answers: dict[str, Any] | None = None, **changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes), **(answers or {})), "aws")
    assert isinstance(only, Resource)
    return only


def facts(answers: dict[str, Any] | None = None, **changes: Any) -> KubernetesFacts:
    return kubernetes_facts(collected(answers, **changes))


def test_a_cluster_carries_its_version_with_its_support_and_what_can_run_pods() -> None:
    one = collected()
    own = kubernetes_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("shop", ARN, "active", {"team": "shop"})
    assert one.created is not None
    assert (own.version, own.support, own.standard_support_ends) == ("1.30", "extended", "2025-07-23")
    assert (own.upgrade_policy, own.node_groups, own.fargate_profiles, own.machines) == ("EXTENDED", 2, 0, None)
    assert (own.auto_mode, own.control_plane_tier, own.logs) == (False, "standard", ("api", "audit"))
    assert described().keys() <= SESSION.get_service_model("eks").shape_for("Cluster").members.keys()


def test_both_spellings_of_a_status_mean_the_same_and_an_unlisted_version_is_unknown() -> None:
    later = facts(version="1.34")
    assert (later.support, later.standard_support_ends) == ("standard", "2026-12-02")
    assert facts(version="1.99").support is None


def test_machines_are_counted_only_where_there_is_nothing_else() -> None:
    bare: dict[str, Any] = {GROUPS: [{"nodegroups": []}]}
    assert facts(bare).machines == 3
    assert facts(bare, computeConfig={"enabled": True}).machines is None
    profile = {**bare, PROFILES: [{"fargateProfileNames": ["default"]}]}
    assert (facts(profile).fargate_profiles, facts(profile).machines) == (1, None)


def test_calls_are_as_the_apis_allow_and_versions_are_read_once() -> None:
    two = reader(described(), described(name="other"), **{GROUPS: [{"nodegroups": []}]})
    assert len(list(KIND.listing.collect(two, "aws"))) == 2
    asked = [operation for operation, _ in two.asked]
    assert asked.count(VERSIONS) == 1
    for operation, parameters in two.asked:
        service, _, name = operation.partition(":")
        shape = SESSION.get_service_model(service).operation_model(name).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


@pytest.mark.parametrize("operation", [VERSIONS, GROUPS, PROFILES, MACHINES])
def test_what_is_read_beside_a_cluster_and_cannot_be_read_is_unknown_and_one_gap(operation: str) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDenied")
    answers = {GROUPS: [{"nodegroups": []}], operation: [denied]}
    one, two, gap = KIND.listing.collect(reader(described(), described(name="other"), **answers), "aws")
    assert isinstance(gap, Gap)
    assert gap.operation == operation.partition(":")[2]
    unknown = {VERSIONS: "support", GROUPS: "node_groups", PROFILES: "fargate_profiles", MACHINES: "machines"}
    for cluster_ in (one, two):
        assert isinstance(cluster_, Resource)
        assert getattr(kubernetes_facts(cluster_), unknown[operation]) is None


@pytest.mark.parametrize("operation", [LIST, DESCRIBE])
def test_a_refused_listing_is_a_gap_and_never_an_empty_list(operation: str) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader(described(), **{operation: [denied]}), "aws")
    assert isinstance(gap, Gap)


def test_a_cluster_that_is_being_deleted_is_left_out() -> None:
    assert list(KIND.listing.collect(reader(described(status="DELETING")), "aws")) == []


def test_a_cluster_costs_its_hours_and_in_extended_support_six_times_as_much() -> None:
    assert CLUSTERS.cost(cluster()).monthly == Decimal("73.00")  # 0.10 × 730
    assert CLUSTERS.cost(cluster(support="extended")).monthly == Decimal("438.00")  # 0.60 × 730
    assert KIND.billed_parts(cluster("creating")) == ()


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"support": None}, "whether its version is in extended support is not known"),
        ({"support": "unsupported"}, "whether its version is in extended support is not known"),
        ({"control_plane_tier": "tier-xl"}, "no price for the control plane tier tier-xl"),
    ],
)
def test_what_is_not_known_is_not_free(changes: dict[str, Json], missing: str) -> None:
    cost = CLUSTERS.cost(cluster(**changes))
    assert cost.monthly is None
    assert missing in cost.missing[0]


def test_an_owner_is_known_by_its_tags() -> None:
    owner = KIND.owner(replace(cluster(), tags={"alpha.eksctl.io/cluster-name": "shop"}))
    assert owner is not None
    assert owner.system == "eksctl"
    assert KIND.owner(cluster()) is None
