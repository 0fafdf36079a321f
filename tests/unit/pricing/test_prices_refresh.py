"""`finops prices refresh` downloads offer files from a server that speaks as AWS does, and writes tables of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.offer_files import OfferServer, instance, offer_server, price

from finops.domain.price import Price, PriceQuery
from finops.errors import InvalidInput
from finops_operator.plugins.loaded import load_kinds
from finops_operator.pricing.downloads import OfferFiles
from finops_operator.pricing.listed import tabled
from finops_operator.pricing.refresh import Refresh, RegionLeft, TableWritten
from finops_operator.pricing.refreshed import file_name, is_region, opened, regions_in

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
M5 = PriceQuery("ec2", "us-east-1", "instance_hour", (("instance_type", "m5.large"), ("os", "linux")))
GP3 = PriceQuery("ebs", "us-east-1", "gb_month", (("volume_type", "gp3"),))
VOLUME = price("V", "0.07", "GB-Mo", "EBS:VolumeUsage.gp3", Product_Family="Storage", Volume_API_Name="gp3")


@pytest.fixture
def aws() -> Iterator[OfferServer]:
    with offer_server() as server:
        yield server


class Run:
    """Runs the command on a folder and remembers what it showed and for how long it waited."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shown, self.waited = folder, list[str](), list[float]()

    def __call__(self, aws: OfferServer, *regions: str, services: str = "ec2 ebs") -> list[TableWritten | RegionLeft]:
        files = OfferFiles(aws.base, self.waited.append)
        chosen = frozenset(services.split())
        return list(
            Refresh(files, tabled(load_kinds().values()), chosen, self.folder, NOW, self.shown.append).regions(regions)
        )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "tables")


def test_a_region_is_written_and_its_prices_name_the_day_of_publication(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.0900000000"), VOLUME])
    written = [one for one in run(aws, "us-east-1") if isinstance(one, TableWritten)]
    assert [(one.service, one.figures, one.published) for one in written] == [
        ("ebs", 1, date(2026, 11, 20)),
        ("ec2", 1, date(2026, 11, 20)),
    ]
    source = opened(str(run.folder))
    assert source.lookup(M5) == Price(Decimal("0.09"), "hour", "refreshed", date(2026, 11, 20), sku="A")
    assert source.lookup(GP3) == Price(Decimal("0.07"), "gb-month", "refreshed", date(2026, 11, 20), sku="V")
    noted = json.loads((run.folder / "sources.json").read_text())["regions"]["us-east-1"]["AmazonEC2"]
    assert (noted["published"], noted["readAt"], noted["rows"]) == ("2026-11-20", "2026-11-30T12:00:00+00:00", 2)
    assert noted["source"].endswith("/offers/v1.0/aws/AmazonEC2/20261120170203/us-east-1")
    assert any("MiB read" in text for text in run.shown)


def test_a_product_that_the_offer_lacks_is_named_and_the_folder_has_no_price_for_it(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09"), VOLUME])
    found = {one.service: one for one in run(aws, "us-east-1") if isinstance(one, TableWritten)}
    assert "gb_month/gp2" in found["ebs"].missing
    assert "gb_month/gp3" not in found["ebs"].missing
    assert "instance_hour/m5.xlarge/linux" in found["ec2"].missing
    gp2 = PriceQuery("ebs", "us-east-1", "gb_month", (("volume_type", "gp2"),))
    assert opened(str(run.folder)).lookup(gp2) is None


def test_an_answer_of_503_is_asked_again_and_then_succeeds(aws: OfferServer, run: Run) -> None:
    path = aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09")])
    aws.failures = {path: 2, "/offers/v1.0/aws/AmazonEC2/current/region_index.json": 1}
    assert [type(one) for one in run(aws, "us-east-1")] == [TableWritten]
    assert (aws.asked.count(path), run.waited) == (3, [1.0, 1.0, 2.0])


def test_a_file_that_ends_early_is_asked_again_and_in_the_end_nothing_is_written(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09")])
    run(aws, "us-east-1")
    before = (run.folder / "prices-us-east-1.jsonl.gz").read_bytes()
    path = aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.05"), VOLUME])
    aws.cut = {path}
    (left,) = run(aws, "us-east-1")
    assert isinstance(left, RegionLeft)
    assert "could not be read in 4 attempts" in left.error.message
    assert (run.folder / "prices-us-east-1.jsonl.gz").read_bytes() == before
    assert sorted(path.name for path in run.folder.iterdir()) == ["prices-us-east-1.jsonl.gz", "sources.json"]


def test_another_currency_leaves_that_region_as_it_was_and_the_others_are_written(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09", Currency="CNY")])
    aws.put("AmazonEC2", "eu-west-1", [instance("A", "m5.large", "0.1", Region_Code="eu-west-1")])
    left, written = run(aws, "us-east-1", "eu-west-1")
    assert isinstance(left, RegionLeft)
    assert isinstance(written, TableWritten)
    assert "is in CNY, not in USD" in left.error.message
    assert [path.name for path in run.folder.glob("prices-*")] == ["prices-eu-west-1.jsonl.gz"]


def test_one_bad_file_of_several_leaves_the_whole_region_as_it_was(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09")])
    aws.put("AWSELB", "us-east-1", [])
    (left,) = run(aws, "us-east-1", services="ec2 elb")
    assert isinstance(left, RegionLeft)
    assert list(run.folder.iterdir()) == []


def test_services_that_were_not_asked_for_keep_their_figures(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09"), VOLUME])
    run(aws, "us-east-1")
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.08"), {**VOLUME, "PricePerUnit": "9"}])
    run(aws, "us-east-1", services="ec2")
    source = opened(str(run.folder))
    amounts = [found.amount for query in (M5, GP3) if (found := source.lookup(query)) is not None]
    assert amounts == [Decimal("0.08"), Decimal("0.07")]


def test_a_region_without_any_offer_is_left(aws: OfferServer, run: Run) -> None:
    aws.put("AmazonEC2", "us-east-1", [instance("A", "m5.large", "0.09")])
    (left,) = run(aws, "xx-west-9")
    assert isinstance(left, RegionLeft)
    assert "has no offer file of these services in xx-west-9" in left.error.message


@pytest.mark.parametrize("base", ["http://pricing.us-east-1.amazonaws.com", "ftp://127.0.0.1", "nonsense"])
def test_offer_files_come_by_https_except_from_this_machine(base: str) -> None:
    with pytest.raises(InvalidInput, match="is no address of offer files"):
        OfferFiles(base, lambda _: None)


def test_a_folder_without_tables_and_a_broken_table_are_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="has no price table"):
        opened(str(tmp_path))
    (tmp_path / "prices-us-east-1.jsonl.gz").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="is no price table"):
        opened(str(tmp_path)).lookup(M5)


@pytest.mark.parametrize("code", ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "mx-central-1"])
def test_a_table_is_written_and_found_for_every_partition(tmp_path: Path, code: str) -> None:
    (tmp_path / file_name(code)).touch()
    assert is_region(code)
    assert regions_in(tmp_path) == {code}


@pytest.mark.parametrize("word", ["", "us-east", "../us-east-1", "global", "us-east-1-bos-1", "europe-de-east-1"])
def test_what_is_no_region_is_none(word: str) -> None:
    assert not is_region(word)
