"""`finops costs` and `finops resources` never show what has no price as free, nor let one policy's month colour all."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops

from finops.domain.focus.columns import COLUMNS, Version
from finops.domain.focus.rules import check_header, check_row
from finops.domain.quantity import counted

UNPRICED = {"includeTags": {"Name": ["unpriced"]}}


def test_where_nothing_has_a_price_the_cost_is_unknown_and_not_zero(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    finops("scan", "-f", files(policy("production", selector=UNPRICED), account("production")), "--redis", valkey_url)
    name = selecting(finops, valkey_url)
    (line,) = json.loads(finops("costs", "--policy", name, "--redis", valkey_url, "-o", "json").out)
    assert (line["service"], line["monthlyCost"], line["unpricedResources"]) == ("ec2", None, 1)
    assert (line["percentage"], line["dailyCost"], line["annualCost"]) == (None, None, None)
    costs = finops("costs", "--policy", name, "--redis", valkey_url)
    assert "0.00" not in costs.out
    assert "total unknown: 1 resource without any price" in costs.err
    listed = finops("resources", "--policy", name, "--redis", valkey_url)
    assert "1 resource, cost unknown, 1 of them not fully priced" in listed.err


def test_a_total_is_at_least_so_much_where_a_resource_has_no_price(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    by_kind = finops("costs", "--by", "kind", "--redis", valkey_url, "-o", "json").out
    lines = {one["kind"]: one for one in json.loads(by_kind)}
    assert float(lines["ec2-instance"]["monthlyCost"]) > 0
    assert {name: one["unpricedResources"] for name, one in lines.items()} == {"ec2-instance": 1, "ebs-volume": 0}
    printed = finops("costs", "--redis", valkey_url).err
    assert "total at least " in printed
    assert "USD a month: 1 resource not fully priced" in printed
    assert "1 of them not fully priced" in finops("resources", "--redis", valkey_url).err


def test_a_kind_without_any_resource_is_counted_and_not_listed(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance", "secretsmanager-secret", "kinesis-stream"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    arguments = ("costs", "--by", "kind", "--redis", valkey_url)
    resources = {one["kind"]: one["resources"] for one in json.loads(finops(*arguments, "-o", "json").out)}
    empty = sorted(kind for kind, number in resources.items() if not number)
    assert resources["ec2-instance"]
    assert empty

    shown = finops(*arguments)

    assert not [line for line in shown.out.splitlines() if line.split()[0] in empty]
    assert f"{counted(len(empty), 'kind')} without any resource: not listed" in shown.err


def test_a_service_costs_what_its_kinds_cost_together(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    kinds, services = (
        json.loads(finops("costs", "--by", by, "--redis", valkey_url, "-o", "json").out) for by in ("kind", "service")
    )
    assert {one["kind"] for one in kinds} == {"ec2-instance", "ebs-volume"}
    assert [one["service"] for one in services] == ["ec2"]
    assert f"{sum(float(one['monthlyCost']) for one in kinds):.2f}" == services[0]["monthlyCost"]


def test_what_everything_costs_does_not_depend_on_the_policy_that_scanned_last(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    def scanned(hours: int) -> list[dict[str, Any]]:
        path = files(policy("production", pricing={"hoursPerMonth": hours}), account("production"))
        assert finops("scan", "-f", path, "--redis", valkey_url).code == 0
        found: list[dict[str, Any]] = json.loads(finops("costs", "--redis", valkey_url, "-o", "json").out)
        return [{**one, "policies": {}} for one in found]

    assert scanned(730) == scanned(672)
    printed = finops("costs", "--redis", valkey_url).err
    assert "of it (in its month of 672 hours)" in printed


def selecting(finops: Finops, valkey_url: str) -> str:
    """Return the name of the policy that selects the instance without a price."""
    listed = json.loads(finops("resources", "--redis", valkey_url, "-o", "json").out)
    (found,) = {name for one in listed if one["name"] == "unpriced" for name in one["policies"]}
    return str(found)


def test_costs_by_a_tag_add_up_to_the_same_total_with_a_line_for_what_is_not_tagged(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    listed = json.loads(finops("resources", "--redis", valkey_url, "-o", "json").out)
    key = "team"
    name = selecting(finops, valkey_url)
    for of_policy in ((), ("--policy", name)):
        lines = json.loads(finops("costs", "--tag", key, *of_policy, "--redis", valkey_url, "-o", "json").out)
        assert {one["value"] for one in lines} == {one["tags"].get(key) for one in listed}
        for line in lines:
            carrying = [one for one in listed if one["tags"].get(key) == line["value"]]
            known = [Decimal(one["monthlyCost"]) for one in carrying if one["monthlyCost"] is not None]
            assert (line["resources"], line["unpricedResources"]) == (len(carrying), len(carrying) - len(known))
            assert line["monthlyCost"] == (f"{sum(known):.2f}" if known else None)
            assert line["policies"] == {name: line["monthlyCost"]}
    shown = finops("costs", "--tag", key, "--redis", valkey_url)
    assert f"TAG {key.upper()}" in shown.out
    assert "(not tagged)" in shown.out
    services = finops("costs", "--redis", valkey_url)
    assert shown.err.splitlines()[0] == services.err.splitlines()[0], "the same total"


@pytest.mark.parametrize("version", Version)
def test_charges_in_focus_keep_its_rules_but_for_what_is_announced(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str, version: Version
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    printed = finops("costs", "--focus", "--focus-version", version, "--redis", valkey_url)
    reader = csv.DictReader(io.StringIO(printed.out))
    rows = list(reader)

    assert list(check_header(reader.fieldnames or (), version)) == []
    announced = {column.name for column in COLUMNS if column.unknown}
    broken = {one for row in rows for one in check_row(row, version)}
    assert {one for one in broken if one.rule != "null"} == set()
    assert {one.column for one in broken} <= announced
    assert printed.err.splitlines()[0].startswith(f"{len(rows)} charges in FOCUS {version}, estimated at list prices")
    assert "does not hold" not in printed.err


def test_charges_in_focus_are_a_day_of_what_the_resources_cost_a_month(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance", "ebs-volume"])
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    charged = json.loads(finops("costs", "--focus", "--redis", valkey_url, "-o", "json").out)
    listed = json.loads(finops("resources", "--redis", valkey_url, "-o", "json").out)

    for one in listed:
        parts = [row for row in charged if row["ResourceId"] == one["arn"]]
        if one["monthlyCost"] is None:
            assert [row["x_PriceMissing"] for row in parts if row["ListCost"] is None] == one["priceMissing"]
            continue
        day = sum((Decimal(row["ListCost"]) for row in parts), Decimal(0))
        assert abs(day * 730 / 24 - Decimal(one["monthlyCost"])) < Decimal("0.01"), one["id"]


def test_charges_in_focus_of_a_policy_are_those_of_its_resources(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    finops("scan", "-f", files(policy("production", selector=UNPRICED), account("production")), "--redis", valkey_url)
    name = selecting(finops, valkey_url)
    rows = list(csv.DictReader(io.StringIO(finops("costs", "--focus", "--policy", name, "--redis", valkey_url).out)))

    assert {row["ResourceName"] for row in rows} == {"unpriced"}
    assert all(row["x_PriceMissing"] for row in rows if not row["ListCost"])
    assert any(not row["ListCost"] for row in rows)


def test_charges_in_focus_as_parquet_are_those_of_json_with_types(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str, tmp_path: Path
) -> None:
    finops(
        "scan",
        "-f",
        files(policy("production", resources=["ebs-volume"]), account("production")),
        "--redis",
        valkey_url,
    )
    made = tmp_path / "charges.parquet"
    charged = json.loads(finops("costs", "--focus", "--redis", valkey_url, "-o", "json").out)
    made.write_bytes(b"an older file")
    printed = finops("costs", "--focus", "--parquet", str(made), "--redis", valkey_url)
    assert printed.out == ""
    assert f"{len(charged)} charges in FOCUS 1.2" in printed.err
    table = parquet.read_table(made)
    assert table.schema.names == list(charged[0])
    assert table.schema.metadata[b"FocusVersion"] == b"1.2"
    rows = table.to_pylist()
    assert [row["ResourceId"] for row in rows] == [one["ResourceId"] for one in charged]
    for row, one in zip(rows, charged, strict=True):
        for name in ("ListCost", "ListUnitPrice", "PricingQuantity"):
            assert row[name] == (None if one[name] is None else Decimal(one[name])), name
        assert row["ChargePeriodStart"] == datetime.fromisoformat(one["ChargePeriodStart"])
        assert row["BilledCost"] is None
    assert [path.name for path in tmp_path.glob(".charges*")] == []


def test_parquet_without_charges_and_into_no_folder_is_refused_by_its_option(finops: Finops, valkey_url: str) -> None:
    alone = finops("costs", "--parquet", "charges.parquet", "--redis", valkey_url)
    assert (alone.code, "add --focus" in alone.err) == (2, True), alone.err
    nowhere = finops("costs", "--focus", "--parquet", "/nowhere/charges.parquet", "--redis", valkey_url)
    assert (nowhere.code, "No such file or directory" in nowhere.err) == (2, True), nowhere.err


def test_what_commitments_paid_for_stands_beside_the_costs_where_a_policy_asks_for_it(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    wanted = policy("production", resources=["ec2-instance"], pricing={"commitmentCoverage": True})
    finops("scan", "-f", files(wanted, account("production")), "--redis", valkey_url)
    said = finops("costs", "--redis", valkey_url).err
    assert "Reserved Instances paid for 25.0 % of the hours of EC2 instances" in said
    assert "Savings Plans paid for 75.0 % of what they can pay for" in said
    assert "Reserved" not in finops("costs", "--redis", valkey_url, "-o", "json").err
