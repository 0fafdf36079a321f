"""Which metrics exist in one account and region, and the series behind each.

CloudWatch's handlers ask :class:`Catalog` for a series by namespace, name and the exact set of dimensions, and for the
list of metrics that reported in the last two weeks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from finops_sandbox.aws.clock import aware_utc
from finops_sandbox.aws.facts import Period
from finops_sandbox.aws.fleet import FleetMember
from finops_sandbox.aws.live_estate import LiveEstate
from finops_sandbox.aws.metrics import Series, make_series
from finops_sandbox.aws.quotas import vcpus_in_use
from finops_sandbox.aws.shapes import SLOT_SECONDS
from finops_sandbox.aws.transitions import settle
from finops_sandbox.aws.written import WrittenMetric

Dimensions = tuple[tuple[str, str], ...]
# ListMetrics leaves out metrics that had no values for two weeks.
_FORGOTTEN_AFTER = timedelta(days=14)
_RECENT = timedelta(hours=3)
# metric → factor on the network shape, which is bytes per minute and direction.
_NETWORK = {"NetworkIn": 1.0, "NetworkOut": 0.8, "NetworkPacketsIn": 1 / 800, "NetworkPacketsOut": 1 / 1000}
_XEN = frozenset(
    ["c1", "c3", "c4", "d2", "h1", "i2", "i3", "m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2", "x1", "x1e"]
)
"""Families of instances on Xen, which measure nothing of what goes to their volumes."""
_GATEWAY_METRICS = frozenset(
    {
        "ActiveConnectionCount",
        "PacketsInFromSource",
        "PacketsInFromDestination",
        "BytesInFromSource",
        "BytesInFromDestination",
    }
)
_OPERATIONS = {"VolumeReadOps": 1.0, "VolumeWriteOps": 0.7, "VolumeReadBytes": 16_384.0, "VolumeWriteBytes": 16_384.0}


@dataclass(frozen=True, slots=True)
class _Instance:
    instance_id: str
    instance_type: str
    image_id: str
    group: str
    cpu: str
    network: str
    memory: str
    memory_dimensions: str
    active: tuple[tuple[int, int], ...]
    vcpus: int = 0
    runs: bool = True
    surplus_credits: str = "zero"


@dataclass(frozen=True, slots=True)
class _Volume:
    volume_id: str
    volume_type: str
    operations: str
    active: tuple[tuple[int, int], ...]


@cache
def _vcpus() -> dict[str, int]:
    from moto.ec2.models.instance_types import INSTANCE_TYPES  # noqa: PLC0415 - moto loads slowly

    return {name: int(one["VCpuInfo"]["DefaultVCpus"]) for name, one in INSTANCE_TYPES.items()}


def _slot(moment: datetime) -> int:
    return int(moment.timestamp()) // SLOT_SECONDS


def _active(created: datetime, not_running: list[Period], now_slot: int) -> tuple[tuple[int, int], ...]:
    """The slots from launch to now without those in which the instance did not run."""
    found = []
    # The slot in which something starts is incomplete: the first full one reports.
    begin = _slot(created) + 1
    for start, end in not_running:
        if _slot(start) > begin:
            found.append((begin, _slot(start)))
        if end is None:
            return tuple(found)
        begin = max(begin, _slot(end) + 1)
    if now_slot > begin:
        found.append((begin, now_slot))
    return tuple(found)


def _overlap(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple(sorted((low, high) for low, high in pairs if low < high))


@dataclass(slots=True)
class Catalog:
    """A picture of one account and region at one moment."""

    account: str
    region: str
    now: datetime
    instances: dict[str, _Instance] = field(default_factory=dict)
    volumes: dict[str, _Volume] = field(default_factory=dict)
    gateways: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = field(default_factory=dict)
    estate: LiveEstate | None = None

    @classmethod
    def of(cls, estate: LiveEstate, account: str, region: str) -> "Catalog":
        """Take the picture; the caller need not hold the estate's lock."""
        now = estate.clock.now()
        catalog = cls(account, region, now, estate=estate)
        if (account, region) in estate.fleets:
            return catalog
        now_slot = _slot(now)
        with estate.lock:
            settle(estate, account, region)
            backend = estate.backend(account, region)
            types = _vcpus()
            for instance in (one for item in backend.reservations.values() for one in item.instances):
                facts = estate.instance_facts(instance)
                catalog.instances[instance.id] = _Instance(
                    instance.id,
                    instance.instance_type,
                    instance.image_id,
                    estate.tags(account, region, instance.id).get("aws:autoscaling:groupName", ""),
                    facts.load.cpu,
                    facts.load.network,
                    facts.load.memory,
                    facts.load.memory_dimensions,
                    _active(facts.created, facts.not_running, now_slot),
                    types.get(instance.instance_type, 0),
                    instance.state in {"pending", "running"},
                    facts.load.surplus_credits,
                )
            for volume in backend.volumes.values():
                known = estate.volume_facts(volume)
                active = tuple(
                    (_slot(start) + 1, now_slot if end is None else _slot(end)) for start, end in known.attached
                )
                if volume.attachment is not None and volume.attachment.instance.id in catalog.instances:
                    # A volume reports only while it is attached to a running instance.
                    active = _overlap(active, catalog.instances[volume.attachment.instance.id].active)
                active = tuple(item for item in active if item[0] < item[1])
                catalog.volumes[volume.id] = _Volume(volume.id, volume.volume_type, known.operations, active)
            for gateway in backend.nat_gateways.values():
                if shape := estate.further.gateway_traffic.get(gateway.id):
                    created = aware_utc(gateway._created_at)  # noqa: SLF001 - moto formats it otherwise
                    catalog.gateways[gateway.id] = shape, _active(created, [], now_slot)
        return catalog

    def series(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> Series | None:
        """The series of exactly these dimensions, or nothing: CloudWatch answers an unknown metric with no points."""
        if written := self._written().get((namespace, metric, frozenset(dimensions.items()))):
            return self._written_series(written)
        if namespace == "AWS/EC2" and set(dimensions) == {"InstanceId"}:
            instance = self._instance(dimensions["InstanceId"])
            return self._instance_series(instance, metric) if instance else None
        if namespace == "AWS/EBS" and set(dimensions) == {"VolumeId"}:
            volume = self._volume(dimensions["VolumeId"])
            return self._volume_series(volume, metric) if volume else None
        if namespace == "AWS/NATGateway" and set(dimensions) == {"NatGatewayId"} and metric in _GATEWAY_METRICS:
            gateway = dimensions["NatGatewayId"]
            shape, active = self.gateways.get(gateway, ("zero", ()))
            return make_series(f"{self.account}/{self.region}/{gateway}/{metric}", shape, active)
        if namespace == "AWS/Usage" and metric == "ResourceCount":
            return self._usage_series(dimensions)
        if namespace == "CWAgent" and metric == "mem_used_percent" and "InstanceId" in dimensions:
            instance = self._instance(dimensions["InstanceId"])
            if instance and instance.memory and dict(self._agent_dimensions(instance)) == dict(dimensions):
                return self._make(instance.instance_id, metric, instance.memory, instance)
        return None

    def _usage_series(self, dimensions: Mapping[str, str]) -> Series | None:
        """Return the vCPUs that run now, as if they had run for the last hour."""
        now = _slot(self.now)
        running = [(one.instance_type, one.vcpus) for one in self.instances.values() if one.runs]
        used = vcpus_in_use(dimensions, running)
        return None if used is None else make_series("usage", "full_percent", ((now - 12, now),), factor=used / 100)

    def listing(self, *, recent: bool = False) -> Iterator[tuple[str, str, Dimensions]]:
        """Namespace, name and dimensions of every metric that reported lately, in a stable order."""
        oldest = _slot(self.now - (_RECENT if recent else _FORGOTTEN_AFTER))
        for instance in self.instances.values():
            if not instance.active or instance.active[-1][1] < oldest:
                continue
            for metric in self._instance_metrics(instance):
                yield "AWS/EC2", metric, (("InstanceId", instance.instance_id),)
            if instance.memory:
                yield "CWAgent", "mem_used_percent", self._agent_dimensions(instance)
        for written in self._written().values():
            if _slot(self.now - written.ended) >= oldest:
                yield written.namespace, written.metric, tuple(sorted(written.dimensions))
        for volume in self.volumes.values():
            if volume.active and volume.active[-1][1] >= oldest:
                for metric in (*_OPERATIONS, "VolumeIdleTime"):
                    yield "AWS/EBS", metric, (("VolumeId", volume.volume_id),)

    def _written(self) -> Mapping[tuple[str, str, frozenset[tuple[str, str]]], WrittenMetric]:
        return self.estate.further.written.metrics.get((self.account, self.region), {}) if self.estate else {}

    def _written_series(self, written: WrittenMetric) -> Series:
        identity = f"{self.account}/{self.region}/{sorted(written.dimensions)}/{written.metric}"
        active = ((_slot(self.now - written.age) + 1, _slot(self.now - written.ended)),)
        return make_series(identity, written.shape, active, factor=written.value, presence=written.presence)

    def _instance(self, instance_id: str) -> _Instance | None:
        fleet = self.estate.fleets.get((self.account, self.region)) if self.estate else None
        if fleet is None:
            return self.instances.get(instance_id)
        member: FleetMember | None = fleet.member(instance_id)
        if member is None:
            return None
        active = _active(fleet.launched, [], _slot(self.now))
        return _Instance(
            instance_id, member.instance_type, "ami-0f1ee70000000000a", "", member.cpu, member.network, "", "", active
        )

    def _volume(self, volume_id: str) -> _Volume | None:
        fleet = self.estate.fleets.get((self.account, self.region)) if self.estate else None
        if fleet is None:
            return self.volumes.get(volume_id)
        shape = fleet.volume_of(volume_id)
        return _Volume(volume_id, "gp3", shape, _active(fleet.launched, [], _slot(self.now))) if shape else None

    def _agent_dimensions(self, instance: _Instance) -> Dimensions:
        own = ("InstanceId", instance.instance_id)
        if instance.memory_dimensions != "full":
            return (own,)
        rest = (("ImageId", instance.image_id), own, ("InstanceType", instance.instance_type))
        return (("AutoScalingGroupName", instance.group), *rest) if instance.group else rest

    def _instance_metrics(self, instance: _Instance) -> list[str]:
        names = ["CPUUtilization", *_NETWORK, "StatusCheckFailed"]
        if instance.instance_type.partition(".")[0] not in _XEN:
            names += ["EBSReadBytes", "EBSWriteBytes", "EBSReadOps", "EBSWriteOps"]
        if instance.instance_type.startswith("t"):
            names += ["CPUCreditBalance", "CPUSurplusCreditsCharged"]
        return names

    def _instance_series(self, instance: _Instance, metric: str) -> Series | None:
        if metric not in self._instance_metrics(instance):
            return None
        one = instance.instance_id
        if metric == "CPUUtilization":
            return self._make(one, metric, instance.cpu, instance)
        if metric in _NETWORK:
            return self._make(one, metric, instance.network, instance, _NETWORK[metric])
        if metric == "CPUCreditBalance":
            full = instance.cpu in {"idle", "low", "spike", "gap", "just_launched"}
            return self._make(one, metric, "credits_full" if full else "credits_draining", instance)
        if metric.startswith("EBS"):
            return self._make(one, metric, instance.network, instance, 0.01 if "Ops" in metric else 1.0)
        shape = instance.surplus_credits if metric == "CPUSurplusCreditsCharged" else "zero"
        return self._make(one, metric, shape, instance)

    def _make(self, resource: str, metric: str, shape: str, instance: _Instance, factor: float = 1.0) -> Series:
        identity = f"{self.account}/{self.region}/{resource}/{metric}"
        presence = "gap" if instance.cpu == "gap" else ""
        return make_series(identity, shape, instance.active, factor=factor, presence=presence)

    def _volume_series(self, volume: _Volume, metric: str) -> Series | None:
        identity = f"{self.account}/{self.region}/{volume.volume_id}/{metric}"
        if metric in _OPERATIONS:
            return make_series(identity, volume.operations, volume.active, factor=_OPERATIONS[metric])
        if metric == "VolumeIdleTime":
            shape = "idle_time_busy" if volume.operations == "ops_busy" else "idle_time_full"
            return make_series(identity, shape, volume.active)
        if metric == "BurstBalance" and volume.volume_type == "gp2":
            return make_series(identity, "full_percent", volume.active)
        return None
