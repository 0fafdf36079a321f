"""What the double's accounts hold: moto's backends, plus the facts moto does not keep.

Every handler gets a :class:`Call`; :class:`World` lets state transitions and volume modifications that are due happen
before a handler reads anything. All access happens under ``World.lock``: moto's models are not thread-safe.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from finops_sandbox.aws.clock import SandboxClock, aware_utc, naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.faults import CallFacts, FaultBook
from finops_sandbox.aws.identity import Caller

if TYPE_CHECKING:
    from finops_sandbox.aws.fleet import Fleet

STATE_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# EC2 user guide: a terminated instance stays visible for about an hour.
_TERMINATED_VISIBLE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long AWS takes, in seconds; small by default so that tests stay quick."""

    state_seconds: float = 0.3
    status_check_seconds: float = 0.3
    snapshot_seconds: float = 0.3
    modification_seconds: float = 0.3


@dataclass(frozen=True, slots=True)
class Transition:
    """A state change under way; ``failure`` is the reason when a start ends in stopped."""

    target: str
    due: datetime
    failure: str = ""


@dataclass(slots=True)
class InstanceFacts:
    """What moto's instance does not know. Shapes name functions of :mod:`finops_sandbox.aws.metrics`."""

    created: datetime
    cpu: str = "steady"
    network: str = "normal"
    memory: str = ""
    memory_dimensions: str = "instance"
    platform_details: str = "Linux/UNIX"
    usage_operation: str = "RunInstances"
    ena_support: bool = True
    managed_by: str = ""
    inactive: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    transition: Transition | None = None
    status_ok_at: datetime | None = None
    terminated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VolumeSettings:
    """Size in GiB, IOPS, throughput in MiB/s."""

    volume_type: str
    size: int
    iops: int | None
    throughput: int | None


@dataclass(slots=True)
class Modification:
    """One ModifyVolume and where it stands."""

    original: VolumeSettings
    target: VolumeSettings
    start: datetime
    applied: bool = False


