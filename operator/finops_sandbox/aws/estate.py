"""An estate: accounts, roles and resources from a YAML document. Checked here, put into moto by the seeding module.

Ids are made from account, region and name, so a test or a demo can name a resource before the double runs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from finops_sandbox.aws import estate_services, roles, written
from finops_sandbox.aws.commitment_specs import PLACE_FIELDS, CommitmentSpecs, commitment_specs
from finops_sandbox.aws.estate_fields import EstateError, age, counted, known, shape, tags
from finops_sandbox.aws.held import HeldSpec, held_spec

SAMPLE_ESTATE = Path(__file__).resolve().parent.parent / "estates" / "sample.yaml"
_PREFIX = {
    "instance": "i-",
    "volume": "vol-",
    "snapshot": "snap-",
    "address": "eipalloc-",
    "nat-gateway": "nat-",
    "image": "ami-",
}


@dataclass(frozen=True, slots=True)
class VolumeSpec:
    """A volume; ``detached`` None means attached, or never attached for a volume that stands alone."""

    name: str
    size: int = 20
    volume_type: str = "gp3"
    iops: int | None = None
    throughput: int | None = None
    operations: str = "ops_busy"
    age: timedelta = timedelta(days=90)
    detached: timedelta | None = None
    customer_key: str = ""
    delete_on_termination: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """An instance with its volumes, the first of which is the root."""

    name: str
    instance_type: str
    zone: str = "a"
    os: str = "linux"
    state: str = "running"
    age: timedelta = timedelta(days=90)
    cpu: str = "steady"
    network: str = "normal"
    memory: str = ""
    memory_dimensions: str = "instance"
    surplus_credits: str = "zero"
    detailed_monitoring: bool = False
    tenancy: str = "default"
    public_ip: bool = False
    managed_by: str = ""
    protect_stop: bool = False
    protect_termination: bool = False
    root_device: str = "ebs"
    ena: bool = True
    spot: bool = False
    architecture: str = "x86_64"
    tags: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[VolumeSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotSpec:
    """A snapshot of a volume of the same place."""

    name: str
    volume: str
    age: timedelta = timedelta(days=30)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressSpec:
    """An elastic address, with or without an instance."""

    name: str
    instance: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NatGatewaySpec:
    """A NAT gateway with an address of its own; ``traffic`` is the shape of what it carries."""

    name: str
    age: timedelta = timedelta(days=90)
    traffic: str = "zero"
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """A machine image of the account."""

    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """One account in one region."""

    account: str
    region: str
    instances: tuple[InstanceSpec, ...]
    volumes: tuple[VolumeSpec, ...]
    snapshots: tuple[SnapshotSpec, ...]
    addresses: tuple[AddressSpec, ...]
    log_groups: tuple[estate_services.LogGroupSpec, ...] = ()
    databases: tuple[estate_services.DatabaseSpec, ...] = ()
    tables: tuple[estate_services.TableSpec, ...] = ()
    services: tuple[estate_services.ServiceSpec, ...] = ()
    functions: tuple[estate_services.FunctionSpec, ...] = ()
    database_snapshots: tuple[estate_services.DatabaseSnapshotSpec, ...] = ()
    nat_gateways: tuple[NatGatewaySpec, ...] = ()
    buckets: tuple[estate_services.BucketSpec, ...] = ()
    database_clusters: tuple[estate_services.ClusterSpec, ...] = ()
    answers: tuple[written.WrittenAnswer, ...] = ()
    metrics: tuple[written.WrittenMetric, ...] = ()
    held: tuple[HeldSpec, ...] = ()
    images: tuple[ImageSpec, ...] = ()
    commitments: CommitmentSpecs = field(default_factory=CommitmentSpecs)


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role: whom it trusts and what it may do."""

    arn: str
    trust: Mapping[str, Any]
    policies: tuple[Mapping[str, Any], ...]
    max_duration_seconds: int = 3600


@dataclass(frozen=True, slots=True)
class UserSpec:
    """A static key."""

    arn: str
    access_key: str
    secret_key: str
    policies: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Estate:
    """A whole estate; accounts map to their enabled regions, none meaning all."""

    accounts: Mapping[str, tuple[str, ...]]
    names: Mapping[str, str]
    users: tuple[UserSpec, ...]
    roles: tuple[RoleSpec, ...]
    places: tuple[Place, ...]
    faults: tuple[Mapping[str, Any], ...]


def resource_id(kind: str, account: str, region: str, name: str) -> str:
    """The id that a named resource of an estate gets; kind is a key of `_PREFIX`.

    A volume of an instance is named ``INSTANCE/0``, ``INSTANCE/1``, …; the n-th of ``count`` resources ``NAME-n``.
    """
    digest = hashlib.sha256(f"{account}/{region}/{kind}/{name}".encode()).hexdigest()[:16]
    return f"{_PREFIX[kind]}0{digest}"


