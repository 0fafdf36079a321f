"""Budgets on the page, in its twins and in the API: as the operator judged them, and never more than is known."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.budgets import INSTANCES, VOLUMES, Cluster, budgets_on, remember
from tests.support.web_estate import ACCOUNT, Site, StoredScan, priced, resource

from finops.k8s.connection import connect
from finops.store.connection import Store


@pytest.fixture
def cluster(site: Site, store: Store) -> Iterator[Cluster]:
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1"), priced("0.10")),
            "b": (resource("ebs-volume", "vol-1"), priced(monthly="8.00")),
        }
    )
    with budgets_on(connect(str(site.cluster.kubeconfig_for("admin")))) as made:
        yield made


def judged(store: Store, cluster: Cluster) -> None:
    """One budget that is exceeded, one within its amount, one of which a part is unknown."""
    remember(store, INSTANCES, "730", 60)
    remember(store, VOLUMES, "73", 60, unpriced=2)
    cluster.budget("instances", "240", scope={"services": ["ec2-instance"], "accounts": [ACCOUNT]})
    cluster.budget("wide", "5000", scope={"services": ["ec2-instance"]})
    cluster.budget("volumes", "5000", scope={"services": ["ebs-volume"]})
    cluster.duty(store).judge()


def rows(site: Site, store: Store, query: str = "") -> Any:
    answer = site.client(store).get(f"/api/budgets{query}", headers=site.bearer())
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_what_needs_attention_comes_first_and_unknown_figures_are_null(
    site: Site, store: Store, cluster: Cluster
) -> None:
    judged(store, cluster)

    found = rows(site, store)

    assert [(one["name"], one["state"]) for one in found] == [
        ("instances", "Exceeded"),
        ("volumes", "Unknown"),
        ("wide", "WithinBudget"),
    ]
    assert (found[0]["actual"], found[0]["actualPercent"], found[0]["forecast"]) == (240.0, 100, 744.0)
    assert [one["percent"] for one in found[0]["alerts"]] == [80, 100, 100]
    assert (found[1]["actual"], found[1]["knownCost"], found[1]["forecastAtLeast"]) == (None, 24.0, True)
    assert found[1]["forecast"] == pytest.approx(74.4)
    assert found[1]["unpricedResources"] == 2


ASKED = {
    "?state=exceeded": ["instances"],
    "?service=ebs-volume": ["volumes"],
    f"?account={ACCOUNT}": ["instances", "volumes", "wide"],
    "?account=999999999999": ["volumes", "wide"],
    "?namespace=team-b": [],
    "?tag=team": [],
}


def test_filters_stand_in_the_address_of_page_twins_and_api(site: Site, store: Store, cluster: Cluster) -> None:
    judged(store, cluster)
    client = site.client(store)

    for query, names in ASKED.items():
        twin = client.get(f"/budgets.csv{query}", headers=site.bearer()).text
        page = client.get(f"/budgets{query}", headers=site.bearer()).text

        assert [one["name"] for one in rows(site, store, query)] == names, query
        assert [one["name"] for one in client.get(f"/budgets.json{query}", headers=site.bearer()).json()] == names
        assert [one["name"] for one in csv.DictReader(io.StringIO(twin))] == names
        assert [name for name in ("instances", "volumes", "wide") if f'scope="row">{name}<' in page] == names
        assert f"/budgets.json{query}" in page
        assert names or "Nothing fits" in page


def test_a_part_that_is_unknown_is_said_beside_what_is_known(site: Site, store: Store, cluster: Cluster) -> None:
    judged(store, cluster)

    page = site.client(store).get("/budgets", headers=site.bearer()).text

    assert "at least 24.00" in page
    assert "2 resources not fully priced" in page
    assert "Forecast 100 % reached on 2026-03-10 12:30 UTC" in page


def test_without_budgets_the_page_names_the_next_step(site: Site, store: Store, cluster: Cluster) -> None:
    page = site.client(store).get("/budgets", headers=site.bearer()).text

    assert "No budget yet" in page
    assert "kubectl explain budget.spec" in page


def test_budgets_of_a_closed_namespace_are_a_gap_and_those_of_others_do_not_exist(
    site: Site, store: Store, cluster: Cluster
) -> None:
    judged(store, cluster)
    client = site.client(store)

    answer = client.get("/api/budgets", headers=site.bearer("bob")).json()

    assert answer["data"] == []
    assert [gap["operation"] for gap in answer["meta"]["gaps"]] == ["list budgets"]
    assert "No budget that you may read" in client.get("/budgets", headers=site.bearer("bob")).text
    cluster.budget("elsewhere", "5", namespace="team-b")
    assert "elsewhere" not in {one["name"] for one in rows(site, store)}


def test_a_budget_that_was_not_judged_yet_is_unknown(site: Site, store: Store, cluster: Cluster) -> None:
    cluster.budget("new", "100")

    (found,) = rows(site, store)

    assert (found["state"], found["actual"], found["message"]) == (
        "Unknown",
        None,
        "The operator has not judged it yet; it does within a minute.",
    )
