"""Services: clusters, their services ten at a time, and the size of the tasks of those on Fargate.

Loaded by the registry; walked by the discover and measure stages. Fargate bills the running tasks by their size; tasks
on instances of one's own cost nothing beside the instances, which are listed as such. A service without a running task
publishes nothing, so that a missing point is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.ecs.rules.fargate import X86, TaskSize, task_parts
from finops_operator.services.ecs.rules.signs import SIGNS

_CLUSTERS: Final = "ecs:ListClusters"
_SERVICES: Final = "ecs:ListServices"
_DESCRIBE: Final = "ecs:DescribeServices"
_DEFINITION: Final = "ecs:DescribeTaskDefinition"
_PAGE: Final = 100
_AT_ONCE: Final = 10
ACTIVE: Final = "active"
_DRAINING: Final = "draining"
_GONE: Final = "INACTIVE"
FARGATE: Final = "FARGATE"
SPOT: Final = "FARGATE_SPOT"
INSTANCES: Final = "EC2"
_BESIDE_AWS: Final = "EXTERNAL"
_ECS_ITSELF: Final = "ECS"
_ASSIGNED: Final = "ENABLED"


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What is known of one service; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        runs_on: `FARGATE`, `FARGATE_SPOT`, `EC2`, `EXTERNAL`, `MANAGED_INSTANCES`, or several joined by `+`.
        task_cpu_units, task_memory_mib, task_disk_gib: of a task on Fargate; 1,024 units are a virtual CPU.
        architecture: `X86_64` or `ARM64`; system: `LINUX` or `WINDOWS_…`.
        load_balanced: whether a load balancer sends it traffic.
        public_addresses: whether each task on Fargate gets a public IPv4 address.
        managed_by: the AWS service that made it, empty for none.
    """

    cluster: str | None = None
    service: str | None = None
    runs_on: str | None = None
    desired_tasks: int | None = None
    running_tasks: int | None = None
    pending_tasks: int | None = None
    task_definition: str | None = None
    task_cpu_units: int | None = None
    task_memory_mib: int | None = None
    task_disk_gib: int | None = None
    architecture: str | None = None
    system: str | None = None
    scheduling: str | None = None
    load_balanced: bool | None = None
    public_addresses: bool | None = None
    managed_by: str | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Definitions:
    """Reads each revision of a task definition once; what could not be read is a Gap once."""

    reader: PageReader
    failed: list[Gap] = field(default_factory=list)
    _known: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, arn: str) -> Mapping[str, Any]:
        """Return a task definition, empty when it is not known."""
        if not arn or self.failed:
            return self._known.get(arn, {})
        if arn not in self._known:
            try:
                self._known[arn] = self.reader.once(_DEFINITION, {"taskDefinition": arn}).get("taskDefinition") or {}
            except AwsError as error:
                self.failed.append(gap_of(error, self.reader))
                return {}
        return self._known[arn]


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the services of one cluster after the other; what cannot be read ends the listing with a Gap."""
    del partition
    definitions = _Definitions(reader)
    try:
        for clusters in reader.pages(_CLUSTERS, {"maxResults": _PAGE}):
            for cluster in clusters.get("clusterArns", ()):
                for page in reader.pages(_SERVICES, {"cluster": cluster, "maxResults": _PAGE}):
                    yield from _described(str(cluster), page.get("serviceArns") or [], reader, definitions)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from definitions.failed


def _described(
    cluster: str, arns: list[str], reader: PageReader, definitions: _Definitions
) -> Iterator[Resource | Gap]:
    for start in range(0, len(arns), _AT_ONCE):
        wanted = arns[start : start + _AT_ONCE]
        answer = reader.once(_DESCRIBE, {"cluster": cluster, "services": wanted, "include": ["TAGS"]})
        for service in answer.get("services", ()):
            if service.get("status") != _GONE:
                yield _resource(cluster, service, reader, definitions)
        for failure in answer.get("failures") or ():
            reason = str(failure.get("reason") or "")
            # A service that was deleted in the meantime is gone and not unreadable.
            if reason != "MISSING":
                yield Gap(reader.account, reader.region, "ecs", "DescribeServices", reason, f"{reason}: a service")


def _resource(cluster: str, service: Mapping[str, Any], reader: PageReader, definitions: _Definitions) -> Resource:
    cluster_name, name = cluster.rpartition("/")[2], str(service["serviceName"])
    created = service.get("createdAt")
    runs_on = _runs_on(service)
    definition = definitions.of(str(service.get("taskDefinition") or "")) if FARGATE in runs_on else {}
    return Resource(
        kind="ecs-service",
        id=f"{cluster_name}/{name}",
        arn=str(service.get("serviceArn") or ""),
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(service.get("status") or "").lower(),
        tags={str(tag.get("key", "")): str(tag.get("value", "")) for tag in service.get("tags") or ()},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(cluster_name, service, definition, runs_on)),
    )


def _runs_on(service: Mapping[str, Any]) -> str:
    """Return what its tasks run on: capacity providers take the place of the launch type where there are any."""
    providers = {str(one.get("capacityProvider") or "") for one in service.get("capacityProviderStrategy") or ()}
    if not providers:
        return str(service.get("launchType") or INSTANCES)
    on_fargate = providers & {FARGATE, SPOT}
    return "+".join(sorted(on_fargate | ({INSTANCES} if providers - on_fargate else set())))


def _facts(cluster: str, service: Mapping[str, Any], definition: Mapping[str, Any], runs_on: str) -> ServiceFacts:
    platform = definition.get("runtimePlatform") or {}
    return ServiceFacts(
        cluster=cluster,
        service=str(service["serviceName"]),
        runs_on=runs_on,
        desired_tasks=service.get("desiredCount"),
        running_tasks=service.get("runningCount"),
        pending_tasks=service.get("pendingCount"),
        task_definition=str(service.get("taskDefinition") or "").rpartition("/")[2],
        task_cpu_units=_whole(definition.get("cpu")),
        task_memory_mib=_whole(definition.get("memory")),
        task_disk_gib=(definition.get("ephemeralStorage") or {}).get("sizeInGiB"),
        architecture=(platform.get("cpuArchitecture") or X86) if definition else None,
        system=(platform.get("operatingSystemFamily") or "LINUX") if definition else None,
        scheduling=service.get("schedulingStrategy"),
        load_balanced=bool(service.get("loadBalancers")),
        public_addresses=_public_addresses(service),
        managed_by=_manager(service),
    )


def _whole(text: object) -> int | None:
    return int(str(text)) if text is not None and str(text).isdigit() else None


def _public_addresses(service: Mapping[str, Any]) -> bool | None:
    """Return whether a task gets a public address, None where AWS does not say how its tasks are connected.

    A service that another controller deploys has its network in its task sets. AWS gives none unless it is asked to.
    """
    held = (service, *(service.get("taskSets") or ()))
    found = [(one.get("networkConfiguration") or {}).get("awsvpcConfiguration") for one in held]
    networks = [one for one in found if one]
    return any(one.get("assignPublicIp") == _ASSIGNED for one in networks) if networks else None


def _manager(service: Mapping[str, Any]) -> str:
    return _ECS_ITSELF if service.get("resourceManagementType") == _ECS_ITSELF else ""


def service_facts(resource: Resource) -> ServiceFacts:
    """Return the facts of an `ecs-service`."""
    return facts_of(ServiceFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(service: Resource) -> tuple[BilledPart, ...]:
    """Return the running tasks of a service on Fargate; other tasks are billed with the machines that they run on."""
    facts = service_facts(service)
    on = facts.runs_on
    if on in (INSTANCES, _BESIDE_AWS):
        return ()
    if on != FARGATE:
        return (BilledPart("vcpu_hour", Decimal(0), None, f"no price for tasks on {on or 'what AWS did not name'}"),)
    if facts.running_tasks is None:
        return (BilledPart("vcpu_hour", Decimal(0), None, "how many tasks are running is not known"),)
    if facts.running_tasks == 0:
        return ()
    return (
        *task_parts(service.region, task_size(facts), facts.running_tasks),
        *_addresses(service.region, facts, facts.running_tasks),
    )


def _addresses(region: str, facts: ServiceFacts, tasks: int) -> Iterator[BilledPart]:
    """Yield the public IPv4 addresses of the tasks: https://aws.amazon.com/vpc/pricing/."""
    if facts.public_addresses is None:
        yield BilledPart("public_ipv4_hour", Decimal(0), None, "whether its tasks have public addresses is not known")
    elif facts.public_addresses:
        yield BilledPart("public_ipv4_hour", Decimal(tasks), PriceQuery("vpc", region, "public_ipv4_hour"))


