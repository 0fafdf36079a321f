"""What the pages show: figures with their freshness and gaps, hostile text as text, lists that page and filter."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.fake_clock import FakeClock
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.resource import Gap
from finops.store.connection import Store

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    '=HYPERLINK("http://evil")',
    "\u202egnp.exe",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_tags_stay_text_on_every_page(site: Site, store: Store, text: str) -> None:
    one = resource("ec2-instance", "i-1", name=text, tags={text: text, "owner": text})
    StoredScan(store).write({"one": (one, priced("0.10"))})
    client = site.client(store)

    for path in (
        "/",
        "/resources",
        "/resources/ec2-instance/i-1",
        f"/resources?find={text}",
        "/optimizations",
        "/anomalies",
        "/budgets",
    ):
        page = client.get(path, headers=site.bearer()).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "' onmouseover='" not in page
        assert "49" not in page.partition("<main")[2] or "{{" in page


def test_a_cell_that_a_spreadsheet_would_run_is_kept_a_text(site: Site, store: Store) -> None:
    StoredScan(store).write({"one": (resource("ec2-instance", "i-1", name="=1+1"), priced("0.10"))})

    rows = list(csv.DictReader(io.StringIO(site.client(store).get("/resources.csv", headers=site.bearer()).text)))

    assert rows[0]["name"] == "'=1+1"
    assert rows[0]["monthly_cost"] == "73.0"


def test_gaps_and_age_stand_under_every_title(site: Site, store: Store) -> None:
    gap = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "UnauthorizedOperation", "the role may not", 3)
    StoredScan(store).write({"one": (resource("ec2-instance", "i-1"), priced("0.10"))}, gaps=(gap,))
    client = site.client(store)

    for path in ("/", "/optimizations", "/resources", "/savings", "/anomalies", "/policies", "/audit"):
        page = client.get(path, headers=site.bearer()).text
        assert "1 gap: something could not be seen" in page, path
        assert "ec2:DescribeInstances" in page, path
        assert "2026-03-10 12:30 UTC" in page, path


def test_an_unknown_cost_is_said_in_words_and_what_is_known_of_it_is_in_the_sum(site: Site, store: Store) -> None:
    StoredScan(store).write(
        {
            "priced": (resource("ec2-instance", "i-1"), priced("0.10")),
            "odd": (resource("ec2-instance", "i-2"), priced("0.10", missing=("licence: no price",))),
        }
    )

    page = site.client(store).get("/resources", headers=site.bearer()).text

    assert "no price" in page
    assert "at least $146.00 a month" in page, "the part that has a price counts"
    assert "1 not fully priced" in page


def test_lists_page_without_losing_or_repeating_a_row(site: Site, store: Store) -> None:
    rows = {str(n): (resource("ec2-instance", f"i-{n:04}"), priced(f"0.{n % 7 + 1}")) for n in range(230)}
    StoredScan(store).write(rows)
    client, cursor, seen = site.client(store), "", []

    while True:
        body = client.get(f"/api/resources?limit=50&cursor={cursor}", headers=site.bearer()).json()
        seen += [row["id"] for row in body["data"]]
        cursor = body["meta"]["next"]
        if not cursor:
            break

    assert len(seen) == 230
    assert len(set(seen)) == 230


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=ebs-volume", {"vol-1"}),
        ("region=eu-west-1", {"i-2"}),
        ("tag=team", {"i-1", "i-2"}),
        ("tag=team=web", {"i-1"}),
        ("tag=team&tag=stage=prod", {"i-2"}),
        ("owner=web", {"i-1"}),
        ("find=WEB-", {"i-1"}),
        ("state=available", {"vol-1"}),
        ("min_cost=100", {"i-2"}),
        ("account=999999999999", set()),
    ],
)
def test_every_filter_narrows_the_list(site: Site, store: Store, query: str, found: set[str]) -> None:
    StoredScan(store).write(
        {
            "1": (resource("ec2-instance", "i-1", name="web-1", tags={"team": "web"}), priced("0.10")),
            "2": (
                resource("ec2-instance", "i-2", region="eu-west-1", tags={"team": "db", "stage": "prod"}),
                priced("0.20"),
            ),
            "3": (resource("ebs-volume", "vol-1", state="available"), priced(monthly="8.00")),
        }
    )

    rows = site.client(store).get(f"/api/resources?{query}", headers=site.bearer()).json()["data"]

    assert {row["id"] for row in rows} == found


@pytest.mark.timeout(180)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "/api/resources",
            "/api/instances",
            "/resources",
            "/api/optimizations",
            "/api/costing/current",
            "/audit",
            "/api/audit",
            "/api/costing/history",
        ]
    ),
    name=st.sampled_from(
        [
            "kind",
            "find",
            "tag",
            "cursor",
            "limit",
            "min_cost",
            "sort",
            "hours_per_month",
            "start",
            "days",
            "by",
            "before",
        ]
    ),
    value=st.text(max_size=40),
)
def test_whatever_an_address_says_the_answer_is_no_failure_of_ours(
    site: Site, store: Store, path: str, name: str, value: str
) -> None:
    answer = site.client(store).get(path, params={name: value}, headers=site.bearer())

    assert answer.status_code in {200, 422}


def test_a_stale_figure_is_marked(site: Site, store: Store) -> None:
    StoredScan(store).write({"one": (resource("ec2-instance", "i-1"), priced("0.10"))})
    clock = FakeClock(NOW)
    clock.sleep(27 * 3600)

    assert "older than a day" in site.client(store, clock=clock).get("/", headers=site.bearer()).text


def test_an_id_that_two_accounts_or_regions_have_is_shown_as_asked_for_and_names_the_others(
    site: Site, store: Store
) -> None:
    here, there = (resource("lambda-function", "orders", region=region) for region in ("us-east-1", "eu-west-1"))
    other = replace(here, account="444455556666", name="of another account")
    costs = {"a": (here, priced("0.10")), "b": (there, priced("0.30")), "c": (other, priced("0.20"))}
    StoredScan(store).write(costs)
    client = site.client(store)

    listed = client.get("/resources", headers=site.bearer()).text
    for one in (here, there, other):
        link = f"/resources/lambda-function/orders?account={one.account}&amp;region={one.region}"
        assert link in listed
        page = client.get(link.replace("&amp;", "&"), headers=site.bearer()).text
        assert f"<dt>Account</dt><dd>{one.account}</dd><dt>Region</dt><dd>{one.region}</dd>" in page
        assert "2 other resources have this id" in page
    # An address of before names neither: the dearest is shown.
    old = client.get("/resources/lambda-function/orders", headers=site.bearer()).text
    assert "<dd>eu-west-1</dd>" in old
    assert "2 other resources have this id" in old
    gone = client.get("/resources/lambda-function/orders?account=1", headers=site.bearer())
    assert gone.status_code == 404


def test_an_id_of_one_resource_names_no_others(site: Site, store: Store) -> None:
    StoredScan(store).write({"a": (resource("lambda-function", "orders"), priced("0.10"))})
    page = site.client(store).get("/resources/lambda-function/orders", headers=site.bearer()).text
    assert "this id" not in page
