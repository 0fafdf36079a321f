"""What an estate says of services beside EC2; read by :mod:`finops_sandbox.aws.estate`, seeded one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A bucket; ``rules`` are lifecycle rules as S3's XML names their members."""

    name: str
    rules: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogGroupSpec:
    """A log group; ``retention`` None means that it keeps its events for ever."""

    name: str
    retention: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """A database instance of RDS that is no member of a cluster; a replica names its ``source``.

    ``maintenance`` names the actions of maintenance that are pending, such as ``system-update``.
    """

    name: str
    engine: str = "postgres"
    db_class: str = "db.m5.large"
    size: int = 100
    state: str = "available"
    multi_az: bool = False
    source: str = ""
    maintenance: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A service on Fargate; ``scaled`` says that Application Auto Scaling sets its count."""

    name: str
    cluster: str = "main"
    desired: int = 2
    scheduling: str = "REPLICA"
    controller: str = "ECS"
    scaled: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A Lambda function on x86; ``versions`` are published ones."""

    name: str
    memory: int = 1024
    versions: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DatabaseSnapshotSpec:
    """A snapshot of a database of the same place; ``shared`` are accounts that may restore it."""

    name: str
    database: str
    made_by: str = "manual"
    age: timedelta = timedelta(days=200)
    shared: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table with provisioned capacity; ``indexes`` maps names to read and write units."""

    name: str
    read: int = 100
    write: int = 100
    indexes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
