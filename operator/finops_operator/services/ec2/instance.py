"""EC2 instances: DescribeInstances, and what of them is billed; `rules/instance_metrics.py` has what is measured.

Loaded by the registry; walked by the discover and measure stages. Terminated instances stay listed for about an hour
and cost nothing, so they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of, for_the_last
from finops_operator.plugins.kind import (
    BilledPart,
    Listing,
    Product,
    ProductOption,
    Question,
    ResourceKind,
    Sample,
    States,
)
from finops_operator.plugins.ownership import Owner, managed_by_service, owner_by_tags
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.ec2.commitments.reading import EC2_COMMITMENTS
from finops_operator.services.ec2.rules.credit_mode import DESCRIBE_CREDITS
from finops_operator.services.ec2.rules.credit_mode import QUESTION as CREDIT_MODES
from finops_operator.services.ec2.rules.detailed_monitoring import FEWEST_MONITORED, detailed_monitoring
from finops_operator.services.ec2.rules.fast_alarms import FAST_ALARMS, LIST_ALARMS, fast_alarms
from finops_operator.services.ec2.rules.generations import of_previous_generation
from finops_operator.services.ec2.rules.graviton import X86, graviton_types
from finops_operator.services.ec2.rules.instance_metrics import METRICS, RUNNING, runs
from finops_operator.services.ec2.rules.listed import INSTANCES
from finops_operator.services.ec2.rules.new_types import DESCRIBE_TYPES
from finops_operator.services.ec2.rules.new_types import QUESTION as NEW_TYPES
from finops_operator.services.ec2.rules.offered_types import OFFERINGS, offered_types
from finops_operator.services.ec2.rules.open_groups import LIST_GROUPS, OPEN_GROUPS, open_groups
from finops_operator.services.ec2.rules.operating_system import billed_system
from finops_operator.services.ec2.rules.running import PAUSES, TYPE_SINCE, creation, running_share
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.vcpu_limits import (
    ALL_QUOTAS,
    LIST_QUOTAS,
    LIST_QUOTAS_CALL,
    VCPU_LIMITS,
    vcpu_limits,
)
from finops_operator.services.ec2.rules.zones import outside_of_region

_PAGE: Final = 1000
_MONITORED: Final = frozenset({"enabled", "pending"})
_GONE: Final = frozenset({"terminated", "shutting-down"})
_NO_HOURS: Final = _GONE | {"pending", "stopping", "stopped"}
"""AWS bills no hours in these; what an instance that hibernates is billed while it stops passes within minutes."""
_OPERATION: Final = "ec2:DescribeInstances"
ONE: Final = Decimal(1)
OFFERED_TYPES: Final = "offered-types"
"""Question of this kind: which instance types the zone of an instance offers."""


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """What is known of one instance; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        usage_operation: what the instance is billed as (`RunInstances:0002`); else see `platform_details`, `platform`.
        platform: `windows` or empty.
        lifecycle: empty, `spot` or `scheduled`.
        capacity_reservation: id of the reservation that the instance sits in or targets.
        public_ipv4: its public addresses; `elastic`: for each of them whether it is an Elastic IP.
        detailed_monitoring: whether it reports every minute, for money, instead of every five.
        security_groups: of an instance with a public address, those of all its network interfaces.
        marketplace: whether its image was bought in the Marketplace, whose price AWS's tables do not hold.
        launched: its last start.
        type_since, type_changed: since when it is known to have its type, and when a scan saw another one before.
        billed_share: share of its hours that it ran and is billed, `0.4167`; absent: all.
    """

    instance_type: str | None = None
    usage_operation: str | None = None
    platform_details: str | None = None
    platform: str | None = None
    tenancy: str | None = None
    lifecycle: str | None = None
    availability_zone: str | None = None
    placement_group: str | None = None
    architecture: str | None = None
    virtualization_type: str | None = None
    hypervisor: str | None = None
    root_device_type: str | None = None
    root_device_name: str | None = None
    image_id: str | None = None
    boot_mode: str | None = None
    state_transition_reason: str | None = None
    auto_scaling_group: str | None = None
    capacity_reservation: str | None = None
    ena_support: bool | None = None
    ebs_optimized: bool | None = None
    hibernation_configured: bool | None = None
    operator_managed: bool | None = None
    operator_principal: str | None = None
    network_interface_count: int | None = None
    volume_ids: tuple[str, ...] | None = None
    public_ipv4: tuple[str, ...] | None = None
    elastic: tuple[bool, ...] | None = None
    detailed_monitoring: bool | None = None
    security_groups: tuple[str, ...] | None = None
    marketplace: bool | None = None
    launched: str | None = None
    type_since: str | None = None
    type_changed: str | None = None
    billed_share: str | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield instances page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for reservation in page.get("Reservations", ()):
                owner = str(reservation.get("OwnerId") or reader.account)
                for instance in reservation.get("Instances", ()):
                    if instance.get("State", {}).get("Name") not in _GONE:
                        yield _resource(instance, reader, partition, owner)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(instance: Mapping[str, Any], reader: PageReader, partition: str, owner: str) -> Resource:
    identity = str(instance["InstanceId"])
    tags = tags_of(instance)
    return Resource(
        kind="ec2-instance",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{owner}:instance/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(instance.get("State", {}).get("Name", "")),
        tags=tags,
        created=creation(instance),
        attributes=attributes_of(_facts(instance, tags)),
    )


def _facts(instance: Mapping[str, Any], tags: Mapping[str, str]) -> InstanceFacts:
    placement = instance.get("Placement") or {}
    operator = instance.get("Operator") or {}
    interfaces = instance.get("NetworkInterfaces")
    addresses, launched = _addresses(instance), parse_time(instance.get("LaunchTime"))
    return InstanceFacts(
        instance_type=instance.get("InstanceType"),
        usage_operation=instance.get("UsageOperation"),
        platform_details=instance.get("PlatformDetails"),
        platform=str(instance.get("Platform") or "").lower(),
        tenancy=placement.get("Tenancy"),
        lifecycle=instance.get("InstanceLifecycle") or "",
        availability_zone=placement.get("AvailabilityZone"),
        placement_group=placement.get("GroupName") or "",
        architecture=instance.get("Architecture"),
        virtualization_type=instance.get("VirtualizationType"),
        hypervisor=instance.get("Hypervisor"),
        root_device_type=instance.get("RootDeviceType"),
        root_device_name=instance.get("RootDeviceName"),
        image_id=instance.get("ImageId"),
        boot_mode=instance.get("CurrentInstanceBootMode") or instance.get("BootMode"),
        state_transition_reason=instance.get("StateTransitionReason"),
        auto_scaling_group=tags.get("aws:autoscaling:groupName", ""),
        capacity_reservation=_reservation(instance),
        ena_support=instance.get("EnaSupport"),
        ebs_optimized=instance.get("EbsOptimized"),
        hibernation_configured=(instance.get("HibernationOptions") or {}).get("Configured"),
        operator_managed=operator.get("Managed"),
        operator_principal=operator.get("Principal") or "",
        network_interface_count=None if interfaces is None else len(interfaces),
        volume_ids=tuple(
            block["Ebs"]["VolumeId"]
            for block in instance.get("BlockDeviceMappings") or ()
            if (block.get("Ebs") or {}).get("VolumeId")
        ),
        public_ipv4=tuple(addresses),
        elastic=tuple(addresses.values()),
        detailed_monitoring=_monitored(instance),
        # Asked for where an address is public; kept for nobody else.
        security_groups=_security_groups(instance) if addresses else (),
        launched=None if launched is None else launched.isoformat(),
        marketplace=any(one.get("ProductCodeType") == "marketplace" for one in instance.get("ProductCodes") or ()),
    )


def _monitored(instance: Mapping[str, Any]) -> bool | None:
    state = (instance.get("Monitoring") or {}).get("State")
    return None if state is None else state in _MONITORED


def _security_groups(instance: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the groups of all its network interfaces; None where one of them does not say."""
    found: set[str] = set()
    for interface in instance.get("NetworkInterfaces") or ({"Groups": instance.get("SecurityGroups")},):
        groups = interface.get("Groups")
        if groups is None:
            return None
        found.update(str(group["GroupId"]) for group in groups)
    return tuple(sorted(found))


