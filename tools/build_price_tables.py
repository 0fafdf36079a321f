"""Compile price and instance-type CSV files into the compact tables that ship in the wheel.

Run by a maintainer when the figures are collected anew, and by checks (`--check` compares and writes nothing). The
output is deterministic: the same CSV files always give the same bytes.

Inputs in `data/aws-prices`, or in the folder of `--data`, packed (`NAME.csv.xz`) or plain (`NAME.csv`): the files of
`INPUTS`.
Outputs in `operator/finops_operator/pricing/data`: `prices-REGION.jsonl.gz` (one line per service, so that a reader
parses only the services it asks about; `global` holds what costs the same everywhere), `surcharges.json.gz`,
`instance-types.json.gz`, `database-classes.json.gz` and `sources.json`, which names where figures come from and holds a
digest of the rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import lzma
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = ROOT / "operator" / "finops_operator" / "pricing" / "data"
DATA: Final = ROOT / "data" / "aws-prices"
INPUTS: Final = (
    "ec2_on_demand.csv",
    "ec2_os_surcharge.csv",
    "ebs.csv",
    "elb.csv",
    "other.csv",
    "rds_on_demand.csv",
    "rds_storage.csv",
    "rds_classes.csv",
    "instance_types.csv",
)
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SOURCE: Final = re.compile(r"derived|[\w.-]+/[\w.-]+")
"""A figure whose origin nobody can read is not bundled."""

GLOBAL: Final = "global"
"""Stands for the region of figures that are the same in all regions, `*` in the CSV files."""

UNITS: Final = {
    "alarm_month": "alarm-month",
    "gb": "gb",
    "gb_hour": "gb-hour",
    "gb_month": "gb-month",
    "gb_second": "gb-second",
    "hour": "hour",
    "key_month": "key-month",
    "metric_month": "metric-month",
    "metric_requested": "metric",
    "metric_update": "metric-update",
    "object_month": "object-month",
    "request": "request",
    "request_unit": "request-unit",
    "secret_month": "secret-month",
    "vcpu_hour": "vcpu-hour",
}
"""Unit of `other.csv` → unit of the figure in our words; another one stops the build."""

DIMENSION_UNITS: Final = {
    "gb_month": "gb-month",
    "iops_month": "iops-month",
    "iops_month_tier2": "iops-month",
    "iops_month_tier3": "iops-month",
    "throughput_mibps_month": "mibps-month",
    "snapshot_gb_month": "gb-month",
    "snapshot_archive_gb_month": "gb-month",
    "snapshot_archive_retrieval_gb": "gb",
    "snapshot_restore_az_hour": "hour",
    "io_request": "request",
    "hour": "hour",
    "lcu_hour": "lcu-hour",
    "gb": "gb",
    "storage_gb_month": "gb-month",
    "ioopt_storage_gb_month": "gb-month",
}
"""Dimension of volumes, load balancers and database storage → unit."""

VOLUME_DIMENSIONS: Final = {
    "mibps_month": "throughput_mibps_month",
    "iops_month_tier2_32001_64000": "iops_month_tier2",
    "iops_month_tier3_over_64000": "iops_month_tier3",
}
SNAPSHOT_DIMENSIONS: Final = {
    ("snapshot", "gb_month"): "snapshot_gb_month",
    ("snapshot", "fsr_az_hour"): "snapshot_restore_az_hour",
    ("snapshot-archive", "gb_month"): "snapshot_archive_gb_month",
    ("snapshot-archive", "retrieval_gb"): "snapshot_archive_retrieval_gb",
}
RENAMED: Final = {
    ("public-ipv4", "in_use"): ("vpc", "public_ipv4_hour"),
    ("public-ipv4", "idle"): ("vpc", "idle_public_ipv4_hour"),
    ("cloudwatch", "get_metric_data"): ("cloudwatch", "get_metric_data_metric"),
}
"""(service, dimension) of `other.csv` → ours, where the words differ."""

TYPED: Final = {
    "elasticache": ("node_hour", ("node_type", "engine")),
    "opensearch": ("instance_hour", ("instance_type",)),
    "redshift": ("node_hour", ("node_type",)),
    "msk": ("broker_hour", ("instance_type",)),
    "ec2-cpu-credits": ("surplus_credit_vcpu_hour", ("family", "os")),
}
"""Services whose dimension in `other.csv` names a type: our dimension, and the attributes that its words, split by
colons, are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: where, what, how much, per what, who said so and when.

    Attributes:
        attributes: pairs that select the product, in the order in which the table nests them.
    """

    region: str
    service: str
    dimension: str
    attributes: tuple[tuple[str, str], ...]
    amount: str
    unit: str
    source: str
    as_of: str

    @property
    def line(self) -> str:
        """The canonical text of the row, input of the digest in `sources.json`."""
        selected = (f"{name}={value}" for name, value in sorted(self.attributes))
        return "|".join(
            (self.region, self.service, self.dimension, *selected, self.amount, self.unit, self.source, self.as_of)
        )


@dataclass(slots=True)
class Table:
    """Rows of one service in one region, with each (source, date, unit) written once."""

    origins: list[list[str]] = field(default_factory=list)
    dimensions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Store a row.

        Raises:
            ValueError: there is a row for the product already, or one selected by other attributes.
        """
        origin = [row.source, row.as_of, row.unit]
        if origin not in self.origins:
            self.origins.append(origin)
        names = [name for name, _ in row.attributes]
        dimension = self.dimensions.setdefault(row.dimension, {"attributes": names, "prices": {}})
        if dimension["attributes"] != names:
            raise ValueError(f"{row.service} {row.dimension} is selected by {names} and {dimension['attributes']}")
        node: dict[str, Any] = dimension["prices"]
        *above, last = [value for _, value in row.attributes] or [""]
        for word in above:
            node = node.setdefault(word, {})
        if last in node:
            selected = "/".join(value for _, value in row.attributes)
            raise ValueError(f"two figures for {row.region} {row.service} {row.dimension} {selected}".rstrip())
        node[last] = [row.amount, self.origins.index(origin)]