def empty_document() -> dict[str, Any]:
    """Two accounts with their roles and no resources."""
    return {"accounts": {"111111111111": {"name": "production"}, "222222222222": {"name": "staging"}}}


def load_estate(source: Path | Mapping[str, Any] | None) -> Estate:
    """Read and check an estate.

    Raises:
        EstateError: naming what is wrong.
        OSError: when the file cannot be read.
    """
    document: Any = empty_document() if source is None else source
    if isinstance(source, Path):
        document = yaml.safe_load(source.read_text(encoding="utf-8"))
    if not isinstance(document, Mapping) or not isinstance(document.get("accounts"), Mapping):
        raise EstateError("an estate needs accounts")
    known(document, {"accounts", "externalId", "users", "resources", "faults"}, "estate")
    accounts = {str(account): dict(spec or {}) for account, spec in document["accounts"].items()}
    names = {str(spec.get("name", account)): account for account, spec in accounts.items()}
    external_id = str(document.get("externalId", roles.EXTERNAL_ID))
    places = tuple(_place(item, accounts, names) for item in document.get("resources") or [])
    return Estate(
        accounts={account: tuple(spec.get("regions") or ()) for account, spec in accounts.items()},
        names={account: name for name, account in names.items()},
        users=tuple(_users(document.get("users"))),
        roles=tuple(_roles(accounts, external_id)),
        places=places,
        faults=tuple(_fault(item, names) for item in document.get("faults") or []),
    )


def _users(documents: Any) -> Iterator[UserSpec]:
    if documents is None:
        yield UserSpec(roles.BASE_USER_ARN, roles.BASE_ACCESS_KEY, roles.BASE_SECRET_KEY, (roles.base_policy(),))
        policies = (roles.scanner_policy(), roles.base_policy())
        yield UserSpec(roles.ENGINEER_ARN, roles.ENGINEER_ACCESS_KEY, roles.ENGINEER_SECRET_KEY, policies)
        return
    for item in documents:
        policies = tuple(item.get("policies") or (roles.base_policy(),))
        yield UserSpec(str(item["arn"]), str(item["accessKey"]), str(item["secretKey"]), policies)


def _roles(accounts: Mapping[str, Mapping[str, Any]], external_id: str) -> Iterator[RoleSpec]:
    for account, spec in accounts.items():
        known(spec, {"name", "regions", "roles"}, f"account {account}")
        default: dict[str, dict[str, Any]] = {
            roles.SCANNER_ROLE: {"policies": [roles.scanner_policy()]},
            roles.EXECUTOR_ROLE: {"policies": [roles.executor_policy(account)]},
        }
        for name, role in {**default, **(spec.get("roles") or {})}.items():
            said = role or {}
            fields = {"policies", "trust", "trusted", "externalId", "maxDurationSeconds"}
            known(said, fields, f"account {account}, role {name}")
            trusted = list(said.get("trusted") or [roles.BASE_USER_ARN, roles.ENGINEER_ARN])
            trust = said.get("trust") or roles.trust_policy(trusted, str(said.get("externalId", external_id)))
            policies = tuple(said.get("policies") or default.get(name, {}).get("policies") or ())
            arn = f"arn:aws:iam::{account}:role/{name}"
            yield RoleSpec(arn, trust, policies, int(said.get("maxDurationSeconds", 3600)))


