"""The list of resources shows the columns that its address names, in the page and in its twins."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.testclient import TestClient
from tests.support.web_estate import ACCOUNT, Site, StoredScan, priced, resource

from finops.store.connection import Store

USUAL = ["USD a month", "Name", "Kind", "Region", "Account", "State", "Owner"]
ARN = f"arn:aws:test:us-east-1:{ACCOUNT}:ec2-instance/i-1"


@pytest.fixture
def client(site: Site, store: Store) -> TestClient:
    """A dashboard that has seen two instances; the first has tags."""
    tagged = resource("ec2-instance", "i-1", name="web", tags={"team": "shop", "owner": "ann"})
    StoredScan(store).write({"one": (tagged, priced("0.10")), "two": (resource("ec2-instance", "i-2"), priced("0.05"))})
    made = site.client(store)
    made.headers.update(site.bearer())
    return made


def page_of(client: TestClient, query: str) -> str:
    answer = client.get(f"/resources?{query}")
    assert answer.status_code == 200
    return answer.text


def heads(page: str) -> list[str]:
    return [re.sub("<[^>]+>", "", one) for one in re.findall(r"<th scope=\"col\".*?>(.*?)</th>", page)]


def ticked(page: str) -> list[str]:
    return re.findall(r'type="checkbox" name="columns" value="(\w+)" checked', page)


def hidden(page: str, form: str) -> list[tuple[str, str]]:
    inside = page.partition(f'<form class="{form}"')[2].partition("</form>")[0]
    return re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', inside)


def test_without_a_choice_the_usual_columns_are_shown_and_ticked(client: TestClient) -> None:
    page = page_of(client, "")

    assert heads(page) == USUAL
    assert ticked(page) == ["cost", "kind", "region", "account", "state", "owner"]


def test_chosen_columns_are_shown_in_their_own_order_beside_the_name_which_is_always_there(client: TestClient) -> None:
    page = page_of(client, "columns=tags&columns=owner&columns=cost&columns=owner")

    assert heads(page) == ["USD a month", "Name", "Owner", "Tags"]
    assert ticked(page) == ["cost", "owner", "tags"]
    assert heads(page_of(client, "columns=name")) == ["Name"]


def test_what_no_list_keeps_is_read_for_the_rows_that_are_shown(client: TestClient) -> None:
    page = page_of(client, "columns=created&columns=arn&columns=tags&columns=hourly&columns=annual")

    assert heads(page) == ["Name", "Created", "USD an hour", "USD a year", "Tags", "ARN"]
    for text in ("2026-01-01", ARN, "owner=ann", "team=shop", "0.1000", "876.00"):
        assert text in page


def test_columns_that_were_chosen_are_shown_on_a_phone_too(client: TestClient) -> None:
    table = page_of(client, "columns=kind&columns=state").partition("<table")[2].partition("</table>")[0]

    assert "phone-no" not in table
    assert "wide" not in table


@pytest.mark.parametrize("name", ["colour", "", "KIND", "kind,region", "<script>"])
def test_an_unknown_column_is_refused_as_an_unknown_order_is(client: TestClient, name: str) -> None:
    for path in ("/resources", "/resources.json", "/resources.csv"):
        answer = client.get(path, params={"columns": name})
        assert answer.status_code == client.get(path, params={"sort": name or "x"}).status_code == 422
        assert "columns" in answer.text
        assert "<script>alert" not in answer.text


def test_links_of_the_page_keep_the_columns(client: TestClient) -> None:
    page = page_of(client, "columns=owner&columns=tags&kind=ec2-instance&limit=1&sort=name")
    links = [one.replace("&amp;", "&") for one in re.findall(r'href="(/resources[.?][^"]*)"', page)]

    assert len(links) >= 5, "twins, heads, removals, next page"
    for link in links:
        if link != "/resources":
            asked = [value for name, value in parse_qsl(urlsplit(link).query) if name == "columns"]
            assert asked in (["owner", "tags"], []), link
    without = [link for link in links if "columns" not in link]
    assert [dict(parse_qsl(urlsplit(one).query)) for one in without] == [
        {"kind": "ec2-instance", "limit": "1", "sort": "name"}
    ], "only the way back to the usual columns leaves them out"


def test_each_form_keeps_what_the_other_has_set(client: TestClient) -> None:
    query = "columns=owner&columns=tags&kind=ec2-instance&tag=team&sort=name&min_cost=1&limit=50"
    page = page_of(client, query)

    assert hidden(page, "filters") == [
        ("columns", "owner"),
        ("columns", "tags"),
        ("sort", "name"),
        ("min_cost", "1"),
        ("limit", "50"),
    ]
    assert hidden(page, "columns") == [
        ("kind", "ec2-instance"),
        ("tag", "team"),
        ("sort", "name"),
        ("min_cost", "1"),
        ("limit", "50"),
        ("columns", "name"),
    ]


def test_twins_carry_the_chosen_columns_and_without_a_choice_everything(client: TestClient) -> None:
    query = "columns=cost&columns=owner&columns=tags"

    rows = list(csv.DictReader(io.StringIO(client.get(f"/resources.csv?{query}").text)))
    assert rows[0] == {
        "kind": "ec2-instance",
        "id": "i-1",
        "account": ACCOUNT,
        "region": "us-east-1",
        "name": "web",
        "monthly_cost": "73.0",
        "attributed_monthly_cost": "",
        "attributed_unknown": "",
        "owner": "ann",
        "tags": "owner=ann; team=shop",
    }
    (first, _) = client.get(f"/resources.json?{query}").json()
    assert first["tags"] == {"owner": "ann", "team": "shop"}
    assert first.keys() == rows[0].keys()
    (whole, _) = client.get("/resources.json").json()
    assert {"attributes", "utilization", "price"} <= whole.keys()
    assert "arn" in client.get("/resources.csv").text.partition("\r\n")[0]
