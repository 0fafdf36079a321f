"""`finops doctor` on the price tables: how old the figures of each service are where they are used."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from finops_operator.cli.diagnosis.prices import diagnose_prices
from finops_operator.cli.diagnosis.result import Result, Verdict
from finops_operator.plugins.loaded import plugins, plugins_with
from finops_operator.pricing.bundled import ages, known_regions
from finops_operator.pricing.price_tables import packed_lines, table_line

TODAY = date(2026, 11, 30)


def tables(*regions: str) -> dict[str, Result]:
    found = diagnose_prices(plugins(), TODAY, regions)
    return {one.check.removeprefix("table "): one for one in found if one.check.startswith("table ")}


def test_every_services_table_says_the_days_of_its_oldest_and_its_newest_figure() -> None:
    found = tables("us-east-1")
    assert found.keys() == ages(["us-east-1"]).keys() >= {"ec2", "ebs", "rds", "s3"}
    oldest, newest = ages(["us-east-1"])["rds"].oldest, ages(["us-east-1"])["rds"].newest
    days = (TODAY - oldest).days
    assert found["rds"].detail == f"figures from {oldest} to {newest}, the oldest of {days} days ago; us-east-1"


def test_old_figures_are_said_with_the_way_to_newer_ones_and_young_ones_without() -> None:
    found = tables("us-east-1")
    assert "priceList" in found["rds"].hint
    assert found["ec2"].hint == ""


def test_where_nobody_names_a_region_the_tables_of_all_count() -> None:
    assert tables()["ec2"].detail.endswith(f"{len(known_regions())} regions")


def test_a_region_without_a_table_has_no_age() -> None:
    assert ages(["cn-north-1"]) == {}


def test_a_folder_of_tables_written_anew_is_tested_table_by_table(tmp_path: Path) -> None:
    line = table_line("ec2", {("instance_hour", (("os", "linux"),)): (Decimal(1), "hour", "")}, "aws", TODAY)
    (tmp_path / "prices-us-east-1.jsonl.gz").write_bytes(packed_lines([line]))
    first = next(iter(diagnose_prices(plugins_with(str(tmp_path)), TODAY)))
    assert (first.check, first.verdict) == ("refreshed", Verdict.OK)
    assert first.detail == f"1 region in {tmp_path}, asked before the bundled tables"
    (tmp_path / "prices-us-west-1.jsonl.gz").write_bytes(b"")
    broken = next(iter(diagnose_prices(plugins_with(str(tmp_path)), TODAY)))
    assert (broken.verdict, "is no price table" in broken.detail) == (Verdict.FAILED, True)


def folder_of(path: Path, *regions: str, day: date) -> Path:
    for region in regions:
        lines = [
            table_line(service, {("hour", ()): (Decimal(1), "hour", "")}, "aws", day)
            for service in ("ec2", "elasticache")
        ]
        (path / f"prices-{region}.jsonl.gz").write_bytes(packed_lines(lines))
    return path


def refreshed(folder: Path, *regions: str) -> dict[str, Result]:
    found = diagnose_prices(plugins_with(str(folder)), TODAY, regions)
    return {one.check: one for one in found if one.check.startswith("refreshed ")}


def test_tables_written_anew_say_the_age_of_every_services_figures_in_the_regions_that_are_used(tmp_path: Path) -> None:
    found = refreshed(folder_of(tmp_path, "us-east-1", "eu-west-1", day=date(2026, 11, 20)), "us-east-1")
    assert found.keys() == {"refreshed ec2", "refreshed elasticache"}
    assert found["refreshed ec2"].detail == "figures of 2026-11-20, the oldest of 10 days ago; us-east-1"
    assert (found["refreshed ec2"].verdict, found["refreshed ec2"].hint) == (Verdict.OK, "")
    everywhere = refreshed(folder_of(tmp_path, "us-east-1", day=date(2026, 11, 22)))["refreshed ec2"]
    assert everywhere.detail == (
        "figures from 2026-11-20 to 2026-11-22, the oldest of 10 days ago; eu-west-1, us-east-1"
    )


def test_tables_that_stand_before_newer_ones_of_the_release_are_a_warning_with_the_way_out(tmp_path: Path) -> None:
    found = refreshed(folder_of(tmp_path, "us-east-1", day=date(2020, 1, 1)), "us-east-1")["refreshed ec2"]
    assert found.verdict is Verdict.WARNING
    assert "the tables of this release have newer ones of us-east-1, and these stand before them" in found.detail
    assert found.hint == "finops prices refresh --regions us-east-1 writes them anew"