def _place(item: Mapping[str, Any], accounts: Mapping[str, Any], names: Mapping[str, str]) -> Place:
    of_ec2 = {"instances", "volumes", "snapshots", "addresses", "natGateways", "images"}
    databases = {"databases", "databaseSnapshots", "databaseClusters"}
    others = {"logGroups", "tables", "services", "functions", "buckets"}
    known(
        item,
        {"account", "region", "answers", "metrics", "held"} | databases | others | of_ec2 | PLACE_FIELDS,
        "resources",
    )
    account = names.get(str(item.get("account")), str(item.get("account")))
    if account not in accounts:
        raise EstateError(f"resources: unknown account {item.get('account')!r}")
    region = str(item.get("region", ""))
    where = f"{account}/{region}"
    return Place(
        account,
        region,
        tuple(_instance(one, where) for one in counted(item.get("instances"))),
        tuple(_volume(one, str(one["name"]), where) for one in counted(item.get("volumes"))),
        tuple(
            SnapshotSpec(str(one["name"]), str(one["volume"]), age(one.get("age", "30d")), tags(one))
            for one in item.get("snapshots") or []
        ),
        tuple(
            AddressSpec(str(one["name"]), str(one.get("instance", "")), tags(one))
            for one in item.get("addresses") or []
        ),
        tuple(estate_services.log_group(one, where) for one in counted(item.get("logGroups"))),
        tuple(estate_services.database(one, where) for one in counted(item.get("databases"))),
        tuple(estate_services.table(one, where) for one in counted(item.get("tables"))),
        tuple(estate_services.service(one, where) for one in counted(item.get("services"))),
        tuple(estate_services.function(one, where) for one in counted(item.get("functions"))),
        tuple(estate_services.database_snapshot(one, where) for one in counted(item.get("databaseSnapshots"))),
        tuple(_nat_gateway(one, where) for one in counted(item.get("natGateways"))),
        tuple(estate_services.bucket(one, where) for one in counted(item.get("buckets"))),
        tuple(estate_services.database_cluster(one, where) for one in counted(item.get("databaseClusters"))),
        tuple(written.answer(one, where) for one in item.get("answers") or []),
        tuple(written.metric(one, where) for one in item.get("metrics") or []),
        tuple(held_spec(one, where) for one in item.get("held") or []),
        tuple(ImageSpec(str(one["name"]), tags(one)) for one in item.get("images") or []),
        commitment_specs(item, where),
    )


def _nat_gateway(item: Mapping[str, Any], where: str) -> NatGatewaySpec:
    where = f"{where}, NAT gateway {item.get('name')}"
    known(item, {"name", "age", "traffic", "tags"}, where)
    return NatGatewaySpec(
        name=str(item["name"]),
        age=age(item.get("age", "90d")),
        traffic=shape(item, "traffic", "zero", where),
        tags=tags(item),
    )


def _volume(item: Mapping[str, Any], name: str, where: str) -> VolumeSpec:
    fields = {"name", "size", "type", "iops", "throughput", "ops", "age", "detached", "key", "tags"}
    known(item, fields | {"deleteOnTermination"}, f"{where}, volume {name}")
    detached = item.get("detached")
    return VolumeSpec(
        name=name,
        size=int(item.get("size", 20)),
        volume_type=str(item.get("type", "gp3")),
        iops=item.get("iops"),
        throughput=item.get("throughput"),
        operations=shape(item, "ops", "ops_busy", f"{where}, volume {name}"),
        age=age(item.get("age", "90d")),
        detached=None if detached is None else age(detached),
        customer_key=str(item.get("key", "")),
        delete_on_termination=bool(item.get("deleteOnTermination", True)),
        tags=tags(item),
    )


_INSTANCE_FIELDS = {
    "name": "name",
    "type": "instance_type",
    "zone": "zone",
    "os": "os",
    "state": "state",
    "memoryDimensions": "memory_dimensions",
    "tenancy": "tenancy",
    "detailedMonitoring": "detailed_monitoring",
    "publicIp": "public_ip",
    "managedBy": "managed_by",
    "protectStop": "protect_stop",
    "protectTermination": "protect_termination",
    "rootDevice": "root_device",
    "ena": "ena",
    "spot": "spot",
    "architecture": "architecture",
}


def _instance(item: Mapping[str, Any], where: str) -> InstanceSpec:
    where = f"{where}, instance {item.get('name')}"
    known(item, {*_INSTANCE_FIELDS, "age", "cpu", "network", "memory", "surplusCredits", "tags", "volumes"}, where)
    if "name" not in item or "type" not in item:
        raise EstateError(f"{where}: name and type are required")
    plain: dict[str, Any] = {_INSTANCE_FIELDS[key]: item[key] for key in _INSTANCE_FIELDS if key in item}
    name = str(item["name"])
    volumes = item.get("volumes") or [{}]
    return InstanceSpec(
        **plain,
        age=age(item.get("age", "90d")),
        cpu=shape(item, "cpu", "steady", where),
        network=shape(item, "network", "normal", where),
        memory=shape(item, "memory", "", where),
        surplus_credits=shape(item, "surplusCredits", "zero", where),
        tags=tags(item),
        volumes=tuple(
            _volume({"age": item.get("age", "90d"), **one}, f"{name}/{number}", where)
            for number, one in enumerate(volumes)
        ),
    )


def _fault(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A fault as the control API takes it; account by name and ``instance`` by name are turned into ids."""
    fault = dict(item)
    if "account" in fault:
        fault["account"] = names.get(str(fault["account"]), str(fault["account"]))
    if "instance" in fault:
        name = str(fault.pop("instance"))
        fault["resource"] = resource_id("instance", str(fault["account"]), str(fault["region"]), name)
    return fault
