"""Cost over time on the pages and in the API: known days, a forecast with its range, anomalies with their cause."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.selected_costs import keep_selected

INSTANCES = Shard(ACCOUNT, "us-east-1", "ec2-instance")
VOLUMES = Shard(ACCOUNT, "us-east-1", "ebs-volume")
TODAY = NOW.date()


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ebs-volume", "vol-1"), priced(monthly="8.00")),
        }
    )
    return store


def remember(store: Store, days: int, *, odd: dict[int, int] | None = None) -> None:
    """Write `days` days until today: instances for 7300 a month, volumes for 730, at `odd` days ago more instances."""
    history = CostHistoryStore(store)
    for ago in range(days):
        more = (odd or {}).get(ago, 0)
        instances = ShardCost(Decimal(7300 + 73 * (ago % 2) + 730 * more), 12 + more, 0)
        history.put(TODAY - timedelta(days=ago), {INSTANCES: instances, VOLUMES: ShardCost(Decimal(730), 9, 0)})


def data(site: Site, store: Store, path: str, person: str = "alice") -> Any:
    answer = site.client(store).get(path, headers=site.bearer(person))
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("by", "sums"),
    [
        ("all", {"all": 264.0}),
        ("service", {"ec2-instance": 240.0, "ebs-volume": 24.0}),
        ("region", {"us-east-1": 264.0}),
        ("account", {ACCOUNT: 264.0}),
    ],
)
def test_the_history_is_the_cost_of_each_day_by_what_is_asked_for(
    site: Site, estate: Store, by: str, sums: dict[str, float]
) -> None:
    remember(estate, 5)

    rows = data(site, estate, f"/api/costing/history?by={by}&days=3")

    assert {one["date"] for one in rows} == {(TODAY - timedelta(days=ago)).isoformat() for ago in range(3)}
    assert {one[by]: one["cost"] for one in rows if one["date"] == TODAY.isoformat()} == sums


def test_a_short_history_is_said_and_nothing_is_guessed(site: Site, estate: Store) -> None:
    remember(estate, 27)

    found = data(site, estate, "/api/costing/forecast")
    page = site.client(estate).get("/", headers=site.bearer()).text

    assert (found["monthEnd"], found["threeMonths"], found["restOfMonth"]) == (None, None, None)
    assert found["reason"] == "not enough history: 27 of 28 days"
    assert found["possibleFrom"] == {"monthEnd": "2026-03-11", "threeMonths": "2026-05-12"}
    assert "Month end: not enough history, 27 of 28 days; with a scan each day there is one from 2026-03-11 on." in page
    assert (
        "Three months ahead: not enough history, 27 of 90 days; with a scan each day there is one from 2026-05-12"
        in page
    )
    assert data(site, estate, "/api/anomalies")["reason"] == "not enough history: 27 of 29 days"
    assert "Not enough history" in site.client(estate).get("/anomalies", headers=site.bearer()).text


def test_month_end_is_what_is_known_plus_the_forecast_of_the_rest_with_its_range(site: Site, estate: Store) -> None:
    remember(estate, 120)

    found = data(site, estate, "/api/costing/forecast")

    assert found["knownDays"] == TODAY.day
    assert len(found["restOfMonth"]["days"]) == 31 - TODAY.day
    end = found["monthEnd"]
    assert end["low"] <= end["expected"] <= end["high"]
    assert end["expected"] == pytest.approx(31 * 265.2, rel=0.01)
    assert found["threeMonths"]["total"] == pytest.approx(91 * 265.2, rel=0.02)
    page = site.client(estate).get("/", headers=site.bearer()).text
    assert f"Month end <strong>${end['expected']:,.0f}</strong>" in page
    assert data(site, estate, "/api/dashboard")["monthEnd"] == [end["expected"], end["low"], end["high"]]


def test_a_history_that_ended_days_ago_is_no_ground_for_a_forecast(site: Site, estate: Store) -> None:
    CostHistoryStore(estate).put(TODAY - timedelta(days=9), {VOLUMES: ShardCost(Decimal(730), 9, 0)})

    found = data(site, estate, "/api/costing/forecast")

    assert (found["monthToDate"], found["knownDays"], found["monthEnd"]) == (None, 0, None)


def test_a_region_that_was_not_scanned_today_is_not_free_today(site: Site, store: Store) -> None:
    elsewhere = two_regions(store, since=1)

    found = data(site, store, "/api/costing/forecast")

    assert (found["monthToDate"], found["knownDays"]) == (600.0 * (TODAY.day - 1), TODAY.day - 1)
    assert found["knownThrough"] == (TODAY - timedelta(days=1)).isoformat()
    assert found["monthEnd"]["expected"] == pytest.approx(600.0 * 31)
    rows = data(site, store, "/api/costing/history")
    assert (rows[-1]["date"], rows[-1]["cost"]) == ((TODAY - timedelta(days=1)).isoformat(), 600.0)
    assert data(site, store, "/api/anomalies")["anomalies"] == []
    page = site.client(store).get("/", headers=site.bearer()).text
    assert f"in {TODAY.day - 1} known days, through {TODAY - timedelta(days=1)}" in page
    assert elsewhere.region == "eu-west-1"


def test_a_region_that_was_not_scanned_for_long_leaves_the_month_unknown_until_no_policy_has_it(
    site: Site, store: Store
) -> None:
    two_regions(store, since=10)
    last = TODAY - timedelta(days=10)
    said = (
        f"nothing is known of the days after {last}: ec2-instance in eu-west-1 of account {ACCOUNT} was not listed "
        "whole since"
    )

    found = data(site, store, "/api/costing/forecast")

    assert (found["monthEnd"], found["monthToDate"], found["reason"]) == (None, None, said)
    assert data(site, store, "/api/anomalies")["leftOut"] == [said]
    assert said in site.client(store).get("/anomalies", headers=site.bearer()).text
    assert said.replace(": ", ", ") in site.client(store).get("/", headers=site.bearer()).text

    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})

    found = data(site, store, "/api/costing/forecast")
    assert (found["monthToDate"], found["reason"]) == (100.0 * TODAY.day, "")


def two_regions(store: Store, *, since: int) -> Shard:
    """Write 81 days until today of 100 USD a day in one region, and of 500 in another until `since` days ago."""
    elsewhere = Shard(ACCOUNT, "eu-west-1", "ec2-instance")
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ec2-instance", "i-2", region="eu-west-1"), priced("0.10")),
        }
    )
    for ago in range(81):
        costs = {INSTANCES: ShardCost(Decimal(73000) / 24, 1, 0)}
        if ago >= since:
            costs[elsewhere] = ShardCost(Decimal(365000) / 24, 1, 0)
        CostHistoryStore(store).put(TODAY - timedelta(days=ago), costs)
    return elsewhere


def test_an_anomaly_names_what_changed_and_by_how_many_resources(site: Site, estate: Store) -> None:
    remember(estate, 90, odd={2: 5})

    (one,) = data(site, estate, "/api/anomalies")["anomalies"]
    page = site.client(estate).get("/anomalies", headers=site.bearer()).text

    assert one["firstDay"] == (TODAY - timedelta(days=2)).isoformat()
    assert one["extra"] == pytest.approx(120, rel=0.1)
    (cause,) = one["causes"]
    assert (cause["service"], cause["resourcesBefore"], cause["resourcesAfter"]) == ("ec2-instance", 12, 17)
    assert "12 → 17 resources" in page
    assert page.count('class="odd"') == 1
    assert "out of the ordinary" in page


def test_days_of_the_warm_up_are_not_called_judged(site: Site, estate: Store) -> None:
    remember(estate, 60)

    page = site.client(estate).get("/anomalies", headers=site.bearer()).text

    assert "Each of the last 32 days cost what its weekday" in page
    assert "0 anomalies in 32 judged days" in page
    assert (page.count("<td>as expected</td>"), page.count("<td>not judged</td>")) == (32, 28)


def test_the_history_of_a_policy_counts_what_it_selects_and_says_which_days_it_does_not_know(
    site: Site, store: Store
) -> None:
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1", tags={"team": "web"}), priced("1")),
            "b": (resource("ec2-instance", "i-2", tags={"team": "pay"}), priced("2")),
        },
        exclude_tags={"team": ("pay",)},
    )
    for ago in range(40):
        CostHistoryStore(store).put(TODAY - timedelta(days=ago), {INSTANCES: ShardCost(Decimal(2190), 2, 0)})
    for ago in range(2):
        keep_selected(store, TODAY - timedelta(days=ago), {INSTANCES: (None,)})

    answer = site.client(store).get("/api/costing/history", headers=site.bearer()).json()
    page = site.client(store).get("/", headers=site.bearer()).text

    assert [one["cost"] for one in answer["data"]] == [24.0, 24.0]
    assert [one["code"] for one in answer["meta"]["gaps"]] == ["KeptWhole"]
    assert data(site, store, "/api/costing/forecast")["monthToDate"] == 48.0
    assert "This month to date <strong>$48.00</strong> in 2 known days." in page
    assert (
        f"38 days until {TODAY - timedelta(days=2)} were kept before your policies selected what they select now"
        in page
    )


@pytest.mark.parametrize("ago", [0, 2])
def test_a_day_without_any_price_is_null_and_neither_free_nor_the_day_before(
    site: Site, estate: Store, ago: int
) -> None:
    for day in range(60):
        cost = ShardCost(Decimal(0), 4, 4) if day == ago else ShardCost(Decimal(7300), 4, 0)
        CostHistoryStore(estate).put(TODAY - timedelta(days=day), {INSTANCES: cost})

    rows = data(site, estate, "/api/costing/history?days=4")

    assert [(one["cost"], one["atLeast"]) for one in reversed(rows)] == [
        (None if day == ago else 240.0, False) for day in range(4)
    ]
    found = data(site, estate, "/api/costing/forecast")
    assert (found["monthToDate"], found["monthToDateAtLeast"]) == (240.0 * (TODAY.day - 1), True)
    why = f"ec2-instance in us-east-1 of account {ACCOUNT} has no price on 1 day of this month"
    assert (found["monthEnd"], found["monthEndAtLeast"], found["reason"]) == (None, False, why)
    page = site.client(estate).get("/", headers=site.bearer()).text
    assert f"to date at least <strong>${240 * (TODAY.day - 1):,.2f}</strong>" in page
    assert f"Month end: {why}." in page
    assert page.count('<td class="n">no price</td>') == 1
    assert f"monthEndReason,{why}" in site.client(estate).get("/dashboard.csv", headers=site.bearer()).text
    assert data(site, estate, "/api/anomalies")["anomalies"] == []


def test_a_resource_without_a_price_makes_the_figures_of_the_month_lower_bounds(site: Site, estate: Store) -> None:
    for day in range(60):
        CostHistoryStore(estate).put(TODAY - timedelta(days=day), {INSTANCES: ShardCost(Decimal(7300), 4, 1)})

    found, figures = (data(site, estate, path) for path in ("/api/costing/forecast", "/api/dashboard"))
    client = site.client(estate)
    page, cells = (client.get(path, headers=site.bearer()).text for path in ("/", "/dashboard.csv"))

    for answer in (found, figures):
        assert (answer["monthToDateAtLeast"], answer["monthEndAtLeast"]) == (True, True)
    assert (found["monthToDate"], found["monthEnd"]["expected"]) == (240.0 * TODAY.day, pytest.approx(240.0 * 31))
    assert figures["monthEndReason"] == ""
    assert "Month end at least <strong>$7,440</strong>" in page
    assert "monthToDateAtLeast,True" in cells
    assert "monthEndAtLeast,True" in cells


def test_a_part_that_has_no_price_is_left_out_of_the_forecast_by_name(site: Site, estate: Store) -> None:
    for day in range(100):
        volumes = ShardCost(Decimal(0), 9, 9)
        kept = {INSTANCES: ShardCost(Decimal(7300), 4, 0), VOLUMES: volumes}
        CostHistoryStore(estate).put(TODAY - timedelta(days=day), kept)

    found, figures = (data(site, estate, path) for path in ("/api/costing/forecast", "/api/dashboard"))
    days = data(site, estate, "/api/costing/history?days=400")
    client = site.client(estate)
    page, cells = (client.get(path, headers=site.bearer()).text for path in ("/", "/dashboard.csv"))

    assert found["monthEnd"]["expected"] == pytest.approx(240.0 * 31)
    assert (found["monthEndAtLeast"], found["restOfMonth"]["atLeast"], found["threeMonths"]["atLeast"]) == (True,) * 3
    assert found["withoutPrice"] == [{"account": ACCOUNT, "region": VOLUMES.region, "service": "ebs-volume"}]
    assert (figures["monthEndAtLeast"], figures["monthEndWithoutPrice"]) == (True, ["ebs-volume"])
    assert {(one["cost"], one["atLeast"]) for one in days} == {(240.0, True)}
    assert len(days) == 100
    assert "Month end at least <strong>$7,440</strong>" in page
    assert "Next three months at least $21,840" in page
    assert "Left out of the month, in accounts and regions where nothing of it has a price: ebs-volume." in page
    assert "monthEndWithoutPrice[0],ebs-volume" in cells


def test_what_has_no_price_in_one_region_is_no_cost_of_nothing_in_a_sum_with_another(site: Site, store: Store) -> None:
    elsewhere = Shard(ACCOUNT, "eu-west-1", "ec2-instance")
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ec2-instance", "i-2", region="eu-west-1"), priced("0.10")),
            "c": (resource("ebs-volume", "vol-1"), priced(monthly="8.00")),
        }
    )
    unpriced = {INSTANCES: ShardCost(), elsewhere: ShardCost(Decimal(0), 7, 7)}
    CostHistoryStore(store).put(TODAY, {**unpriced, VOLUMES: ShardCost(Decimal(730), 9, 0)})

    kinds = data(site, store, "/api/costing/history?by=service")
    (whole,) = data(site, store, "/api/costing/history")

    assert {one["service"]: (one["cost"], one["atLeast"]) for one in kinds} == {
        "ebs-volume": (24.0, False),
        "ec2-instance": (None, False),
    }
    assert (whole["cost"], whole["atLeast"]) == (24.0, True)
    CostHistoryStore(store).put(TODAY, {**unpriced, VOLUMES: ShardCost()})
    assert data(site, store, "/api/costing/forecast")["monthToDate"] is None
    assert data(site, store, "/api/dashboard")["monthToDate"] is None


def test_the_history_of_shards_that_no_policy_of_the_visitor_covers_stays_hidden(site: Site, estate: Store) -> None:
    hidden = Shard("999999999999", "us-east-1", "ec2-instance")
    CostHistoryStore(estate).put(TODAY, {hidden: ShardCost(Decimal(730), 1, 0)})

    assert data(site, estate, "/api/costing/history?by=account") == []
    assert data(site, estate, "/api/costing/forecast")["historyDays"] == 0


@pytest.mark.parametrize("path", ["/anomalies.json", "/anomalies.csv"])
def test_anomalies_have_their_twins(site: Site, estate: Store, path: str) -> None:
    remember(estate, 60, odd={1: 4})

    assert (TODAY - timedelta(days=1)).isoformat() in site.client(estate).get(path, headers=site.bearer()).text
