"""The list of resources shows facts that a kind declares of its own, in the page and in its twins."""

from __future__ import annotations

import csv
import io
import re

import pytest
from fastapi.testclient import TestClient
from tests.support.web_estate import ACCOUNT, Site, StoredScan, priced, resource

from finops.store.connection import Store
from finops_operator.plugins.loaded import load_kinds
from finops_operator.scan.custom.fields import fields_of

DATABASE = {"engine": "=1+1", "db_instance_class": "db.m5.large", "allocated_storage_gb": 1200, "multi_az": False}
QUERY = "columns=attributes.engine&columns=attributes.allocated_storage_gb&columns=attributes.multi_az"
NAMES = ["attributes.engine", "attributes.allocated_storage_gb", "attributes.multi_az"]


@pytest.fixture
def client(site: Site, store: Store) -> TestClient:
    """A dashboard that has seen a database, one of which AWS said nothing more, and an instance."""
    found = resource("rds-instance", "orders", attributes=DATABASE), priced("0.10")
    bare = resource("rds-instance", "bare"), priced("0.07")
    other = resource("ec2-instance", "i-1", attributes={"instance_type": "m5.large"}), priced("0.05")
    StoredScan(store).write({"one": found, "two": bare, "three": other})
    made = site.client(store)
    made.headers.update(site.bearer())
    return made


def page_of(client: TestClient, query: str) -> str:
    answer = client.get(f"/resources?{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def cells(page: str) -> list[list[str]]:
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def test_every_fact_that_a_kind_declares_is_offered_when_the_list_is_of_that_kind(client: TestClient) -> None:
    declared = [name for name in fields_of(load_kinds()["rds-instance"]) if name.startswith("attributes.")]

    offered = re.findall(
        r'type="checkbox" name="columns" value="(attributes\.\w+)"', page_of(client, "kind=rds-instance")
    )

    assert offered == declared
    assert {"attributes.engine", "attributes.db_instance_class"} <= set(offered)
    assert "attributes." not in page_of(client, "")


def test_what_is_not_known_and_what_a_kind_has_not_are_said_apart(client: TestClient) -> None:
    assert cells(page_of(client, QUERY)) == [
        ["orders", "=1+1", "1,200", "no"],
        ["bare", "not known", "not known", "not known"],
        ["i-1", "", "", ""],
    ]


def test_facts_are_ticked_and_no_order_is_offered_by_them(client: TestClient) -> None:
    page = page_of(client, f"{QUERY}&columns=kind")
    heads = re.findall(r"<th scope=\"col\".*?>(.*?)</th>", page)

    assert re.findall(r'value="(attributes\.\w+)" checked', page) == NAMES
    assert heads[-3:] == ["Engine", "Allocated storage GB", "Multi AZ"], "no links"
    assert "<a href" in heads[0]
    assert client.get("/resources?sort=attributes.engine").status_code == 422


def test_twins_carry_facts_by_the_names_of_the_api_and_no_cell_becomes_a_formula(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get(f"/resources.csv?{QUERY}").text)))
    assert list(rows[0]) == ["kind", "id", "account", "region", "name", *NAMES]
    assert [[row[name] for name in NAMES] for row in rows] == [["'=1+1", "1200", "false"], [""] * 3, [""] * 3]

    first, bare, other = client.get(f"/resources.json?{QUERY}").json()
    assert first == {
        "kind": "rds-instance",
        "id": "orders",
        "account": ACCOUNT,
        "region": "us-east-1",
        "name": "",
        "attributes": {"engine": "=1+1", "allocated_storage_gb": 1200, "multi_az": False},
    }
    assert bare["attributes"] == {"engine": None, "allocated_storage_gb": None, "multi_az": None}
    assert other["attributes"] == {}


@pytest.mark.parametrize("name", ["attributes.colour", "attributes.", "engine", "attributes.__class__"])
def test_a_fact_that_no_kind_declares_is_refused(client: TestClient, name: str) -> None:
    for path in ("/resources", "/resources.json", "/resources.csv"):
        answer = client.get(path, params={"columns": name})
        assert answer.status_code == 422
        assert "columns" in answer.text
