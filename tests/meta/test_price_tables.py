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
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from finops.domain.price import PriceQuery
from finops_operator.cli.figures import figure_query
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.bundled import SOURCE, selectors
from finops_operator.pricing.offers import all_offers

OFFERS = all_offers(load_kinds().values())
ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "operator" / "finops_operator" / "pricing" / "data"
SOURCES = json.loads((TABLES / "sources.json").read_text(encoding="utf-8"))
DATA = ROOT / "data" / "aws-prices"
FILES = ("ec2_on_demand", "ebs", "elb", "other", "rds_on_demand", "rds_storage")
"""The CSV files that become prices."""


def test_what_the_sources_page_says_was_left_out_for_want_of_a_source_has_no_price() -> None:
    """A row of the page: region, figures as `finops prices lookup` names them, what they rested on."""
    page = (DATA / "README.md").read_text(encoding="utf-8").split("| Region | Left out |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip(" |").split("|")] for line in page.splitlines()[2:] if "|" in line]
    left = [(region, figure.strip("` ").split("/")) for region, figures, _ in rows for figure in figures.split(",")]
    assert len(left) == 7
    for region, (service, dimension, kind) in left:
        assert SOURCE.lookup(PriceQuery(service, region, dimension, (("type", kind),))) is None, (region, dimension)
    (kept,) = [line for line in (DATA / "README.md").read_text(encoding="utf-8").splitlines() if "`elb.csv`" in line]
    assert f"| {len(list(csv.reader(rows_of('elb')))) - 1} |" in kept


def rows_of(name: str) -> list[str]:
    return lzma.decompress((DATA / f"{name}.csv.xz").read_bytes()).decode().splitlines()


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


def services_of(region: str) -> list[Any]:
    text = gzip.decompress((TABLES / f"prices-{region}.jsonl.gz").read_bytes()).decode()
    return [json.loads(line) for line in text.split("\n")]


class Figure(NamedTuple):
    """One figure of a table, as the table tells it."""

    query: PriceQuery
    amount: str
    unit: str
    source: str
    as_of: str

    @property
    def line(self) -> str:
        selected = (f"{name}={value}" for name, value in sorted(self.query.attributes))
        product = (self.query.region, self.query.service, self.query.dimension, *selected)
        return "|".join((*product, self.amount, self.unit, self.source, self.as_of))


def figures_of(document: Any, region: str, service: str) -> Iterator[Figure]:
    def walk(node: Any, names: list[str], chosen: tuple[tuple[str, str], ...], dimension: str) -> Iterator[Figure]:
        if isinstance(node, list):
            source, as_of, unit = document["origins"][node[1]]
            yield Figure(PriceQuery(service, region, dimension, tuple(sorted(chosen))), node[0], unit, source, as_of)
            return
        for word, below in node.items():
            more = ((names[0], word),) if names else ()
            yield from walk(below, names[1:], (*chosen, *more), dimension)

    for name, dimension in document["dimensions"].items():
        yield from walk(dimension["prices"], dimension["attributes"], (), name)


def regional_figures() -> Iterator[Figure]:
    for region in (*SOURCES["regions"], "global"):
        for document in services_of(region):
            yield from figures_of(document, region, document["service"])


def sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def content(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


def csv_rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(name).decode(), newline="")))


def test_every_table_holds_exactly_the_rows_of_the_committed_digest() -> None:
    regional = [figure.line for figure in regional_figures()]
    surcharges = [figure.line for figure in figures_of(unpacked("surcharges.json.gz"), "*", "ec2")]
    assert (len(regional), len(surcharges)) == (SOURCES["rows"]["regional"], SOURCES["rows"]["surcharges"])
    assert sha256(regional) == SOURCES["rowsSha256"]["regional"]
    assert sha256(surcharges) == SOURCES["rowsSha256"]["surcharges"]
    text = json.dumps(unpacked("instance-types.json.gz"), sort_keys=True).encode()
    assert hashlib.sha256(text).hexdigest() == SOURCES["rowsSha256"]["instanceTypes"]


def test_every_row_of_every_table_is_the_answer_to_its_question() -> None:
    asked = Counter[str]()
    for figure in regional_figures():
        # What costs the same everywhere is the answer in every region.
        query = replace(figure.query, region="eu-west-1") if figure.query.region == "global" else figure.query
        price = SOURCE.lookup(query)
        assert price is not None, figure
        assert (price.amount, price.unit) == (Decimal(figure.amount), figure.unit), figure
        assert (price.as_of.isoformat(), price.source) == (figure.as_of, "bundled"), figure
        asked[query.service] += 1
    assert sum(asked.values()) == SOURCES["rows"]["regional"]
    assert asked.keys() >= {"ec2", "ebs", "elb", "rds", "s3", "lambda", "elasticache", "opensearch", "dynamodb", "kms"}


