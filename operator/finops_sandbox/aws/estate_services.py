"""Resources of an estate outside EC2: what a document says of each, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.estate_fields import age, known, tags


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
class ClusterSpec:
    """A cluster of databases; its ``members`` are named after it and numbered from 1.

    ``global_database`` names the one that it belongs to, ``replicas`` are ARNs of those in other regions.
    """

    name: str
    engine: str = "aurora-postgresql"
    mode: str = "provisioned"
    db_class: str = "db.r6g.large"
    members: int = 2
    state: str = "available"
    global_database: str = ""
    replicas: tuple[str, ...] = ()
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
class ReportsSpec:
    """REPORT lines that a function wrote: on each of the last ``days`` before today ``per_day``, of ``used`` MB."""

    per_day: int
    used: int
    days: int = 20


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A Lambda function on x86; ``versions`` are published ones, ``reports`` what stands in its log group."""

    name: str
    memory: int = 1024
    versions: int = 0
    reports: ReportsSpec | None = None
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


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A bucket; ``rules`` are lifecycle rules as S3's XML names their members."""

    name: str
    rules: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


def table(item: Mapping[str, Any], where: str) -> TableSpec:
    """Return a table of the document. Raises EstateError."""
    known(item, {"name", "read", "write", "indexes", "tags"}, f"{where}, table {item.get('name')}")
    return TableSpec(
        name=str(item["name"]),
        read=int(item.get("read", 100)),
        write=int(item.get("write", 100)),
        indexes={str(name): (int(read), int(write)) for name, (read, write) in (item.get("indexes") or {}).items()},
        tags=tags(item),
    )


def service(item: Mapping[str, Any], where: str) -> ServiceSpec:
    """Return a service of the document. Raises EstateError."""
    fields = {"name", "cluster", "desired", "scheduling", "controller", "scaled", "tags"}
    known(item, fields, f"{where}, service {item.get('name')}")
    return ServiceSpec(
        name=str(item["name"]),
        cluster=str(item.get("cluster", "main")),
        desired=int(item.get("desired", 2)),
        scheduling=str(item.get("scheduling", "REPLICA")),
        controller=str(item.get("controller", "ECS")),
        scaled=bool(item.get("scaled", False)),
        tags=tags(item),
    )


def function(item: Mapping[str, Any], where: str) -> FunctionSpec:
    """Return a function of the document. Raises EstateError."""
    here = f"{where}, function {item.get('name')}"
    known(item, {"name", "memory", "versions", "reports", "tags"}, here)
    return FunctionSpec(
        name=str(item["name"]),
        memory=int(item.get("memory", 1024)),
        versions=int(item.get("versions", 0)),
        reports=_reports(item["reports"], here) if "reports" in item else None,
        tags=tags(item),
    )


def _reports(item: Mapping[str, Any], where: str) -> ReportsSpec:
    known(item, {"perDay", "used", "days"}, f"{where}, reports")
    return ReportsSpec(int(item["perDay"]), int(item["used"]), int(item.get("days", 20)))


def database_snapshot(item: Mapping[str, Any], where: str) -> DatabaseSnapshotSpec:
    """Return a database's snapshot of the document. Raises EstateError."""
    fields = {"name", "database", "madeBy", "age", "shared", "tags"}
    known(item, fields, f"{where}, snapshot {item.get('name')}")
    return DatabaseSnapshotSpec(
        name=str(item["name"]),
        database=str(item["database"]),
        made_by=str(item.get("madeBy", "manual")),
        age=age(item.get("age", "200d")),
        shared=tuple(map(str, item.get("shared") or ())),
        tags=tags(item),
    )


def log_group(item: Mapping[str, Any], where: str) -> LogGroupSpec:
    """Return a log group of the document. Raises EstateError."""
    known(item, {"name", "retention", "tags"}, f"{where}, log group {item.get('name')}")
    return LogGroupSpec(
        name=str(item["name"]),
        retention=None if item.get("retention") is None else int(item["retention"]),
        tags=tags(item),
    )


def database(item: Mapping[str, Any], where: str) -> DatabaseSpec:
    """Return a database of the document. Raises EstateError."""
    fields = {"name", "engine", "class", "size", "state", "multiAz", "source", "maintenance", "tags"}
    known(item, fields, f"{where}, database {item.get('name')}")
    return DatabaseSpec(
        name=str(item["name"]),
        engine=str(item.get("engine", "postgres")),
        db_class=str(item.get("class", "db.m5.large")),
        size=int(item.get("size", 100)),
        state=str(item.get("state", "available")),
        multi_az=bool(item.get("multiAz", False)),
        source=str(item.get("source", "")),
        maintenance=tuple(map(str, item.get("maintenance") or ())),
        tags=tags(item),
    )


def database_cluster(item: Mapping[str, Any], where: str) -> ClusterSpec:
    """Return a cluster of databases of the document. Raises EstateError."""
    fields = {"name", "engine", "mode", "class", "members", "state", "globalDatabase", "replicas", "tags"}
    known(item, fields, f"{where}, cluster {item.get('name')}")
    return ClusterSpec(
        name=str(item["name"]),
        engine=str(item.get("engine", "aurora-postgresql")),
        mode=str(item.get("mode", "provisioned")),
        db_class=str(item.get("class", "db.r6g.large")),
        members=int(item.get("members", 2)),
        state=str(item.get("state", "available")),
        global_database=str(item.get("globalDatabase", "")),
        replicas=tuple(map(str, item.get("replicas") or ())),
        tags=tags(item),
    )


def bucket(item: Mapping[str, Any], where: str) -> BucketSpec:
    """Return a bucket of the document. Raises EstateError."""
    known(item, {"name", "rules", "tags"}, f"{where}, bucket {item.get('name')}")
    return BucketSpec(name=str(item["name"]), rules=tuple(item.get("rules") or ()), tags=tags(item))