@dataclass(slots=True)
class VolumeFacts:
    """Activity shape, when it was attached, and the modifications of a volume."""

    operations: str = "ops_busy"
    attached: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    customer_key: str = ""
    modifications: list[Modification] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request; `strict` says whether the strict layer knows its service."""

    service: str
    action: str
    account: str
    region: str
    caller: Caller
    parameters: Mapping[str, Any]
    world: "World"
    strict: bool = True

    def facts(self, *resources: str) -> CallFacts:
        return CallFacts(self.service, self.action, self.account, self.region, resources)

    @property
    def backend(self) -> Any:
        return self.world.backend(self.account, self.region)


Handler = Callable[[Call], Mapping[str, Any]]


class World:
    """All accounts of the double."""

    def __init__(self, clock: SandboxClock, faults: FaultBook, delays: Delays) -> None:
        self.clock = clock
        self.faults = faults
        self.delays = delays
        self.lock = threading.RLock()
        self.instances: dict[str, InstanceFacts] = {}
        self.volumes: dict[str, VolumeFacts] = {}
        self.snapshots_due: dict[str, tuple[datetime, datetime]] = {}
        self.fleets: dict[tuple[str, str], Fleet] = {}
        self.regions: dict[str, tuple[str, ...]] = {}

    def clear(self) -> None:
        """Forget everything, moto's state included."""
        # Imported late: moto takes more than a second, and only a running double needs it.
        from moto.ec2.models import ec2_backends  # noqa: PLC0415

        with self.lock:
            ec2_backends.reset()
            for store in (self.instances, self.volumes, self.snapshots_due, self.fleets, self.regions):
                store.clear()

    def backend(self, account: str, region: str) -> Any:
        """Moto's EC2 backend of one account and region."""
        from moto.ec2.models import ec2_backends  # noqa: PLC0415

        return ec2_backends[account][region]

    def is_enabled(self, account: str, region: str) -> bool:
        """An account that names no regions has all of them."""
        regions = self.regions.get(account, ())
        return not regions or region in regions

    # ------------------------------------------------------------ lookups

    def instance(self, account: str, region: str, instance_id: str) -> Any:
        """Moto's instance.

        Raises:
            AwsError: InvalidInstanceID.NotFound.
        """
        for reservation in self.backend(account, region).reservations.values():
            for instance in reservation.instances:
                if instance.id == instance_id:
                    return instance
        code = "InvalidInstanceID.NotFound" if instance_id.startswith("i-") else "InvalidInstanceID.Malformed"
        raise AwsError(code, f"The instance ID '{instance_id}' does not exist")

    def volume(self, account: str, region: str, volume_id: str) -> Any:
        """Moto's volume.

        Raises:
            AwsError: InvalidVolume.NotFound.
        """
        volume = self.backend(account, region).volumes.get(volume_id)
        if volume is None:
            raise AwsError("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")
        return volume

    def tags(self, account: str, region: str, resource_id: str) -> dict[str, str]:
        # A plain get: moto's tag store is a defaultdict, and reading must not create.
        return dict(self.backend(account, region).tags.get(resource_id) or {})

    def instance_facts(self, instance: Any) -> InstanceFacts:
        if instance.id not in self.instances:
            self.instances[instance.id] = InstanceFacts(created=aware_utc(instance.launch_time))
        return self.instances[instance.id]

    def volume_facts(self, volume: Any) -> VolumeFacts:
        if volume.id not in self.volumes:
            attached = [(aware_utc(volume.attachment.attach_time), None)] if volume.attachment else []
            self.volumes[volume.id] = VolumeFacts(attached=list(attached))
        return self.volumes[volume.id]

    # ------------------------------------------------------------ time passes

    def settle(self, account: str, region: str) -> None:
        """Let everything that is due in one account and region happen."""
        now = self.clock.now()
        backend = self.backend(account, region)
        for key, reservation in list(backend.reservations.items()):
            for instance in list(reservation.instances):
                facts = self.instance_facts(instance)
                if facts.transition is not None and facts.transition.due <= now:
                    self._finish(instance, facts, facts.transition)
                if facts.terminated_at is not None and facts.terminated_at + _TERMINATED_VISIBLE <= now:
                    reservation.instances.remove(instance)
            if not reservation.instances:
                del backend.reservations[key]
        for volume in list(backend.volumes.values()):
            facts_of_volume = self.volumes.get(volume.id)
            if facts_of_volume is not None and facts_of_volume.modifications:
                self._apply_modification(volume, facts_of_volume.modifications[-1], now)

    def begin(self, instance: Any, state: str, target: str, *, failure: str = "") -> None:
        """Put an instance into a transitional state that ends in ``target`` after the configured delay."""
        facts = self.instance_facts(instance)
        now = self.clock.now()
        set_state(instance, state)
        facts.transition = Transition(target, now + timedelta(seconds=self.delays.state_seconds), failure)
        if state == "pending":
            instance.launch_time = naive_utc(now)
        elif not facts.inactive or facts.inactive[-1][1] is not None:
            facts.inactive.append((now, None))

    def _finish(self, instance: Any, facts: InstanceFacts, transition: Transition) -> None:
        facts.transition = None
        if transition.target == "running":
            instance.start()
            self._speak_again(facts, transition.due)
            facts.status_ok_at = transition.due + timedelta(seconds=self.delays.status_check_seconds)
        elif transition.target == "stopped":
            instance.stop()
            if transition.failure:
                instance.state_reason.code = transition.failure
                instance.state_reason.message = f"{transition.failure}: Client error on launch"
                instance._reason = transition.failure  # noqa: SLF001 - moto has no setter
        else:
            facts.terminated_at = transition.due
            self._close_attachments(instance, transition.due)
            instance.terminate()

    def _close_attachments(self, instance: Any, moment: datetime) -> None:
        for _, block in instance.get_block_device_mapping:
            facts = self.volumes.get(block.volume_id)
            if facts is not None and facts.attached and facts.attached[-1][1] is None:
                facts.attached[-1] = (facts.attached[-1][0], moment)

    def _speak_again(self, facts: InstanceFacts, moment: datetime) -> None:
        if facts.inactive and facts.inactive[-1][1] is None:
            facts.inactive[-1] = (facts.inactive[-1][0], moment)

    def _apply_modification(self, volume: Any, modification: Modification, now: datetime) -> None:
        optimizing_from = modification.start + timedelta(seconds=self.delays.modification_seconds)
        if not modification.applied and optimizing_from <= now:
            modification.applied = True
            volume.volume_type, volume.size = modification.target.volume_type, modification.target.size
            volume.iops, volume.throughput = modification.target.iops, modification.target.throughput

    def force_state(self, instance: Any, state: str) -> None:
        """A person's hand: running or stopped at once, as if it had happened long enough ago."""
        facts = self.instance_facts(instance)
        now = self.clock.now()
        facts.transition = None
        if state == "running":
            instance.launch_time = naive_utc(now)
            instance.start()
            self._speak_again(facts, now)
            facts.status_ok_at = now
        else:
            instance.stop()
            if not facts.inactive or facts.inactive[-1][1] is not None:
                facts.inactive.append((now, None))


def set_state(instance: Any, name: str) -> None:
    """Write a state into moto's instance, which has setters only for the final ones."""
    instance._state.name = name  # noqa: SLF001 - moto has no setter
    instance._state.code = STATE_CODES[name]  # noqa: SLF001 - as above
