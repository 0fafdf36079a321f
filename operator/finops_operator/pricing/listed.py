"""Which rows of AWS's offer files are the figures of our tables; pure.

Read by `finops prices refresh`. A rule names fields of the offer files by AWS's words, as the Price List Query API
spells them; the columns of a CSV file are the same words with blanks and capitals (`Product Family` is
`productFamily`). What cannot be named for certain has no rule and keeps the figure of the bundled tables. Kinds name
further figures by their `offers`.

Sources: "Reading the service price list file" (Billing user guide); fields and usage types as the offer files and Cost
and Usage Reports spell them; the selectors of Infracost and Karpenter for instances, volumes and databases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from finops_operator.pricing.offers import GB_MONTHS, GIGABYTES, HOURS, Offer, Offers

Row: TypeAlias = Callable[[str], str]
"""Field → its word in a row, empty where the file has no such column."""
Word: TypeAlias = Callable[[Row, Mapping[str, str]], str]
"""Row and the named parts of its usage type → the value of an attribute, empty where it is another product."""
Figure: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""Service, dimension and attributes, in our words."""

ANY_REGION: Final = r"(?:[A-Z]{2,4}\d?-)?"
"""How a usage type begins in regions other than us-east-1; those of Local Zones and Outposts are longer."""
_ONE: Final = Decimal(1)
_MIB_PER_GIB: Final = Decimal(1024)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one sort of figure is found.

    Attributes:
        code: the service code of the offer file.
        service, dimension, unit: in our words.
        published: AWS's unit, in lower case → how many of ours it is.
        fields: field → the words that it may have.
        usage: of the usage type without its region.
        attributes: name → its value in a row.
        begins: the unit of a month with which the step begins that is meant; None: one price for all units.
    """

    code: str
    service: str
    dimension: str
    unit: str
    published: Mapping[str, Decimal]
    fields: tuple[tuple[str, frozenset[str]], ...]
    usage: re.Pattern[str]
    attributes: tuple[tuple[str, Word], ...] = ()
    begins: Decimal | None = None

    def figure(self, row: Row) -> Figure | None:
        """Return the figure that a row is of, None where it is of another product."""
        if not all(row(name) in words for name, words in self.fields):
            return None
        found = self.usage.fullmatch(row("usagetype"))
        if found is None:
            return None
        parts = {name: text or "" for name, text in found.groupdict().items()}
        values = tuple((name, word(row, parts)) for name, word in self.attributes)
        return (self.service, self.dimension, values) if all(value for _, value in values) else None


def _usage(pattern: str) -> re.Pattern[str]:
    return re.compile(ANY_REGION + pattern)


def _is(value: str) -> Word:
    return lambda _row, _parts: value


def _part(name: str) -> Word:
    return lambda _row, parts: parts[name]


def _field(name: str) -> Word:
    return lambda row, _parts: row(name)


def _mapped(name: str, words: Mapping[str, str]) -> Word:
    return lambda row, _parts: words.get(row(name), "")


def _fields(**words: str | tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((name, frozenset((word,) if isinstance(word, str) else word)) for name, word in words.items())


def _per(units: frozenset[str], amount: Decimal = _ONE) -> dict[str, Decimal]:
    return dict.fromkeys(units, amount)


_HOURLY: Final = _per(HOURS)
_GB_MONTHLY: Final = _per(GB_MONTHS)
_PER_GB: Final = _per(GIGABYTES)
_IOPS_MONTHLY: Final = _per(frozenset({"iops-mo", "iops-month"}))
_THROUGHPUT: Final = {
    **_per(frozenset({"mibps-mo", "mibps-month", "mbps-mo", "mbps-month"})),
    **_per(frozenset({"gibps-mo", "gibps-month"}), _MIB_PER_GIB),
}
_REQUESTS: Final = _per(frozenset({"request", "requests"}))
_EC2: Final = "AmazonEC2"
_SYSTEMS: Final = {
    "RunInstances": "linux",
    "RunInstances:0002": "windows",
    "RunInstances:0010": "rhel",
    "RunInstances:000g": "suse",
}
"""Operation of an instance without further licences → our word for its system."""


def _instances() -> Iterator[Rule]:
    yield Rule(
        _EC2,
        *("ec2", "instance_hour", "hour", _HOURLY),
        _fields(
            productfamily=("Compute Instance", "Compute Instance (bare metal)"),
            tenancy="Shared",
            capacitystatus="Used",
            preinstalledsw="NA",
            marketoption=("OnDemand", ""),
        ),
        _usage(r"BoxUsage(?::.+)?"),
        (("os", _mapped("operation", _SYSTEMS)), ("instance_type", _field("instancetype"))),
    )
    yield Rule(
        _EC2,
        *("ec2-cpu-credits", "surplus_credit_vcpu_hour", "vcpu-hour", _per(frozenset({"vcpu-hours", "vcpu-hour"}))),
        _fields(productfamily="CPU Credits"),
        _usage(r"CPUCredits:(?P<family>t\w+)"),
        (("family", _part("family")), ("os", _mapped("operatingsystem", {"Linux": "linux", "Windows": "windows"}))),
    )


def _volumes() -> Iterator[Rule]:
    of = ("volume_type", _field("volumeapiname"))
    storage, system = _fields(productfamily="Storage"), _fields(productfamily="System Operation")
    yield Rule(
        _EC2, "ebs", "gb_month", "gb-month", _GB_MONTHLY, storage, _usage(r"EBS:VolumeUsage(?:\.(?:\w+))?"), (of,)
    )
    yield Rule(
        *(_EC2, "ebs", "iops_month", "iops-month", _IOPS_MONTHLY, system),
        *(_usage(r"EBS:VolumeP-IOPS\.(?:piops|io2|gp3)"), (of,)),
    )
    for tier in ("tier2", "tier3"):
        yield Rule(
            *(_EC2, "ebs", f"iops_month_{tier}", "iops-month", _IOPS_MONTHLY, system),
            *(_usage(rf"EBS:VolumeP-IOPS\.io2\.{tier}"), (of,)),
        )
    yield Rule(
        *(_EC2, "ebs", "throughput_mibps_month", "mibps-month", _THROUGHPUT),
        *(_fields(productfamily="Provisioned Throughput"), _usage(r"EBS:VolumeP-Throughput\.gp3"), (of,)),
    )
    snapshots = _fields(productfamily="Storage Snapshot")
    for dimension, usage in (
        ("snapshot_gb_month", r"EBS:SnapshotUsage"),
        ("snapshot_archive_gb_month", r"EBS:SnapshotArchiveStorage"),
    ):
        yield Rule(_EC2, "ebs", dimension, "gb-month", _GB_MONTHLY, snapshots, _usage(usage))


def _networks() -> Iterator[Rule]:
    # One for a whole region (`RegionalNatGateway`) has the same usage types and prices of its own.
    gateway = _fields(productfamily="NAT Gateway", operation="NatGateway")
    yield Rule(_EC2, "nat-gateway", "hour", "hour", _HOURLY, gateway, _usage("NatGateway-Hours"))
    yield Rule(_EC2, "nat-gateway", "data_processed", "gb", _PER_GB, gateway, _usage("NatGateway-Bytes"))
    for dimension, usage in (("public_ipv4_hour", "InUseAddress"), ("idle_public_ipv4_hour", "IdleAddress")):
        yield Rule("AmazonVPC", "vpc", dimension, "hour", _HOURLY, (), _usage(f"PublicIPv4:{usage}"))
    yield Rule(
        *("AmazonVPC", "vpc-endpoint", "interface_az_hour", "hour", _HOURLY),
        *(_fields(productfamily="VpcEndpoint"), _usage("VpcEndpoint-Hours")),
    )
    for word, operation in (
        ("application", "LoadBalancing:Application"),
        ("network", "LoadBalancing:Network"),
        ("classic", "LoadBalancing"),
    ):
        fields, attributes = _fields(operation=operation), (("type", _is(word)),)
        yield Rule("AWSELB", "elb", "hour", "hour", _HOURLY, fields, _usage("LoadBalancerUsage"), attributes)
        if word != "classic":
            units = _per(frozenset({"lcu-hrs", "lcu-hours", "lcu-hour", "nlcu-hrs", "nlcu-hours", "hrs", "hours"}))
            yield Rule("AWSELB", "elb", "lcu_hour", "lcu-hour", units, fields, _usage("LCUUsage"), attributes)


_ENGINES: Final = {
    ("MySQL", "", "No license required"): "mysql",
    ("PostgreSQL", "", "No license required"): "postgres",
    ("MariaDB", "", "No license required"): "mariadb",
    ("Oracle", "Standard Two", "License included"): "oracle-se2",
    ("Oracle", "Standard Two", "Bring your own license"): "oracle-se2-byol",
    ("SQL Server", "Standard", "License included"): "sqlserver-se",
    ("SQL Server", "Web", "License included"): "sqlserver-web",
    ("SQL Server", "Enterprise", "License included"): "sqlserver-ee",
    ("SQL Server", "Express", "License included"): "sqlserver-ex",
    ("Aurora MySQL", "", "No license required"): "aurora-mysql",
    ("Aurora PostgreSQL", "", "No license required"): "aurora-postgresql",
}
_DEPLOYMENTS: Final = {
    "Single-AZ": "single-az",
    "Multi-AZ": "multi-az",
    "Multi-AZ (readable standbys)": "multi-az-readable",
}


def _engine(suffix: str) -> Word:
    def engine(row: Row, _parts: Mapping[str, str]) -> str:
        found = _ENGINES.get((row("databaseengine"), row("databaseedition"), row("licensemodel")), "")
        aurora = found.startswith("aurora-")
        return f"{found}{suffix}" if found and (aurora or not suffix) else ""

    return engine


def _databases() -> Iterator[Rule]:
    kept = _fields(productfamily="Database Instance", deploymentmodel=("", "NA"))
    for usage, suffix in (
        (r"(?:InstanceUsage|Multi-AZUsage|Multi-AZClusterUsage):db\..+", ""),
        (r"InstanceUsageIOOptimized:db\..+", "-iopt"),
    ):
        yield Rule(
            *("AmazonRDS", "rds", "instance_hour", "hour", _HOURLY, kept, _usage(usage)),
            (
                ("engine", _engine(suffix)),
                ("deployment", _mapped("deploymentoption", _DEPLOYMENTS)),
                ("class", _field("instancetype")),
            ),
        )
    disk = _fields(productfamily="Database Storage", databaseengine="Any")
    for name, usage in (
        ("gp2", "GP2-Storage"),
        ("gp3", "GP3-Storage"),
        ("io1", "PIOPS-Storage"),
        ("standard", "Storage"),
    ):
        for deployment, before in (("single-az", "RDS:"), ("multi-az", "RDS:Multi-AZ-")):
            pattern = f"{before}{usage}" if name != "standard" else f"{before}StorageUsage"
            attributes = (("volume_type", _is(name)), ("deployment", _is(deployment)))
            yield Rule("AmazonRDS", "rds", "gb_month", "gb-month", _GB_MONTHLY, disk, _usage(pattern), attributes)


def _nodes() -> Iterator[Rule]:
    engines = {"Redis": "redis", "Memcached": "memcached", "Valkey": "valkey"}
    yield Rule(
        *("AmazonElastiCache", "elasticache", "node_hour", "hour", _HOURLY),
        *(_fields(productfamily="Cache Instance"), _usage(r"NodeUsage:cache\..+")),
        (("node_type", _field("instancetype")), ("engine", _mapped("cacheengine", engines))),
    )
    yield Rule(
        *("AmazonES", "opensearch", "instance_hour", "hour", _HOURLY),
        *(_fields(productfamily="Amazon OpenSearch Service Instance"), _usage(r"ESInstance:.+")),
        (("instance_type", _field("instancetype")),),
    )
    yield Rule(
        *("AmazonRedshift", "redshift", "node_hour", "hour", _HOURLY),
        *(_fields(productfamily="Compute Instance"), _usage(r"Node:(?P<type>\w+\.\w+)")),
        (("node_type", _part("type")),),
    )
    yield Rule(
        *("AmazonMSK", "msk", "broker_hour", "hour", _HOURLY, (), _usage(r"Kafka\.(?P<type>[a-z]\w*\.\w+)")),
        (("instance_type", _part("type")),),
    )


_OBJECTS: Final = (
    ("standard_first_50tb", "TimedStorage-ByteHrs", "0"),
    ("standard_next_450tb", "TimedStorage-ByteHrs", "51200"),
    ("standard_over_500tb", "TimedStorage-ByteHrs", "512000"),
    ("standard_ia", "TimedStorage-SIA-ByteHrs", ""),
    ("onezone_ia", "TimedStorage-ZIA-ByteHrs", ""),
    ("glacier_instant", "TimedStorage-GIR-ByteHrs", ""),
    ("glacier_flexible", "TimedStorage-GlacierByteHrs", ""),
    ("deep_archive", "TimedStorage-GDA-ByteHrs", ""),
    ("intelligent_frequent_first_50tb", "TimedStorage-INT-FA-ByteHrs", "0"),
    ("intelligent_infrequent", "TimedStorage-INT-IA-ByteHrs", ""),
    ("intelligent_archive_instant", "TimedStorage-INT-AIA-ByteHrs", ""),
)
_DURATIONS: Final = (
    ("x86_gb_second_tier1", "", "0"),
    ("x86_gb_second_tier2", "", "6000000000"),
    ("arm_gb_second_tier1", "-ARM", "0"),
    ("arm_gb_second_tier2", "-ARM", "7500000000"),
)


def _storage_and_functions() -> Iterator[Rule]:
    stored = _fields(productfamily="Storage")
    for dimension, of, begins in _OBJECTS:
        first = Decimal(begins) if begins else None
        yield Rule("AmazonS3", "s3", dimension, "gb-month", _GB_MONTHLY, stored, _usage(of), begins=first)
    seconds = _per(frozenset({"lambda-gb-second", "gb-second", "gb-seconds", "seconds"}))
    for dimension, processor, begins in _DURATIONS:
        group, usage = _fields(group=f"AWS-Lambda-Duration{processor}"), _usage(f"Lambda-GB-Second{processor}")
        yield Rule("AWSLambda", "lambda", dimension, "gb-second", seconds, group, usage, begins=Decimal(begins))
    yield Rule(
        "AWSLambda", "lambda", "request", "request", _REQUESTS, _fields(group="AWS-Lambda-Requests"), _usage("Request")
    )


TABLED: Final = (
    *_instances(),
    *_volumes(),
    *_networks(),
    *_databases(),
    *_nodes(),
    *_storage_and_functions(),
)


def rules(offers: Offers) -> tuple[Rule, ...]:
    """Return the rules of the tables and of what kinds name beside them."""
    return (*TABLED, *(_of_offer(*figure, offer) for figure, offer in offers.items()))


def _of_offer(service: str, dimension: str, offer: Offer) -> Rule:
    """Return the rule for what an offer names: values in braces are parts of the usage type."""
    usage = re.escape(offer.usage)
    for name in offer.named:
        usage = usage.replace(re.escape("{" + name + "}"), f"(?P<{name}>.+)")
    fixed = tuple(one for one in offer.filters if not any("{" + name + "}" in one[1] for name in offer.named))
    attributes = tuple((name, _named(name, offer)) for name in offer.named) or tuple(
        (name, _is(value)) for name, value in offer.attributes
    )
    return Rule(
        offer.service_code,
        service,
        dimension,
        offer.unit,
        _per(offer.published),
        tuple((name.lower(), frozenset({word})) for name, word in fixed),
        re.compile(f"{ANY_REGION}(?i:{usage})"),
        attributes,
        offer.begins,
    )


def _named(name: str, offer: Offer) -> Word:
    """Return the value of an attribute: as a field spells it, and the usage type must be the one that it makes."""
    field = next((one for one, word in offer.filters if word == "{" + name + "}"), "")

    def value(row: Row, parts: Mapping[str, str]) -> str:
        spelled = row(field.lower()) if field else parts[name]
        return spelled if spelled.casefold() == parts.get(name, spelled).casefold() else ""

    return value