def csv_bytes(path: Path) -> bytes:
    """Return the content of a CSV file, or of the packed one beside its name (`NAME.csv.xz`).

    Raises:
        FileNotFoundError: there is neither.
    """
    packed_file = path.with_name(f"{path.name}.xz")
    return lzma.decompress(packed_file.read_bytes()) if packed_file.is_file() else path.read_bytes()


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file, packed or plain, as dictionaries of text."""
    return list(csv.DictReader(io.StringIO(csv_bytes(path).decode(), newline="")))


def regional_rows(data: Path) -> Iterator[Row]:
    """Yield every figure of the CSV files by region, in a stable order."""
    for raw in read_csv(data / "ec2_on_demand.csv"):
        selected = (("os", raw["os"]), ("instance_type", raw["instance_type"]))
        yield _row(raw, "ec2", "instance_hour", selected, raw["usd_per_hour"], "hour")
    for raw in read_csv(data / "ebs.csv"):
        yield _volume_row(raw)
    for raw in read_csv(data / "elb.csv"):
        unit = DIMENSION_UNITS[raw["dimension"]]
        yield _row(raw, "elb", raw["dimension"], (("type", raw["lb_type"]),), raw["usd"], unit)
    for raw in read_csv(data / "other.csv"):
        yield _other_row(raw)
    for raw in read_csv(data / "rds_on_demand.csv"):
        product = (("engine", raw["engine"]), ("deployment", raw["deployment"]), ("class", raw["class"]))
        yield _row(raw, "rds", "instance_hour", product, raw["usd_per_hour"], "hour")
    for raw in read_csv(data / "rds_storage.csv"):
        dimension = VOLUME_DIMENSIONS.get(raw["dimension"], raw["dimension"])
        selected = (("volume_type", raw["volume_type"]), ("deployment", raw["deployment"]))
        yield _row(raw, "rds", dimension, selected, raw["usd"], DIMENSION_UNITS[dimension])


def _row(
    raw: Mapping[str, str],
    service: str,
    dimension: str,
    attributes: tuple[tuple[str, str], ...],
    amount: str,
    unit: str,
) -> Row:
    region = GLOBAL if raw["region"] == "*" else raw["region"]
    if not DATE.fullmatch(raw["as_of"]) or not SOURCE.fullmatch(raw["source_repo"]):
        raise ValueError(f"{service} {dimension} in {region} names no repository or no day: {dict(raw)}")
    return Row(region, service, dimension, attributes, amount, unit, raw["source_repo"], raw["as_of"])


def _volume_row(raw: Mapping[str, str]) -> Row:
    snapshot = SNAPSHOT_DIMENSIONS.get((raw["volume_type"], raw["dimension"]))
    if snapshot:
        return _row(raw, "ebs", snapshot, (), raw["usd"], DIMENSION_UNITS[snapshot])
    dimension = VOLUME_DIMENSIONS.get(raw["dimension"], raw["dimension"])
    selected = (("volume_type", raw["volume_type"]),)
    return _row(raw, "ebs", dimension, selected, raw["usd"], DIMENSION_UNITS[dimension])


def _other_row(raw: Mapping[str, str]) -> Row:
    service, dimension, unit = raw["service"], raw["dimension"], UNITS[raw["unit"]]
    if service in TYPED:
        ours, names = TYPED[service]
        return _row(raw, service, ours, tuple(zip(names, dimension.split(":"), strict=True)), raw["usd"], unit)
    service, dimension = RENAMED.get((service, dimension), (service, dimension))
    return _row(raw, service, dimension, (), raw["usd"], unit)


def surcharge_rows(data: Path) -> Iterator[Row]:
    """Yield what an operating system costs above Linux, where at least two regions were seen and all of them agreed."""
    for raw in read_csv(data / "ec2_os_surcharge.csv"):
        if raw["min"] == raw["max"] and int(raw["regions_seen"]) >= 2:
            amount = raw["usd_per_hour_over_linux"]
            selected = (("os", raw["os"]), ("instance_type", raw["instance_type"]))
            yield Row("*", "ec2", "surcharge_hour", selected, amount, "hour", raw["source_repo"], raw["as_of"])


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of the sorted canonical lines of `rows`."""
    return hashlib.sha256("\n".join(sorted(row.line for row in rows)).encode()).hexdigest()


