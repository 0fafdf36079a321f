"""Puts an estate into moto's models and the estate's facts: ids, launch and creation times as the estate says.

Straight into the models, because an API call a resource would take longer than the demo may. The double calls
:func:`seed` when it starts and at every reset.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws import (
    addresses,
    buckets,
    database_clusters,
    database_snapshots,
    databases,
    families,
    functions,
    images,
    keys,
    log_groups,
    log_queries,
    nat_gateways,
    services,
    snapshots,
    tables,
)
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.estate import Estate, InstanceSpec, Place, VolumeSpec, resource_id
from finops_sandbox.aws.estate_fields import EstateError
from finops_sandbox.aws.facts import InstanceFacts, Load, Platform, VolumeFacts
from finops_sandbox.aws.identity import IdentityStore, Role
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.policy_evaluator import parse_policy

# os → PlatformDetails, UsageOperation (EC2 user guide, "AMI billing information fields").
_PLATFORMS = {
    "linux": ("Linux/UNIX", "RunInstances"),
    "windows": ("Windows", "RunInstances:0002"),
    "rhel": ("Red Hat Enterprise Linux", "RunInstances:0010"),
    "suse": ("SUSE Linux", "RunInstances:000g"),
}
_IMAGE = "ami-0sandbox000000000"
_WARM_UP_THREADS = 4
_AGE = timedelta(days=365)
"""Of log groups, databases, functions and services."""


def seed(document: Estate, estate: LiveEstate, identities: IdentityStore) -> None:
    """Replace everything by the estate.

    Raises:
        EstateError: an operating system, zone or instance that does not exist.
    """
    estate.clear()
    identities.clear()
    estate.faults.clear()
    for user in document.users:
        policies = [parse_policy(document) for document in user.policies]
        identities.add_user(user.arn, user.access_key, user.secret_key, policies)
    for role in document.roles:
        policies = [parse_policy(document) for document in role.policies]
        trust = parse_policy(role.trust, trust=True)
        identities.add_role(Role(role.arn, trust, tuple(policies), role.max_duration_seconds))
    estate.regions.update(document.accounts)
    # Making a backend builds its default network; different places do not touch each other.
    with ThreadPoolExecutor(_WARM_UP_THREADS) as pool:
        for place in pool.map(lambda one: _warm(estate, one), document.places):
            _seed_place(estate, place)
    for fault in document.faults:
        estate.faults.inject(fault)


def _warm(estate: LiveEstate, place: Place) -> Place:
    estate.backend(place.account, place.region)
    return place


def _seed_place(estate: LiveEstate, place: Place) -> None:
    # Whole seconds, as AWS reports them.
    now = estate.clock.now().replace(microsecond=0)
    with estate.lock:
        for instance in place.instances:
            _seed_instance(estate, place, instance, now)
        for volume in place.volumes:
            _seed_volume(estate, place, volume, f"{place.region}a", now)
        for group in place.log_groups:
            log_groups.seed(place, group, now - _AGE)
        _seed_databases(estate, place, now)
        for bucket in place.buckets:
            buckets.seed(place, bucket)
        for table in place.tables:
            tables.seed(place, table)
        for function in place.functions:
            functions.seed(place, function, now - _AGE)
            log_queries.seed(place, function, now, now - _AGE)
        for service in place.services:
            services.seed(place, service, now - _AGE)
        for snapshot in place.snapshots:
            snapshots.seed(estate, place, snapshot)
        for address in place.addresses:
            addresses.seed(estate, place, address)
        for gateway in place.nat_gateways:
            nat_gateways.seed(estate, place, gateway)
        _seed_held(estate, place, now - _AGE)
        estate.further.commitments.add(
            place.account,
            place.region,
            place.commitments,
            now,
            lambda name: resource_id("instance", place.account, place.region, name),
        )
        estate.further.written.add(place.account, place.region, place.answers, place.metrics)


def _seed_databases(estate: LiveEstate, place: Place, now: datetime) -> None:
    for database in place.databases:
        databases.seed(estate, place, database, now - _AGE)
    for cluster in place.database_clusters:
        database_clusters.seed(estate, place, cluster, now - _AGE)
    for copy in place.database_snapshots:
        database_snapshots.seed(place, copy, now)


def _seed_held(estate: LiveEstate, place: Place, created: datetime) -> None:
    for image in place.images:
        images.seed(estate, place, image, created)
    families.seed(estate, place, created)


def _seed_instance(estate: LiveEstate, place: Place, spec: InstanceSpec, now: datetime) -> None:
    from moto.ec2.models.instances import Instance, Reservation  # noqa: PLC0415 - moto loads slowly

    backend = estate.backend(place.account, place.region)
    zone = f"{place.region}{spec.zone}"
    subnet = backend.get_default_subnets().get(zone)
    if subnet is None or spec.os not in _PLATFORMS:
        raise EstateError(f"{place.account}/{place.region}, instance {spec.name}: unknown zone {zone} or os {spec.os}")
    # Moto leaves methods of CloudFormation abstract and makes instances all the same.
    make: Any = Instance
    instance = make(
        backend,
        _IMAGE,
        None,
        [backend.get_security_group_by_name_or_id("default")],
        instance_type=spec.instance_type,
        region_name=place.region,
        placement=zone,
        subnet_id=subnet.id,
        associate_public_ip=spec.public_ip,
    )
    instance.id = resource_id("instance", place.account, place.region, spec.name)
    instance.launch_time = naive_utc(now - spec.age)
    instance.architecture, instance.virtualization_type = spec.architecture, "hvm"
    instance.root_device_type = spec.root_device
    instance.placement.tenancy = spec.tenancy
    instance.disable_api_stop, instance.disable_api_termination = spec.protect_stop, spec.protect_termination
    instance.lifecycle = "spot" if spec.spot else None
    instance.monitoring_state = "enabled" if spec.detailed_monitoring else "disabled"
    reservation = Reservation(reservation_id="r-" + instance.id.removeprefix("i-"), owner_id=place.account)
    reservation.instances.append(instance)
    backend.reservations[reservation.id] = reservation
    # Straight into the store: the API refuses the aws: tags that CloudFormation and Auto Scaling leave.
    backend.tags[instance.id].update({"Name": spec.name, **spec.tags})
    facts = estate.instances[instance.id] = _facts(spec, now)
    for number, volume in enumerate(spec.volumes):
        _seed_volume(estate, place, volume, zone, now)
        device = instance.root_device_name if number == 0 else f"/dev/sd{chr(ord('e') + number)}"
        _attach(estate, place, volume, instance, device, now)
    if spec.state == "stopped":
        instance.stop()
        # Stopped for the second half of its life; moto names the time of the call.
        stopped = now - spec.age / 2
        facts.ends_running(stopped)
        instance._reason = f"User initiated ({stopped:%Y-%m-%d %H:%M:%S} GMT)"  # noqa: SLF001 - moto has no setter


def _facts(spec: InstanceSpec, now: datetime) -> InstanceFacts:
    platform, operation = _PLATFORMS[spec.os]
    return InstanceFacts(
        created=now - spec.age,
        load=Load(spec.cpu, spec.network, spec.memory, spec.memory_dimensions, spec.surplus_credits),
        platform=Platform(platform, operation, ena_support=spec.ena),
        managed_by=spec.managed_by,
    )


def _attach(estate: LiveEstate, place: Place, spec: VolumeSpec, instance: Any, device: str, now: datetime) -> None:
    backend = estate.backend(place.account, place.region)
    volume_id = resource_id("volume", place.account, place.region, spec.name)
    attachment = backend.attach_volume(volume_id, instance.id, device, spec.delete_on_termination)
    attached = now - spec.age
    attachment.attach_time = naive_utc(attached)
    instance.block_device_mapping[device].attach_time = naive_utc(attached)
    estate.volumes[volume_id].attached[:] = [(attached, None)]


def _seed_volume(estate: LiveEstate, place: Place, spec: VolumeSpec, zone: str, now: datetime) -> None:
    backend = estate.backend(place.account, place.region)
    volume = backend.create_volume(
        size=spec.size,
        zone_name=zone,
        volume_type=spec.volume_type,
        iops=spec.iops,
        throughput=spec.throughput,
    )
    new_id = resource_id("volume", place.account, place.region, spec.name)
    backend.volumes[new_id] = backend.volumes.pop(volume.id)
    created = now - spec.age
    volume.id, volume.create_time = new_id, naive_utc(created)
    if spec.customer_key:
        volume.encrypted, volume.kms_key_id = True, spec.customer_key
        keys.seed(place, spec.customer_key)
    backend.tags[new_id].update({"Name": spec.name, **spec.tags})
    attached = [] if spec.detached is None else [(created + timedelta(minutes=1), now - spec.detached)]
    estate.volumes[new_id] = VolumeFacts(spec.operations, list(attached), spec.customer_key)