def _reservation(instance: Mapping[str, Any]) -> str:
    target = (instance.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    return str(instance.get("CapacityReservationId") or target.get("CapacityReservationId") or "")


def _addresses(instance: Mapping[str, Any]) -> dict[str, bool]:
    """Return public IPv4 address → whether it is an Elastic IP, which goes on costing while the instance is stopped.

    AWS owns auto-assigned addresses (`IpOwnerId` is `amazon`), the account owns its Elastic IPs. Where the interfaces
    are not known, the address counts as Elastic: that can only make a saving smaller than it is.
    """
    found: dict[str, bool] = {}
    for interface in instance.get("NetworkInterfaces") or ():
        associations = [
            interface.get("Association"),
            *(one.get("Association") for one in interface.get("PrivateIpAddresses") or ()),
        ]
        for association in associations:
            if association and association.get("PublicIp"):
                found[str(association["PublicIp"])] = association.get("IpOwnerId") != "amazon"
    address = instance.get("PublicIpAddress")
    if address:
        found.setdefault(str(address), True)
    return found


def instance_facts(resource: Resource) -> InstanceFacts:
    """Return the facts of an `ec2-instance`."""
    return facts_of(InstanceFacts, resource)


def as_type(instance: Resource, type_name: str) -> Resource:
    """Return a copy with another type. Sizing makes hundreds of them, so that only the type is written anew."""
    return replace(instance, attributes={**instance.attributes, "instance_type": type_name})


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(instance: Resource) -> tuple[BilledPart, ...]:
    """Return hours of its type, detailed monitoring and public IPv4 addresses; empty when nothing of it is billed.

    Volumes are resources of their own. A stopped instance is billed no hours; the elastic addresses it keeps still are
    (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html).
    """
    if instance.state in _GONE:
        return ()
    facts = instance_facts(instance)
    running = instance.state == RUNNING
    if not running and instance.state not in _NO_HOURS:
        return billed_as_unknown("instance_hour", instance.state)
    hours = (instance_hours(instance, facts),) if running else ()
    monitored = running and facts.detailed_monitoring
    monitoring = (detailed_monitoring(instance.region, running_share(facts.billed_share)),) if monitored else ()
    addresses = _address_hours(instance, facts, running=running)
    return (*hours, *monitoring, addresses) if addresses else (*hours, *monitoring)


def instance_hours(instance: Resource, facts: InstanceFacts) -> BilledPart:
    """Return the hours of its type, with the query of their price or the reason why there is none."""
    system = billed_system(facts.usage_operation or "", facts.platform_details or "", facts.platform)
    reason = _unpriceable(facts) or system.reason_unknown
    ran = running_share(facts.billed_share)
    if reason:
        return BilledPart("instance_hour", ran, None, reason)
    return BilledPart("instance_hour", ran, hour_query(instance.region, facts.instance_type or "", system.os))


def hour_query(region: str, instance_type: str, system: str) -> PriceQuery:
    """Return what to ask the price tables for an hour of a type with an operating system."""
    return PriceQuery("ec2", region, "instance_hour", (("instance_type", instance_type), ("os", system)))


def _unpriceable(facts: InstanceFacts) -> str:
    if facts.tenancy not in (None, "", "default"):
        return f"no price for tenancy {facts.tenancy}"
    if facts.lifecycle:
        return f"no price for {facts.lifecycle} instances, the table holds on-demand prices"
    if outside_of_region(facts.availability_zone or ""):
        return f"no price for {facts.availability_zone}: Local and Wavelength Zones have prices of their own"
    if facts.marketplace:
        return "no price for software of the Marketplace, which is billed with its hours"
    return ""


def _address_hours(instance: Resource, facts: InstanceFacts, *, running: bool) -> BilledPart | None:
    """Return the addresses still held in this state: an automatic one is given back when the instance stops.

    Addresses that AWS did not list are unknown, not zero.
    """
    held = facts.public_ipv4 if running else facts.elastic
    if held is None:
        return BilledPart("public_ipv4_hour", Decimal(0), None, "its public addresses are not known")
    kept = Decimal(sum(1 for elastic in facts.elastic or () if elastic is True))
    count = kept + (len(held) - kept) * running_share(facts.billed_share) if running else kept
    if not count:
        return None
    return BilledPart("public_ipv4_hour", count, PriceQuery("vpc", instance.region, "public_ipv4_hour"))


# -- what else is declared ---------------------------------------------------------------------------------------------


@for_the_last
def _owner(resource: Resource) -> Owner | None:
    """Return who manages the instance: AWS's own flag first, then the group it is a member of, then its tags."""
    facts = instance_facts(resource)
    if facts.operator_managed:
        return managed_by_service(facts.operator_principal or "")
    group = facts.auto_scaling_group
    tags = {**resource.tags, "aws:autoscaling:groupName": group} if group else resource.tags
    return owner_by_tags(tags, SIGNS)


def _may_get_another_type(instance: Resource, utilization: Utilization) -> bool:
    """Return whether a check may name another type: after the 5-minute picture, or one that is newer or on Graviton."""
    name, on_x86 = instance.text("instance_type"), instance.text("architecture") == X86
    return bool(utilization.fine) or (
        runs(instance) and (of_previous_generation(name) or (on_x86 and bool(graviton_types(name))))
    )


def _is_candidate(_instance: Resource, utilization: Utilization) -> bool:
    return bool(utilization.fine)


def _is_monitored(instance: Resource, _utilization: Utilization) -> bool:
    return runs(instance) and instance_facts(instance).detailed_monitoring is True


def _has_address(instance: Resource, _utilization: Utilization) -> bool:
    return runs(instance) and bool(instance_facts(instance).public_ipv4)


def _price_queries(region: str, instance_type: str, options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, instance_type, options["--os"]),)


