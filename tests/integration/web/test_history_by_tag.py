"""The days of what carries a tag, as far as budgets had them kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.selected_costs import keep_selected
from finops.store.tag_costs import TagCostStore

SHARD = Shard(ACCOUNT, "us-east-1", "ec2-instance")


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    tags, elsewhere = TagCostStore(store), Shard("999999999999", "us-east-1", "ec2-instance")
    for ago in (0, 1, 40):
        amounts = {
            (SHARD, ("team", "orders")): "730.00",
            (SHARD, ("team", "web")): "73.00",
            (SHARD, ("stage", "orders")): "1.00",
            (elsewhere, ("team", "orders")): "5000.00",
        }
        costs = {key: ShardCost(Decimal(amount), 1, 0) for key, amount in amounts.items()}
        costs[(SHARD, ("team", "dark"))] = ShardCost(Decimal(0), 1, 1)
        tags.put(NOW.date() - timedelta(days=ago), costs)
    return store


def test_each_value_has_its_known_days_and_what_the_visitor_may_not_see_is_not_in_them(
    site: Site, estate: Store
) -> None:
    answer = site.client(estate).get("/api/costing/history?by=tag:team&days=30", headers=site.bearer())

    assert answer.status_code == 200, answer.text
    assert [(row["date"], row["tag"], row["cost"]) for row in answer.json()["data"]] == [
        # Nothing of it has a price.
        ("2026-03-09", "dark", None),
        ("2026-03-10", "dark", None),
        ("2026-03-09", "orders", 24.0),
        ("2026-03-10", "orders", 24.0),
        ("2026-03-09", "web", 2.4),
        ("2026-03-10", "web", 2.4),
    ]


@pytest.mark.parametrize(("by", "status"), [("tag:none", 200), ("tag:", 422), ("colour", 422)])
def test_of_a_tag_that_no_budget_names_no_day_is_known_and_another_split_is_refused(
    site: Site, estate: Store, by: str, status: int
) -> None:
    answer = site.client(estate).get(f"/api/costing/history?by={by}", headers=site.bearer())

    assert answer.status_code == status
    assert answer.json().get("data", []) == []


def test_a_value_that_only_resources_have_which_no_policy_of_the_visitor_selects_has_no_row(
    site: Site, store: Store
) -> None:
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1", tags={"team": "web"}), priced("1")),
            "b": (resource("ec2-instance", "i-2", tags={"team": "secret"}), priced("2")),
        },
        exclude_tags={"team": ("secret",)},
    )
    values = ("web", "secret", "gone")
    costs = {value: ShardCost(Decimal(730), 1, 0) for value in values[:2]} | {"gone": ShardCost()}
    TagCostStore(store).put(NOW.date(), {(SHARD, ("team", value)): cost for value, cost in costs.items()})
    keep_selected(store, NOW.date(), {SHARD: tuple(("team", value) for value in values)})

    answer = site.client(store).get("/api/costing/history?by=tag:team", headers=site.bearer())

    assert [(row["tag"], row["cost"]) for row in answer.json()["data"]] == [("web", 24.0)]