def test_every_row_of_the_data_files_is_in_a_table_with_its_amount() -> None:
    known = Counter((figure.query.region, Decimal(figure.amount), figure.as_of) for figure in regional_figures())
    rows = Counter[tuple[str, Decimal, str]]()
    for name in FILES:
        for row in csv_rows(f"{name}.csv"):
            amount = Decimal(row.get("usd") or row["usd_per_hour"])
            rows["global" if row["region"] == "*" else row["region"], amount, row["as_of"]] += 1
    assert known == rows


def ask(service: str, region: str, dimension: str, **attributes: str) -> Decimal | None:
    price = SOURCE.lookup(PriceQuery(service, region, dimension, tuple(sorted(attributes.items()))))
    return None if price is None else price.amount


def test_the_words_of_the_data_files_select_the_same_figures_in_the_product() -> None:
    for row in csv_rows("rds_on_demand.csv"):
        selected = {"class": row["class"], "engine": row["engine"], "deployment": row["deployment"]}
        assert ask("rds", row["region"], "instance_hour", **selected) == Decimal(row["usd_per_hour"]), row
    for row in csv_rows("ec2_on_demand.csv"):
        selected = {"instance_type": row["instance_type"], "os": row["os"]}
        assert ask("ec2", row["region"], "instance_hour", **selected) == Decimal(row["usd_per_hour"]), row
    for row in csv_rows("elb.csv"):
        assert ask("elb", row["region"], row["dimension"], type=row["lb_type"]) == Decimal(row["usd"]), row
    for row in csv_rows("other.csv"):
        if row["service"] in {"s3", "lambda", "fargate", "dynamodb", "nat-gateway", "eks", "efs"}:
            assert ask(row["service"], row["region"], row["dimension"]) == Decimal(row["usd"]), row


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
    name = "prices-us-east-1.jsonl.gz"
    text = gzip.decompress((TABLES / name).read_bytes()).decode()
    assert text.count('"t2.large":["0.0928",') == 1
    (tmp_path / name).write_bytes(builder.packed(text.replace('"t2.large":["0.0928",', '"t2.large":["0.0929",')))
    committed = {path.name: path.read_bytes() for path in TABLES.glob("*.json*")}
    assert builder.differences(committed, tmp_path) == [name]


def row_of(builder: ModuleType, *names: str) -> Any:
    selected = tuple((name, "t2.large") for name in names)
    return builder.Row("us-east-1", "ec2", "instance_hour", selected, "1", "hour", "somewhere", "2026-01-01")


def test_two_figures_for_one_product_stop_the_build(builder: ModuleType) -> None:
    table = builder.Table()
    table.add(row_of(builder, "instance_type"))
    with pytest.raises(ValueError, match=r"two figures for us-east-1 ec2 instance_hour t2.large"):
        table.add(row_of(builder, "instance_type"))
    plain = builder.Table()
    plain.add(row_of(builder))
    with pytest.raises(ValueError, match=r"two figures for us-east-1 ec2 instance_hour$"):
        plain.add(row_of(builder))


def test_one_dimension_selected_by_two_sets_of_attributes_stops_the_build(builder: ModuleType) -> None:
    table = builder.Table()
    table.add(row_of(builder, "instance_type"))
    with pytest.raises(ValueError, match=r"ec2 instance_hour is selected by \['class'\] and \['instance_type'\]"):
        table.add(row_of(builder, "class"))


@pytest.mark.parametrize("field", [{"as_of": "2026"}, {"source_repo": "(an article)"}, {"source_repo": ""}])
def test_a_figure_without_a_source_and_a_day_stops_the_build(builder: ModuleType, field: dict[str, str]) -> None:
    row = {"region": "eu-west-2", "usd": "1", "source_repo": "some/place", "as_of": "2026-01-01", **field}
    with pytest.raises(ValueError, match="elb hour in eu-west-2 names no repository or no day"):
        builder._row(row, "elb", "hour", (), "1", "hour")


def test_the_tables_stay_small_and_name_where_every_figure_comes_from() -> None:
    assert sum(path.stat().st_size for path in TABLES.iterdir()) < 1_000_000
    origins = {(item["source"], item["asOf"]) for item in SOURCES["origins"]}
    for region in SOURCES["regions"]:
        for document in services_of(region):
            assert {(source, as_of) for source, as_of, _ in document["origins"]} <= origins


@pytest.mark.parametrize("region", SOURCES["regions"])
def test_every_figure_of_a_region_is_found_by_its_name_and_is_that_of_its_row(region: str) -> None:
    for document in services_of(region):
        service = document["service"]
        for row in figures_of(document, region, service):
            chosen = dict(row.query.attributes)
            values = [chosen[name] for name in selectors(region)[service, row.query.dimension]]
            query = figure_query(region, "/".join((service, row.query.dimension, *values)), OFFERS)
            price = SOURCE.lookup(query)
            assert price is not None, row
            assert (f"{price.amount:f}", price.unit) == (f"{Decimal(row.amount):f}", row.unit)