def task_size(facts: ServiceFacts) -> TaskSize:
    """Return the size of one of its tasks."""
    return TaskSize(
        facts.task_cpu_units,
        facts.task_memory_mib,
        facts.task_disk_gib,
        facts.architecture or X86,
        facts.system or "",
    )


# -- what else is declared ---------------------------------------------------------------------------------------------


def _named(service: Resource) -> tuple[tuple[str, str], ...]:
    return ("ClusterName", service.text("cluster")), ("ServiceName", service.text("service"))


def _works(service: Resource) -> bool:
    return service.state == ACTIVE


def _level(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/ECS",
        metric,
        "ServiceName",
        ("Average", "Maximum"),
        "percent",
        dimensions=_named,
        applies=_works,
    )


def _console_url(service: Resource) -> str:
    cluster, _, name = service.id.partition("/")
    return console_page(f"ecs/v2/clusters/{cluster}/services/{name}/health?region={{region}}#{{id}}")(service)


KIND: Final = ResourceKind(
    id="ecs-service",
    title="ECS service",
    service="ecs",
    id_pattern=r"[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}",
    arn_pattern="arn:*:ecs:*:*:service/*",
    limits={
        "task_disk_gib": Limit(200, "GiB", "Amazon ECS developer guide, “Fargate task ephemeral storage”"),
    },
    facts=ServiceFacts,
    listing=Listing(
        permissions=(_CLUSTERS, _SERVICES, _DESCRIBE, _DEFINITION, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={
            _SERVICES: lambda known: {"cluster": known.partition("/")[0]},
            _DESCRIBE: lambda known: {"cluster": known.partition("/")[0], "services": [known.partition("/")[2]]},
            _DEFINITION: lambda _: {"taskDefinition": "no-such-family"},
        },
    ),
    billed_as=BilledAs("Amazon Elastic Container Service", "Compute", "Containers"),
    states=States(running=frozenset({ACTIVE, _DRAINING})),
    metrics=(_level("cpuPercent", "CPUUtilization"), _level("memoryPercent", "MemoryUtilization")),
    billed_parts=billed_parts,
    left_out=("data_transfer_gb", "task_volume_gb_month"),
    console_url=_console_url,
    sample=Sample("my-cluster/my-service", "arn:aws:ecs:us-east-1:111111111111:service/my-cluster/my-service"),
    owner=owned_by(SIGNS, service=lambda one: one.text("managed_by") or None),
    type_of=lambda resource: resource.text("runs_on"),
)