KIND: Final = ResourceKind(
    id="ec2-instance",
    title="EC2 instance",
    service="ec2",
    id_pattern=r"i-[0-9a-f]{8,17}",
    arn_pattern="arn:*:ec2:*:*:instance/*",
    facts=InstanceFacts,
    listing=Listing(
        permissions=(
            "ec2:DescribeInstances",
            OFFERINGS,
            DESCRIBE_TYPES,
            DESCRIBE_CREDITS,
            "ec2:DescribeRegions",
            "cloudwatch:GetMetricData",
            "cloudwatch:ListMetrics",
            LIST_ALARMS,
            LIST_GROUPS,
            LIST_QUOTAS,
        ),
        collect=_collect,
        probes={LIST_QUOTAS: lambda _: ALL_QUOTAS},
        calls={LIST_QUOTAS: LIST_QUOTAS_CALL},
        questions=(
            NEW_TYPES,
            CREDIT_MODES,
            Question(id=FAST_ALARMS, ask=fast_alarms, place=lambda resource: resource.region, needed=_is_monitored),
            Question(id=OPEN_GROUPS, ask=open_groups, place=lambda resource: resource.region, needed=_has_address),
            Question(id=VCPU_LIMITS, ask=vcpu_limits, place=lambda resource: resource.region, needed=_is_candidate),
            Question(
                id=OFFERED_TYPES,
                ask=offered_types,
                place=lambda resource: resource.text("availability_zone"),
                needed=_may_get_another_type,
            ),
        ),
    ),
    billed_as=BilledAs("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines", "availability_zone"),
    states=States(
        running=frozenset({RUNNING}),
        stopped=frozenset({"stopped", "stopping"}),
        billed=frozenset({"pending", RUNNING, "stopping", "stopped"}),
        free=_NO_HOURS,
    ),
    metrics=METRICS,
    billed_parts=billed_parts,
    left_out=("data_transfer_gb", "surplus_credit_vcpu_hour"),
    console_url=console_page("ec2/home?region={region}#InstanceDetails:instanceId={id}"),
    sample=Sample("i-0123456789abcdef0", "arn:aws:ec2:us-east-1:111111111111:instance/i-0123456789abcdef0"),
    dry_run=True,
    owner=_owner,
    type_of=lambda resource: resource.text("instance_type"),
    products=(
        Product(
            option="--instance-type",
            metavar="TYPE",
            description="Such as t2.large.",
            queries=_price_queries,
            sample="m5.large",
            options=(ProductOption("--os", "NAME", "linux", "linux, windows, rhel, …"),),
        ),
    ),
    commitments=EC2_COMMITMENTS,
    steps_from=FEWEST_MONITORED,
    memory=TYPE_SINCE,
    pauses=PAUSES,
    listed=INSTANCES,
)
