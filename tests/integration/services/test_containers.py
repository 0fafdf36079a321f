"""ECS services on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_services_are_listed_with_the_size_of_their_tasks(aws: AwsDouble, scanned: Scan) -> None:
    ecs = aws.client("ecs", role=MAKER)
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web",
        requiresCompatibilities=["FARGATE"],
        cpu="1024",
        memory="2048",
        networkMode="awsvpc",
        containerDefinitions=[{"name": "web", "image": "web", "memory": 512}],
    )
    for name, launch in (("web", "FARGATE"), ("old", "EC2")):
        ecs.create_service(
            cluster="shop",
            serviceName=name,
            taskDefinition="web",
            desiredCount=2,
            launchType=launch,
            tags=[{"key": "team", "value": name}],
        )
    outcome = scanned("ecs-service")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == ["shop/old", "shop/web"]
    web = found["shop/web"]
    assert (web["state"], web["tags"]["team"]) == ("active", "web")
    assert (web["attributes"]["task_cpu_units"], web["attributes"]["task_memory_mib"]) == (1024, 2048)
    assert found["shop/old"]["monthlyCost"] == "0.00"
