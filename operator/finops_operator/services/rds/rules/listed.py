"""Which rows of AWS's offer file are the figures of database instances and their storage.

Sources: those of `pricing/listed.py`, and the selectors of Infracost for databases.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from finops_operator.pricing.listed import (
    GB_MONTHLY,
    HOURLY,
    Row,
    Rule,
    Word,
    constant,
    having,
    mapped,
    spelled,
    usage_type,
)

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
    kept = having(productfamily="Database Instance", deploymentmodel=("", "NA"))
    for usage, suffix in (
        (r"(?:InstanceUsage|Multi-AZUsage|Multi-AZClusterUsage):db\..+", ""),
        (r"InstanceUsageIOOptimized:db\..+", "-iopt"),
    ):
        yield Rule(
            *("AmazonRDS", "rds", "instance_hour", "hour", HOURLY, kept, usage_type(usage)),
            (
                ("engine", _engine(suffix)),
                ("deployment", mapped("deploymentoption", _DEPLOYMENTS)),
                ("class", spelled("instancetype")),
            ),
        )
    disk = having(productfamily="Database Storage", databaseengine="Any")
    for name, usage in (
        ("gp2", "GP2-Storage"),
        ("gp3", "GP3-Storage"),
        ("io1", "PIOPS-Storage"),
        ("standard", "Storage"),
    ):
        for deployment, before in (("single-az", "RDS:"), ("multi-az", "RDS:Multi-AZ-")):
            pattern = f"{before}{usage}" if name != "standard" else f"{before}StorageUsage"
            attributes = (("volume_type", constant(name)), ("deployment", constant(deployment)))
            yield Rule("AmazonRDS", "rds", "gb_month", "gb-month", GB_MONTHLY, disk, usage_type(pattern), attributes)


LISTED: Final = tuple(_databases())
