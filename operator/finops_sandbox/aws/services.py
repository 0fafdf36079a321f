"""ECS services of an estate: starting and stopping tasks takes time, and counts that AWS refuses are refused.

Source: Amazon ECS API reference, UpdateService; a service with the scheduling strategy DAEMON has no desired count.
Moto changes the number of running tasks at once and takes every count. Every call happens under the estate's lock.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_services import ServiceSpec
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.wire import Answer

PREFIX = "service/"
"""Of a service's cluster and name where a resource of any kind is named."""
_JSON = (("content-type", "application/x-amz-json-1.1"),)
_DAEMON = "DAEMON"


def _backend(account: str, region: str) -> Any:
    from moto.ecs.models import ecs_backends  # noqa: PLC0415 - moto loads slowly

    return ecs_backends[account][region]


def seed(place: Place, spec: ServiceSpec, created: datetime) -> None:
    """Put a service on Fargate into moto, with its cluster and its task definition; all of its tasks run."""
    backend = _backend(place.account, place.region)
    if spec.cluster not in backend.clusters:
        backend.create_cluster(spec.cluster)
    definition = backend.register_task_definition(
        spec.name,
        [{"name": spec.name, "image": "web", "essential": True}],
        network_mode="awsvpc",
        requires_compatibilities=["FARGATE"],
        cpu="1024",
        memory="2048",
    )
    service = backend.create_service(
        spec.cluster,
        spec.name,
        spec.desired,
        definition.arn,
        launch_type="FARGATE",
        scheduling_strategy=spec.scheduling,
        deployment_controller={"type": spec.controller},
        tags=[{"key": key, "value": value} for key, value in spec.tags.items()],
    )
    # Moto describes what its object holds.
    service.created_at = created
    service.network_configuration = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}}
    _run(service, spec.desired)
    if spec.scaled:
        _scale(place.account, place.region, f"{spec.cluster}/{spec.name}")


def _scale(account: str, region: str, name: str) -> None:
    from moto.applicationautoscaling.models import applicationautoscaling_backends  # noqa: PLC0415 - moto loads slowly

    backend = applicationautoscaling_backends[account][region]
    # Nothing of its scaling is suspended.
    suspended: Any = {}
    backend.register_scalable_target("ecs", f"{PREFIX}{name}", "ecs:service:DesiredCount", 1, 10, "", suspended)


def _run(service: Any, tasks: int) -> None:
    service.running_count, service.pending_count = tasks, max(0, service.desired_count - tasks)
    for deployment in service.deployments:
        deployment.update(desiredCount=service.desired_count, runningCount=tasks, pendingCount=service.pending_count)
        if not service.pending_count:
            deployment["rolloutState"] = "COMPLETED"


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let what is due happen: as many tasks run as a service wants."""
    now = estate.clock.now()
    for place, due in list(estate.further.tasks_due.items()):
        if place[:2] == (account, region) and due <= now:
            del estate.further.tasks_due[place]
            service = _find(account, region, place[2])
            if service is not None:
                _run(service, service.desired_count)


def shown(estate: LiveEstate, account: str, region: str, name: str) -> dict[str, Any]:
    """State of one service, named by cluster and service.

    Raises:
        AwsError: there is none of that name.
    """
    settle(estate, account, region)
    service = _named(account, region, name)
    return {
        "id": f"{PREFIX}{name}",
        "kind": "ecs-service",
        "state": service.status,
        "desired": service.desired_count,
        "running": service.running_count,
    }


def change(estate: LiveEstate, account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a service as a person would: `desired` with its tasks at once, `state`, `scaled`, `delete`."""
    service = _named(account, region, name)
    if "desired" in changes:
        service.desired_count = int(changes["desired"])
        estate.further.tasks_due.pop((account, region, name), None)
        _run(service, service.desired_count)
    if "state" in changes:
        service.status = str(changes["state"])
    if changes.get("scaled"):
        _scale(account, region, name)
    if changes.get("delete"):
        del _backend(account, region).services[name.replace("/", ":")]


def _find(account: str, region: str, name: str) -> Any:
    return _backend(account, region).services.get(name.replace("/", ":"))


def _named(account: str, region: str, name: str) -> Any:
    found = _find(account, region, name)
    if found is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return found


def _update(call: Call) -> Answer:
    parameters = call.parameters
    cluster = str(parameters.get("cluster") or "default").rpartition("/")[2]
    if cluster not in _backend(call.account, call.region).clusters:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    name = f"{cluster}/{str(parameters.get('service')).rpartition('/')[2]}"
    service, wanted = _named(call.account, call.region, name), parameters.get("desiredCount")
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    if set(parameters) - {"cluster", "service", "desiredCount"} or not isinstance(wanted, int):
        raise AwsError("InvalidParameterException", "the AWS double changes nothing of a service but its desired count")
    if service.scheduling_strategy == _DAEMON:
        message = "The daemon scheduling strategy does not support a desired count on services."
        raise AwsError("InvalidParameterException", message)
    if wanted < 0:
        raise AwsError("InvalidParameterException", "desiredCount cannot be negative.")
    service.desired_count = wanted
    _run(service, service.running_count)
    due = call.estate.clock.now() + timedelta(seconds=call.estate.delays.task_seconds)
    call.estate.further.tasks_due[call.account, call.region, name] = due
    answer = {
        "serviceArn": service.arn,
        "serviceName": service.name,
        "status": service.status,
        "desiredCount": service.desired_count,
        "runningCount": service.running_count,
        "pendingCount": service.pending_count,
    }
    return Answer(200, _JSON, json.dumps({"service": answer}).encode())


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("ecs", "UpdateService"): _update}
