"""What AWS knows of instances, volumes and functions and moto does not keep.

Kept by :class:`finops_sandbox.aws.live_estate.LiveEstate`, beside moto's own models and under the same lock.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

Period = tuple[datetime, datetime | None]
"""From when until when; None: it lasts."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A state change under way; ``failure`` is the reason when a start ends in stopped."""

    target: str
    due: datetime
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """How busy an instance is. The words name functions of :mod:`finops_sandbox.aws.metrics`."""

    cpu: str = "steady"
    network: str = "normal"
    memory: str = ""
    memory_dimensions: str = "instance"
    surplus_credits: str = "zero"


@dataclass(frozen=True, slots=True)
class Platform:
    """What an instance was launched from, as billing and ``DescribeInstances`` name it."""

    details: str = "Linux/UNIX"
    usage_operation: str = "RunInstances"
    ena_support: bool = True


@dataclass(slots=True)
class InstanceFacts:
    """What moto's instance does not know; ``not_running`` are the periods without metrics."""

    created: datetime
    load: Load = Load()
    platform: Platform = Platform()
    managed_by: str = ""
    not_running: list[Period] = field(default_factory=list)
    transition: Transition | None = None
    status_ok_at: datetime | None = None
    terminated_at: datetime | None = None

    def ends_running(self, moment: datetime) -> None:
        """Begin a period without metrics, unless one has begun already."""
        if not self.not_running or self.not_running[-1][1] is not None:
            self.not_running.append((moment, None))

    def begins_running(self, moment: datetime) -> None:
        """End the period without metrics, if one lasts."""
        if self.not_running and self.not_running[-1][1] is None:
            self.not_running[-1] = (self.not_running[-1][0], moment)


@dataclass(slots=True)
class FunctionState:
    """What moto does not keep of a function: its revision, and when its last change is applied; None: it is."""

    revision: str = field(default_factory=lambda: str(uuid.uuid4()))
    applied: datetime | None = None


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
    attached: list[Period] = field(default_factory=list)
    customer_key: str = ""
    available_at: datetime | None = None
    modifications: list[Modification] = field(default_factory=list)

    def detach(self, moment: datetime, not_running: Iterable[Period]) -> None:
        """End the latest attachment, if it lasts; what stays of it is when its instance ran: only then it reported."""
        if not self.attached or self.attached[-1][1] is not None:
            return
        start, _ = self.attached.pop()
        for stopped, started in not_running:
            if stopped > start:
                self.attached.append((start, stopped))
            start = max(start, started or moment)
        if start < moment:
            self.attached.append((start, moment))


@dataclass(slots=True)
class LogQuery:
    """A query of log groups between two times in seconds; it runs until its answer was asked for once."""

    groups: tuple[str, ...]
    start: int
    end: int
    status: str = "Running"
    asked: bool = False