def typed_facts(path: Path, key: str) -> dict[str, Any]:
    """Return columns once and one list per type, empty cells as empty text; `key` is the column that names the type."""
    rows = read_csv(path)
    columns = [name for name in rows[0] if name != key]
    return {"columns": columns, "types": {row[key]: [row[name] for name in columns] for row in rows}}


def _json(document: Mapping[str, Any]) -> str:
    # The order of the keys is ours: `service` stands first, where a reader of lines expects it.
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True)


def packed(text: str) -> bytes:
    """Return deterministic gzip bytes of a text."""
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def compile_tables(data: Path) -> dict[str, bytes]:
    """Return the name and the bytes of every output file."""
    files: dict[str, bytes] = {}
    regional = list(regional_rows(data))
    tables: dict[str, dict[str, Table]] = {}
    for row in regional:
        tables.setdefault(row.region, {}).setdefault(row.service, Table()).add(row)
    for region, services in sorted(tables.items()):
        lines = [
            _json({"service": name, "origins": table.origins, "dimensions": table.dimensions})
            for name, table in sorted(services.items())
        ]
        files[f"prices-{region}.jsonl.gz"] = packed("\n".join(lines))
    surcharges = list(surcharge_rows(data))
    table = Table()
    for row in surcharges:
        table.add(row)
    files["surcharges.json.gz"] = packed(
        _json({"service": "ec2", "origins": table.origins, "dimensions": table.dimensions})
    )
    types = typed_facts(data / "instance_types.csv", "instance_type")
    files["instance-types.json.gz"] = packed(_json(types))
    classes = typed_facts(data / "rds_classes.csv", "class")
    files["database-classes.json.gz"] = packed(_json(classes))
    origins = sorted({(row.source, row.as_of) for row in (*regional, *surcharges)})
    sources = {
        "about": "On-demand list prices published by AWS, collected from the public repositories named here.",
        "currency": "USD",
        "origins": [{"source": source, "asOf": as_of} for source, as_of in origins],
        "inputs": {name: hashlib.sha256(csv_bytes(data / name)).hexdigest() for name in INPUTS},
        "regions": sorted(tables.keys() - {GLOBAL}),
        "rows": {
            "regional": len(regional),
            "surcharges": len(surcharges),
            "instanceTypes": len(types["types"]),
            "databaseClasses": len(classes["types"]),
        },
        "rowsSha256": {
            "regional": digest(regional),
            "surcharges": digest(surcharges),
            "instanceTypes": hashlib.sha256(json.dumps(types, sort_keys=True).encode()).hexdigest(),
        },
    }
    files["sources.json"] = (json.dumps(sources, indent=2, sort_keys=True) + "\n").encode()
    return files


def differences(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the names of files in `folder` that are missing, superfluous or different.

    Contents are compared unpacked: another build of zlib packs the same text into other bytes.
    """
    present = {path.name: path.read_bytes() for path in folder.glob("*.json*")}
    names = files.keys() | present.keys()
    return sorted(name for name in names if _text(name, files.get(name)) != _text(name, present.get(name)))


def _text(name: str, content: bytes | None) -> bytes | None:
    return gzip.decompress(content) if content is not None and name.endswith(".gz") else content


def main(arguments: list[str] | None = None) -> int:
    """Build or compare; 0 done or equal, 1 different, 2 wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, default=DATA, metavar="DIR", help="folder with the CSV files")
    parser.add_argument("--check", action="store_true", help="compare with the committed tables, write nothing")
    options = parser.parse_args(arguments)
    missing = [name for name in INPUTS if not any((options.data / file).is_file() for file in (name, f"{name}.xz"))]
    if missing:
        sys.stderr.write(f"{options.data} lacks {', '.join(missing)}\n")
        return 2
    files = compile_tables(options.data)
    changed = differences(files, OUTPUT)
    if options.check:
        sys.stderr.write("".join(f"differs: {name}\n" for name in changed))
        return 1 if changed else 0
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (OUTPUT / name).write_bytes(files[name])
        else:
            (OUTPUT / name).unlink()
    size = sum(len(content) for content in files.values())
    sys.stderr.write(f"{len(files)} files, {size} bytes, {len(changed)} changed\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
