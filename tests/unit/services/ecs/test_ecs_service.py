"""Services as collected and priced: clusters, tens, task sizes, what Fargate bills, errors as gaps."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.ecs.containers import ARN, SERVICES, service

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.services.ecs.service import KIND, service_facts

MODEL = botocore.session.get_session().get_service_model("ecs")
CLUSTERS, LISTING = "ecs:ListClusters", "ecs:ListServices"
DESCRIBE, DEFINITION = "ecs:DescribeServices", "ecs:DescribeTaskDefinition"
CLUSTER = "arn:aws:ecs:us-east-1:111122223333:cluster/shop"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "serviceName": "web",
        "serviceArn": ARN,
        "status": "ACTIVE",
        "launchType": "FARGATE",
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "taskDefinition": "arn:aws:ecs:us-east-1:111122223333:task-definition/web:7",
        "schedulingStrategy": "REPLICA",
        "loadBalancers": [{"targetGroupArn": "arn"}],
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
        "createdAt": "1767225600.5",
        "tags": [{"key": "team", "value": "shop"}],
        **changes,
    }


def reader(*services: dict[str, Any], **answers: Any) -> Pages:
    def some(parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"services": [one for one in services if one["serviceArn"] in parameters["services"]], "failures": []}]

    size = {"cpu": "512", "memory": "1024", "ephemeralStorage": {"sizeInGiB": 30}}
    platform = {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    return Pages(
        {
            CLUSTERS: [{"clusterArns": [CLUSTER]}],
            LISTING: [{"serviceArns": [one["serviceArn"] for one in services]}],
            DESCRIBE: some,
            DEFINITION: [{"taskDefinition": {**size, "runtimePlatform": platform}}],
            **answers,
        }
    )


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_service_carries_its_cluster_its_tasks_and_their_size() -> None:
    one = collected()
    facts = service_facts(one)
    assert (one.id, one.arn, one.name, one.state) == ("shop/web", ARN, "web", "active")
    assert one.tags == {"team": "shop"}
    assert one.created is not None
    assert one.created.year == 2026
    assert (facts.cluster, facts.service, facts.runs_on, facts.running_tasks) == ("shop", "web", "FARGATE", 2)
    assert (facts.task_cpu_units, facts.task_memory_mib, facts.task_disk_gib) == (512, 1024, 30)
    assert (facts.architecture, facts.system, facts.load_balanced) == ("ARM64", "LINUX", True)
    assert described().keys() <= MODEL.shape_for("Service").members.keys()


@pytest.mark.parametrize(
    ("providers", "runs_on"),
    [
        (["FARGATE"], "FARGATE"),
        (["FARGATE", "FARGATE_SPOT"], "FARGATE+FARGATE_SPOT"),
        (["my-group"], "EC2"),
        (["FARGATE", "my-group"], "EC2+FARGATE"),
        ([], "EC2"),
    ],
)
def test_capacity_providers_take_the_place_of_the_launch_type(providers: list[str], runs_on: str) -> None:
    strategy = [{"capacityProvider": name} for name in providers]
    assert service_facts(collected(capacityProviderStrategy=strategy, launchType=None)).runs_on == runs_on


def test_services_are_described_ten_at_a_time_and_a_revision_is_read_once() -> None:
    many = reader(*(described(serviceName=f"s{n}", serviceArn=f"{ARN}-{n}") for n in range(23)))
    assert len(list(KIND.listing.collect(many, "aws"))) == 23
    asked = [parameters for operation, parameters in many.asked if operation == DESCRIBE]
    assert [len(one["services"]) for one in asked] == [10, 10, 3]
    assert [operation for operation, _ in many.asked].count(DEFINITION) == 1
    for operation, parameters in many.asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_service_on_instances_needs_no_task_definition_and_an_inactive_one_is_left_out() -> None:
    own = reader(described(launchType="EC2"))
    assert len(list(KIND.listing.collect(own, "aws"))) == 1
    assert DEFINITION not in [operation for operation, _ in own.asked]
    assert list(KIND.listing.collect(reader(described(status="INACTIVE")), "aws")) == []


@pytest.mark.parametrize("operation", [CLUSTERS, LISTING, DESCRIBE])
def test_what_cannot_be_read_is_a_gap_and_never_an_empty_list(operation: str) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDeniedException")
    (gap,) = KIND.listing.collect(reader(described(), **{operation: [denied]}), "aws")
    assert isinstance(gap, Gap)
    assert gap.operation == operation.partition(":")[2]


def test_a_task_definition_that_cannot_be_read_leaves_the_size_unknown() -> None:
    denied = AwsDenied("no", operation=DEFINITION, code="AccessDeniedException")
    one, gap = KIND.listing.collect(reader(described(), **{DEFINITION: [denied]}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert (service_facts(one).task_cpu_units, service_facts(one).architecture) == (None, None)
    assert SERVICES.cost(one).missing == ("vcpu_hour: the size of its tasks is not known",)


def test_a_failure_that_aws_names_is_a_gap_and_a_service_that_is_gone_is_not() -> None:
    failures = [{"reason": "ACCESS_DENIED", "arn": ARN}, {"reason": "MISSING", "arn": ARN}]
    (gap,) = KIND.listing.collect(reader(described(), **{DESCRIBE: [{"services": [], "failures": failures}]}), "aws")
    assert isinstance(gap, Gap)
    assert gap.code == "ACCESS_DENIED"


def test_fargate_bills_virtual_cpus_and_memory_of_the_running_tasks() -> None:
    # 2 × (1 × 0.04048 + 2 × 0.004445) × 730
    assert SERVICES.cost(service()).monthly == Decimal("72.08")
    # 2 × (1 × 0.03238 + 2 × 0.00356) × 730
    assert SERVICES.cost(service(architecture="ARM64")).monthly == Decimal("57.67")
    # 2 × (0.046552 + 0.046 + 2 × 0.00511175) × 730
    assert SERVICES.cost(service(system="WINDOWS_SERVER_2022_CORE")).monthly == Decimal("150.05")
    # and 2 × 10 GiB of disk beyond what is included, 0.000111 each
    assert SERVICES.cost(service(task_disk_gib=30)).monthly == Decimal("73.70")
    assert SERVICES.cost(service(task_disk_gib=20)).monthly == Decimal("72.08")


def test_each_task_with_a_public_address_is_billed_for_it_and_what_is_not_said_is_not_free() -> None:
    # 72.08 and 2 × 0.005 × 730
    assert SERVICES.cost(service(public_addresses=True)).monthly == Decimal("79.38")
    unknown = SERVICES.cost(service(public_addresses=None))
    assert unknown.missing == ("public_ipv4_hour: whether its tasks have public addresses is not known",)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}}, False),
        ({"networkConfiguration": None}, None),
        (
            {
                "networkConfiguration": None,
                "taskSets": [{"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}}}],
            },
            True,
        ),
    ],
)
def test_whether_tasks_have_public_addresses_is_read_from_the_service_or_its_task_sets(
    changes: dict[str, Any], expected: bool | None
) -> None:
    assert service_facts(collected(**changes)).public_addresses is expected


@pytest.mark.parametrize("changes", [{"runs_on": "EC2"}, {"runs_on": "EXTERNAL"}, {"running_tasks": 0}])
def test_tasks_on_other_machines_and_no_task_cost_nothing_of_their_own(changes: dict[str, Json]) -> None:
    assert SERVICES.cost(service(**changes)).monthly == Decimal("0.00")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"runs_on": "FARGATE_SPOT"}, "no price for tasks on FARGATE_SPOT"),
        ({"runs_on": "EC2+FARGATE"}, "no price for tasks on EC2+FARGATE"),
        ({"runs_on": "MANAGED_INSTANCES"}, "no price for tasks on MANAGED_INSTANCES"),
        ({"running_tasks": None}, "how many tasks are running is not known"),
        ({"task_memory_mib": None}, "the size of its tasks is not known"),
    ],
)
def test_what_is_not_known_is_not_free(changes: dict[str, Json], missing: str) -> None:
    assert SERVICES.cost(service(**changes)).missing == (f"vcpu_hour: {missing}",)


def test_a_metric_is_named_by_cluster_and_service_and_a_missing_point_is_unknown() -> None:
    for spec in KIND.metrics:
        assert spec.dimensions is not None
        assert spec.dimensions(service()) == (("ClusterName", "shop"), ("ServiceName", "web"))
        assert not spec.missing_means_zero
        assert not spec.applies(service("draining"))


def test_an_owner_is_known_by_aws_s_word_or_by_tags() -> None:
    managed = KIND.owner(service(managed_by="ECS"))
    assert managed is not None
    assert managed.name == "ECS"
    copilot = KIND.owner(replace(service(), tags={"copilot-application": "shop"}))
    assert copilot is not None
    assert copilot.system == "AWS Copilot"
    assert KIND.owner(service()) is None


def test_the_link_leads_to_the_service_in_its_cluster() -> None:
    assert "/ecs/v2/clusters/shop/services/web/health?region=us-east-1" in KIND.console_url(service())
