"""Every page has its twins for programs, and links to them; an answer that did not change is not sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.openapi.utils import get_openapi
from tests.support.api_sample import Sample, sample
from tests.support.fake_clock import FakeClock
from tests.support.web_estate import Site

from finops.store.connection import Store


@pytest.fixture
def api(site: Site, store: Store, tmp_path: Path) -> Iterator[Sample]:
    with sample(site, store, tmp_path) as made:
        yield made


def application(api: Sample) -> Any:
    return api.client.app


def test_every_page_of_the_navigation_has_both_twins_and_names_them(api: Sample) -> None:
    entries = application(api).state.navigation
    assert len(entries) == 9
    for entry in entries:
        name = "/dashboard" if entry.path == "/" else entry.path
        page = api.client.get(entry.path, headers=api.headers).text
        for end, kind in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
            twin = api.client.get(f"{name}.{end}", headers=api.headers)
            assert (twin.status_code, twin.headers["content-type"]) == (200, kind), (name, end)
            assert f'href="{name}.{end}' in page, (name, end)


def rows(api: Sample, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(api.client.get(path, headers=api.headers).text)))


def test_a_row_of_the_dashboards_table_is_a_figure_by_its_name_in_the_data(api: Sample) -> None:
    data = api.client.get("/dashboard.json", headers=api.headers).json()

    found = {row["figure"]: row["value"] for row in rows(api, "/dashboard.csv")}

    assert float(found["monthlyCost"]) == data["monthlyCost"]
    assert float(found["savings.actionable"]) == data["savings"]["actionable"]
    assert found["accounts[0].account"] == data["accounts"][0]["account"]


def test_a_row_of_the_policies_table_is_a_policy(api: Sample) -> None:
    (data,) = api.client.get("/policies.json", headers=api.headers).json()

    (found,) = rows(api, "/policies.csv")

    assert (found["namespace"], found["name"], found["monthlyCost"]) == ("team-a", "all", data["monthlyCost"] or "")
    assert (found["gaps"], found["resources"]) == (str(len(data["gaps"])), str(data["resources"]))


def test_whatever_is_asked_for_twice_is_answered_304_though_time_passes(api: Sample) -> None:
    paths = get_openapi(title="", version="", routes=application(api).routes)["paths"]
    asked = [
        path.format(**api.paths) for path, methods in paths.items() if "get" in methods and path.startswith("/api/")
    ]
    asked += [f"{name}.{end}" for name in ("/policies", "/dashboard", "/savings") for end in ("json", "csv")]
    assert len(asked) > 25
    for path in asked:
        first = api.client.get(path, headers=api.headers)
        assert first.status_code == 200, path
        cast("FakeClock", application(api).state.parts.clock).sleep(2)
        tag = {"If-None-Match": first.headers["etag"]}
        again = api.client.get(path, headers={**api.headers, **tag})
        assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"]), path


def test_a_figure_of_costs_says_as_of_when_it_is_and_nothing_where_nothing_was_scanned(api: Sample, site: Site) -> None:
    body = api.client.get("/api/costing/current", headers=api.headers).json()
    assert body["data"]["timestamp"] == body["meta"]["asOf"] is not None

    nothing = api.client.get("/api/costing/current", headers=site.bearer("bob")).json()
    assert (nothing["data"]["timestamp"], nothing["meta"]["asOf"]) in {(None, None), (body["meta"]["asOf"],) * 2}


def test_the_ledger_is_read_page_by_page_with_cursors_like_every_list(api: Sample) -> None:
    def page(query: str) -> Any:
        return api.client.get(f"/api/audit?limit=1{query}", headers=api.headers).json()

    found, query = [], ""
    while True:
        body = page(query)
        found += [row["sequence"] for row in body["data"]]
        if body["meta"]["next"] is None:
            break
        assert not body["meta"]["next"].isdecimal()
        query = f"&cursor={body['meta']['next']}"
    whole = api.client.get("/api/audit", headers=api.headers).json()["data"]
    assert found == [row["sequence"] for row in whole]
    assert len(found) > 1
    assert [row["sequence"] for row in page("&start=2")["data"]] == [2], "what was documented goes on working"


@pytest.mark.parametrize("cursor", ["2", "x", "WzEsImEiXQ", "WzFlOTksIiJd", "Wy0xLCIiXQ"])
def test_a_cursor_of_another_list_is_none_of_the_ledgers(api: Sample, cursor: str) -> None:
    answer = api.client.get(f"/api/audit?cursor={cursor}", headers=api.headers)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "cursor")
