"""What the double's accounts hold: moto's backends, plus the facts moto does not keep.

A seeded :class:`finops_sandbox.aws.estate.Estate` is the document, this is what became of it. All access happens under
``LiveEstate.lock``: moto's models are not thread-safe.
"""

import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from finops_sandbox.aws.clock import SandboxClock, aware_utc
from finops_sandbox.aws.commitment_specs import LiveCommitments
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.facts import FunctionState, InstanceFacts, LogQuery, VolumeFacts
from finops_sandbox.aws.faults import FaultBook
from finops_sandbox.aws.held import Held
from finops_sandbox.aws.written import Written

if TYPE_CHECKING:
    from finops_sandbox.aws.fleet import Fleet

_SEEDED = ("applicationautoscaling", "awslambda", "dynamodb", "ecs", "kms", "logs", "rds", "s3")
"""Services beside EC2 of which an estate holds resources, as moto names them."""


@dataclass(frozen=True, slots=True)
class Delays:
    """How long AWS takes, in seconds; small by default so that tests stay quick."""

    state_seconds: float = 0.3
    status_check_seconds: float = 0.3
    snapshot_seconds: float = 0.3
    modification_seconds: float = 0.3
    database_seconds: float = 0.3
    task_seconds: float = 0.3
    function_seconds: float = 0.3
    held_seconds: float = 0.3


@dataclass(frozen=True, slots=True)
class FurtherFacts:
    """What moto does not keep of services beside EC2.

    Attributes:
        provisioned: ARN of a function and qualifier → its provisioned concurrency.
        maintenance: account, region and name of a database → its pending actions of maintenance.
        final_snapshots: account, region and name of a database that is deleted → its final snapshot, and when that is
            available.
        pending_classes: account, region and name of a database → the class that it will have.
        clusters_due: account, region and name of a cluster of databases → its next state, and when it has it.
        databases_due: account, region and name of a database → its next state, and when it has it.
        mode_changes: account, region and name of a table → when it was changed to on-demand mode.
        deletions_due: account, region and name of a database's snapshot → when it is gone.
        functions: ARN of a function → its revision and its last change.
        tasks_due: account, region, cluster and name of a service → when as many tasks run as it wants.
        reverse_names: allocation of an address → its reverse DNS name.
        transfers: allocation of an address → the account that it is offered to.
        gateway_traffic: id of a NAT gateway → the shape of what it carries.
        locked: ids of locked snapshots.
        fast_restores: ids of snapshots with fast restore.
        bin_rules: account and region → identifier and settings of the rules of the Recycle Bin.
        gateways_due: account, region and id of a NAT gateway → when its deletion ends.
        written: answers and metrics that the estate writes out.
        quotas: account, region and code of a service quota → its limit, where it is not the usual one.
        images: account and region → id → description of an image that the estate holds.
        image_shares: id of an image → accounts that may launch it.
        log_queries: account, region and id of a query of logs → its state.
        commitments: Reserved Instances, capacity reservations and Savings Plans.
        held: account and region → what the double holds itself, by kind and name.
        held_ever: account and region → kinds that the estate has held there, those deleted since among them.
    """

    provisioned: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    maintenance: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    databases_due: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)
    final_snapshots: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)
    pending_classes: dict[tuple[str, str, str], str] = field(default_factory=dict)
    clusters_due: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)
    mode_changes: dict[tuple[str, str, str], list[datetime]] = field(default_factory=dict)
    deletions_due: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    functions: dict[str, FunctionState] = field(default_factory=dict)
    tasks_due: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    reverse_names: dict[str, str] = field(default_factory=dict)
    transfers: dict[str, str] = field(default_factory=dict)
    gateway_traffic: dict[str, str] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    fast_restores: set[str] = field(default_factory=set)
    bin_rules: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    gateways_due: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    written: Written = field(default_factory=Written)
    quotas: dict[tuple[str, str, str], int] = field(default_factory=dict)
    images: dict[tuple[str, str], dict[str, dict[str, Any]]] = field(default_factory=dict)
    image_shares: dict[str, tuple[str, ...]] = field(default_factory=dict)
    volume_tokens: dict[tuple[str, str, str], tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    log_queries: dict[tuple[str, str, str], LogQuery] = field(default_factory=dict)
    commitments: LiveCommitments = field(default_factory=LiveCommitments)
    held: Held = field(default_factory=dict)
    held_ever: dict[tuple[str, str], set[str]] = field(default_factory=dict)


class LiveEstate:
    """All accounts of the double, as they are now."""

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
        self.further = FurtherFacts()

    def clear(self) -> None:
        """Forget everything, moto's state included."""
        # Imported late: moto takes more than a second, and only a running double needs it.
        from moto.ec2.models import ec2_backends  # noqa: PLC0415

        with self.lock:
            ec2_backends.reset()
            for service in _SEEDED:
                # What nobody has asked for yet holds nothing, and need not be loaded to be emptied.
                if models := sys.modules.get(f"moto.{service}.models"):
                    # Lambda's folder has another name than its backends, because its own is a word of Python.
                    getattr(models, f"{service.removeprefix('aws')}_backends").reset()
            for store in (self.instances, self.volumes, self.snapshots_due, self.fleets, self.regions):
                store.clear()
            self.further = FurtherFacts()

    def backend(self, account: str, region: str) -> Any:
        """Moto's EC2 backend of one account and region."""
        from moto.ec2.models import ec2_backends  # noqa: PLC0415

        return ec2_backends[account][region]

    def is_enabled(self, account: str, region: str) -> bool:
        """An account that names no regions has all of them."""
        regions = self.regions.get(account, ())
        return not regions or region in regions

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
        # A plain get: moto's tag store is a defaultdict, and a read must not create.
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
