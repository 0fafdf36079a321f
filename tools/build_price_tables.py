"""Compile price and instance-type CSV files into the compact tables that ship in the wheel.

Run by a maintainer when the figures are collected anew, and by checks (`--check` compares and writes nothing). The
output is deterministic: the same CSV files always give the same bytes.

Inputs in `data/aws-prices`, or in the folder of `--data`, packed (`NAME.csv.xz`) or plain (`NAME.csv`):
`ec2_on_demand.csv`, `ec2_os_surcharge.csv`, `ebs.csv`, `other.csv`, `instance_types.csv`.
Outputs in `operator/finops_operator/pricing/data`: `prices-REGION.json.gz`, `surcharges.json.gz`,
`instance-types.json.gz` and `sources.json`, which names where figures come from and holds a digest of the rows.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import lzma
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = ROOT / "operator" / "finops_operator" / "pricing" / "data"
DATA: Final = ROOT / "data" / "aws-prices"
INPUTS: Final = ("ec2_on_demand.csv", "ec2_os_surcharge.csv", "ebs.csv", "other.csv", "instance_types.csv")

EBS_UNITS: Final = {
    "gb_month": "gb-month",
    "iops_month": "iops-month",
    "iops_month_tier2_32001_64000": "iops-month",
    "iops_month_tier3_over_64000": "iops-month",
    "mibps_month": "mibps-month",
}
"""Billed dimensions of volumes and snapshots that the product uses; the others (requests, retrieval) stay out."""

OTHER_DIMENSIONS: Final = {
    ("public-ipv4", "in_use"): "hour",
    ("public-ipv4", "idle"): "hour",
    ("cloudwatch", "get_metric_data"): "metric",
    ("cloudwatch", "api_request"): "request",
}
"""(service, dimension) of `other.csv` → unit of the figure in our words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: where, what (a path of words), how much, per what, who said so and when."""

    region: str
    product: tuple[str, ...]
    amount: str
    unit: str
    source: str
    as_of: str

    @property
    def line(self) -> str:
        """The canonical text of the row, input of the digest in `sources.json`."""
        return "|".join((self.region, *self.product, self.amount, self.unit, self.source, self.as_of))


@dataclass(slots=True)
class Table:
    """Rows of one file, with each (source, date, unit) written once."""

    origins: list[list[str]] = field(default_factory=list)
    prices: dict[str, Any] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Store a row.

        Raises:
            ValueError: there is a row for the product already.
        """
        origin = [row.source, row.as_of, row.unit]
        if origin not in self.origins:
            self.origins.append(origin)
        node = self.prices
        for word in row.product[:-1]:
            node = node.setdefault(word, {})
        if row.product[-1] in node:
            raise ValueError(f"two figures for {row.region} {'/'.join(row.product)}")
        node[row.product[-1]] = [row.amount, self.origins.index(origin)]


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
    """Yield every regional figure of the CSV files that the product uses, in a stable order."""
    for raw in read_csv(data / "ec2_on_demand.csv"):
        product = ("ec2", raw["os"], raw["instance_type"])
        yield Row(raw["region"], product, raw["usd_per_hour"], "hour", raw["source_repo"], raw["as_of"])
    for raw in read_csv(data / "ebs.csv"):
        unit = EBS_UNITS.get(raw["dimension"])
        if unit is not None:
            product = ("ebs", raw["volume_type"], raw["dimension"])
            yield Row(raw["region"], product, raw["usd"], unit, raw["source_repo"], raw["as_of"])
    for raw in read_csv(data / "other.csv"):
        unit = OTHER_DIMENSIONS.get((raw["service"], raw["dimension"]))
        if unit is not None:
            product = ("other", raw["service"], raw["dimension"])
            yield Row(raw["region"], product, raw["usd"], unit, raw["source_repo"], raw["as_of"])


def surcharge_rows(data: Path) -> Iterator[Row]:
    """Yield what an operating system costs above Linux, where at least two regions were seen and all of them agreed."""
    for raw in read_csv(data / "ec2_os_surcharge.csv"):
        if raw["min"] == raw["max"] and int(raw["regions_seen"]) >= 2:
            amount = raw["usd_per_hour_over_linux"]
            product = (raw["os"], raw["instance_type"])
            yield Row("*", product, amount, "hour", raw["source_repo"], raw["as_of"])


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 of the sorted canonical lines of `rows`."""
    return hashlib.sha256("\n".join(sorted(row.line for row in rows)).encode()).hexdigest()


def instance_types(data: Path) -> dict[str, Any]:
    """Return columns once and one list per type, empty cells as empty text."""
    rows = read_csv(data / "instance_types.csv")
    columns = [name for name in rows[0] if name != "instance_type"]
    return {"columns": columns, "types": {row["instance_type"]: [row[name] for name in columns] for row in rows}}


def packed(document: Mapping[str, Any]) -> bytes:
    """Return deterministic gzip bytes of a JSON document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def compile_tables(data: Path) -> dict[str, bytes]:
    """Return the name and the bytes of every output file."""
    files: dict[str, bytes] = {}
    regional = list(regional_rows(data))
    tables: dict[str, Table] = {}
    for row in regional:
        tables.setdefault(row.region, Table()).add(row)
    for region, table in sorted(tables.items()):
        document = {"region": region, "currency": "USD", "origins": table.origins, "prices": table.prices}
        files[f"prices-{region}.json.gz"] = packed(document)
    surcharges = list(surcharge_rows(data))
    table = Table()
    for row in surcharges:
        table.add(row)
    files["surcharges.json.gz"] = packed({"origins": table.origins, "prices": table.prices})
    types = instance_types(data)
    files["instance-types.json.gz"] = packed(types)
    origins = sorted({(row.source, row.as_of) for row in (*regional, *surcharges)})
    sources = {
        "about": "On-demand list prices published by AWS, collected from the public repositories named here.",
        "currency": "USD",
        "origins": [{"source": source, "asOf": as_of} for source, as_of in origins],
        "inputs": {name: hashlib.sha256(csv_bytes(data / name)).hexdigest() for name in INPUTS},
        "regions": sorted(tables),
        "rows": {"regional": len(regional), "surcharges": len(surcharges), "instanceTypes": len(types["types"])},
        "rowsSha256": {
            "regional": digest(regional),
            "surcharges": digest(surcharges),
            "instanceTypes": hashlib.sha256(json.dumps(types, sort_keys=True).encode()).hexdigest(),
        },
    }
    files["sources.json"] = (json.dumps(sources, indent=2, sort_keys=True) + "\n").encode()
    return files


def differences(files: Mapping[str, bytes], folder: Path) -> list[str]:
    """Return the names of files in `folder` that are missing, superfluous or tell something different.

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
