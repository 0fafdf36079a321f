"""Every figure in the wheel is the one of the collected data, row by row.

The data itself is not part of a checkout: it is found through `FINOPS_PRICE_DATA` or beside the checkout. Without it
the committed digest of its rows stands for it, so that an edited table is noticed everywhere.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finops.domain.price import PriceQuery
from finops_operator.pricing.bundled import SOURCE

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "operator" / "finops_operator" / "pricing" / "data"
SOURCES = json.loads((TABLES / "sources.json").read_text(encoding="utf-8"))
DATA = Path(os.environ.get("FINOPS_PRICE_DATA", ROOT.parent / "shared" / "data" / "aws-prices"))
HAS_DATA = (DATA / "ec2_on_demand.csv").is_file()


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_price_tables", ROOT / "tools" / "build_price_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def unpacked(name: str) -> Any:
    return json.loads(gzip.decompress((TABLES / name).read_bytes()))


def lines_of(document: Any, region: str) -> Iterator[str]:
    def walk(node: Any, path: tuple[str, ...]) -> Iterator[str]:
        if isinstance(node, dict):
            for word, below in node.items():
                yield from walk(below, (*path, word))
        else:
            source, as_of, unit = document["origins"][node[1]]
            yield "|".join((region, *path, node[0], unit, source, as_of))

    yield from walk(document["prices"], ())


def sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def csv_rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_table_holds_exactly_the_rows_of_the_committed_digest() -> None:
    regional = [
        line for region in SOURCES["regions"] for line in lines_of(unpacked(f"prices-{region}.json.gz"), region)
    ]
    surcharges = list(lines_of(unpacked("surcharges.json.gz"), "*"))
    types = unpacked("instance-types.json.gz")
    assert (len(regional), len(surcharges)) == (SOURCES["rows"]["regional"], SOURCES["rows"]["surcharges"])
    assert sha256(regional) == SOURCES["rowsSha256"]["regional"]
    assert sha256(surcharges) == SOURCES["rowsSha256"]["surcharges"]
    text = json.dumps(types, sort_keys=True).encode()
    assert hashlib.sha256(text).hexdigest() == SOURCES["rowsSha256"]["instanceTypes"]


def test_every_price_the_source_answers_equals_the_data_files_or_the_digest_vouches_for_it() -> None:
    if not HAS_DATA:
        # The test above has compared all rows with the digest; here at least well-known figures are answered.
        query = PriceQuery("ec2", "us-east-1", "instance_hour", (("instance_type", "t2.large"), ("os", "linux")))
        price = SOURCE.lookup(query)
        assert price is not None
        assert price.amount == Decimal("0.0928")
        return
    for row in csv_rows("ec2_on_demand.csv"):
        attributes = (("instance_type", row["instance_type"]), ("os", row["os"]))
        price = SOURCE.lookup(PriceQuery("ec2", row["region"], "instance_hour", attributes))
        assert price is not None
        assert (price.amount, price.source) == (Decimal(row["usd_per_hour"]), "bundled")
        assert price.as_of.isoformat() == row["as_of"]
    ours = {"iops_month_tier2_32001_64000": "iops_month_tier2", "iops_month_tier3_over_64000": "iops_month_tier3"}
    ours |= {"mibps_month": "throughput_mibps_month", "gb_month": "gb_month", "iops_month": "iops_month"}
    for row in csv_rows("ebs.csv"):
        if row["dimension"] in ours and not row["volume_type"].startswith("snapshot"):
            attributes = (("volume_type", row["volume_type"]),)  # type: ignore[assignment]  # one pair, not two
            price = SOURCE.lookup(PriceQuery("ebs", row["region"], ours[row["dimension"]], attributes))
            assert price is not None
            assert (price.amount, price.as_of.isoformat()) == (Decimal(row["usd"]), row["as_of"])


def test_the_committed_tables_are_what_the_tool_makes_of_the_data(builder: ModuleType) -> None:
    if not HAS_DATA:
        assert builder.main(["--data", str(DATA), "--check"]) == 2
        return
    assert builder.main(["--data", str(DATA), "--check"]) == 0
    for name, digest in SOURCES["inputs"].items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest


def test_one_changed_figure_is_noticed(builder: ModuleType, tmp_path: Path) -> None:
    for path in TABLES.glob("*.json*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    document = unpacked("prices-us-east-1.json.gz")
    document["prices"]["ec2"]["linux"]["t2.large"][0] = "0.0929"
    (tmp_path / "prices-us-east-1.json.gz").write_bytes(builder.packed(document))
    committed = {path.name: path.read_bytes() for path in TABLES.glob("*.json*")}
    assert builder.differences(committed, tmp_path) == ["prices-us-east-1.json.gz"]
    assert sha256(list(lines_of(document, "us-east-1"))) != sha256(
        list(lines_of(unpacked("prices-us-east-1.json.gz"), "us-east-1"))
    )


def test_two_figures_for_one_product_stop_the_build(builder: ModuleType) -> None:
    row = builder.Row("us-east-1", ("ec2", "linux", "t2.large"), "1", "hour", "somewhere", "2026-01-01")
    table = builder.Table()
    table.add(row)
    with pytest.raises(ValueError, match=r"two figures for us-east-1 ec2/linux/t2.large"):
        table.add(row)


def test_the_tables_stay_small_and_name_where_every_figure_comes_from() -> None:
    assert sum(path.stat().st_size for path in TABLES.iterdir()) < 1_000_000
    origins = {(item["source"], item["asOf"]) for item in SOURCES["origins"]}
    for region in SOURCES["regions"]:
        document = unpacked(f"prices-{region}.json.gz")
        assert {(source, as_of) for source, as_of, _ in document["origins"]} <= origins
