"""Every figure in the wheel is the one of the collected data in `data/aws-prices`, row by row."""

from __future__ import annotations

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import lzma
import sys
from collections import Counter
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
DATA = ROOT / "data" / "aws-prices"
EBS_DIMENSIONS = {
    "gb_month": "gb_month",
    "iops_month": "iops_month",
    "iops_month_tier2_32001_64000": "iops_month_tier2",
    "iops_month_tier3_over_64000": "iops_month_tier3",
    "mibps_month": "throughput_mibps_month",
}
"""The tables' words for what a volume is billed by → ours."""
OTHER_DIMENSIONS = {
    ("public-ipv4", "in_use"): ("vpc", "public_ipv4_hour"),
    ("public-ipv4", "idle"): ("vpc", "idle_public_ipv4_hour"),
    ("cloudwatch", "get_metric_data"): ("cloudwatch", "get_metric_data_metric"),
    ("cloudwatch", "api_request"): ("cloudwatch", "api_request"),
}


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


def content(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


def csv_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(name).decode(), newline="")))


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


def question(region: str, product: tuple[str, ...]) -> PriceQuery | None:
    """Return what is asked for a row of a region's table, None for figures that nothing asks for."""
    family, thing, dimension = product
    if family == "ec2":
        return PriceQuery("ec2", region, "instance_hour", (("instance_type", dimension), ("os", thing)))
    if family == "ebs" and thing == "snapshot":
        return PriceQuery("ebs", region, "snapshot_gb_month") if dimension == "gb_month" else None
    if family == "ebs":
        ours = EBS_DIMENSIONS.get(dimension)
        return None if ours is None else PriceQuery("ebs", region, ours, (("volume_type", thing),))
    service, ours = OTHER_DIMENSIONS.get((thing, dimension), ("", ""))
    return PriceQuery(service, region, ours) if ours else None


def test_every_row_of_every_table_is_the_answer_to_its_question() -> None:
    asked = Counter[str]()
    for region in SOURCES["regions"]:
        document = unpacked(f"prices-{region}.json.gz")
        for line in lines_of(document, region):
            _, *product, amount, unit, _, as_of = line.split("|")
            query = question(region, tuple(product))
            assert query is not None, line
            price = SOURCE.lookup(query)
            assert price is not None, line
            assert (price.amount, price.unit, price.as_of.isoformat()) == (Decimal(amount), unit, as_of), line
            assert price.source == "bundled"
            asked[f"{query.service} {query.dimension}"] += 1
    assert sum(asked.values()) == SOURCES["rows"]["regional"]
    assert all(asked[name] >= 30 for name in ("ebs snapshot_gb_month", "vpc public_ipv4_hour", "ec2 instance_hour"))


def test_every_price_the_source_answers_equals_the_data_files() -> None:
    rows = [
        (row, ("ec2", row["os"], row["instance_type"]), row["usd_per_hour"]) for row in csv_rows("ec2_on_demand.csv")
    ]
    rows += [(row, ("ebs", row["volume_type"], row["dimension"]), row["usd"]) for row in csv_rows("ebs.csv")]
    rows += [(row, ("other", row["service"], row["dimension"]), row["usd"]) for row in csv_rows("other.csv")]
    asked = Counter[str]()
    for row, product, amount in rows:
        query = question(row["region"], product)
        if query is None:
            continue
        price = SOURCE.lookup(query)
        assert price is not None, row
        assert (price.amount, price.as_of.isoformat()) == (Decimal(amount), row["as_of"]), row
        asked[f"{query.service} {query.dimension}"] += 1
    assert asked["ebs snapshot_gb_month"] >= 30
    assert asked["vpc public_ipv4_hour"] == asked["cloudwatch get_metric_data_metric"] == len(SOURCES["regions"])


def test_the_committed_tables_are_what_the_tool_makes_of_the_data(builder: ModuleType) -> None:
    assert builder.main(["--check"]) == 0
    for name, digest in SOURCES["inputs"].items():
        assert hashlib.sha256(content(name)).hexdigest() == digest


def test_plain_files_of_another_folder_give_the_same_bytes_as_the_packed_ones(
    builder: ModuleType, tmp_path: Path
) -> None:
    for name in builder.INPUTS:
        (tmp_path / name).write_bytes(content(name))
    assert builder.compile_tables(tmp_path) == builder.compile_tables(DATA)


def test_a_folder_without_the_data_is_named(
    builder: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert builder.main(["--data", str(tmp_path), "--check"]) == 2
    assert f"{tmp_path} lacks {', '.join(builder.INPUTS)}" in capsys.readouterr().err


def test_every_data_file_is_described_in_their_readme() -> None:
    described = (DATA / "README.md").read_text(encoding="utf-8")
    files = [path.name.removesuffix(".xz") for path in DATA.glob("*.csv.xz")]
    assert set(files) >= {"ec2_on_demand.csv", "regions.csv"}
    assert [name for name in files if f"`{name}`" not in described] == []


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
