"""The API that integrations were written against: paths, field names, and the classic sheet to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.domain.price import Cost, GroupOf, cost_of_group
from finops.domain.report import ShardCost
from finops.domain.resource import Resource
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.inventory import InventoryStore, ShardHead
from finops_web.__main__ import read_ahead
from finops_web.readings.policies import scanned_policies
from finops_web.readings.resources import ResourceReadings

GROUP = cost_of_group(GroupOf("ec2-instance", ("i-1",)))
SHEET: dict[str, tuple[Resource, Cost]] = {
    "instance": (resource("ec2-instance", "i-1", attributes={"instance_type": "t2.large"}), priced("0.0928")),
    "balancer": (
        resource("load-balancer", "app/web/1", state="active", attributes={"load_balancer_name": "web"}),
        priced("0.0225"),
    ),
    "group": (resource("auto-scaling-group", "web", attributes={"instance_ids": ["i-1"], "min_size": 1}), GROUP),
    "volume": (
        resource("ebs-volume", "vol-1", state="in-use", attributes={"size_gb": 90, "volume_type": "gp3"}),
        priced(monthly="7.20"),
    ),
    "database": (
        resource("rds-instance", "db-1", state="available", attributes={"engine": "mysql"}),
        priced("0.191"),
    ),
}


def answer(site: Site, store: Store, path: str) -> Any:
    found = site.client(store).get(path, headers=site.bearer())
    assert found.status_code == 200, found.text
    body = found.json()
    assert (body["status"], body["success"]) == ("success", True)
    assert set(body["meta"]) == {"asOf", "gaps", "next"}
    return body["data"]


@pytest.fixture
def sheet(store: Store) -> Store:
    StoredScan(store).write(SHEET)
    return store


def test_the_classic_sheet_comes_out_to_the_cent_at_720_hours(site: Site, sheet: Store) -> None:
    data = answer(site, sheet, "/api/costing/current?hours_per_month=720")

    summary = data["summary"]
    assert (summary["totalMonthlyCost"], summary["totalDailyCost"], summary["totalAnnualCost"]) == (
        227.74,
        7.59,
        2732.88,
    )
    assert {name: (part["cost"], part["count"], part["percentage"]) for name, part in data["breakdown"].items()} == {
        "ec2Instances": (66.82, 1, 29.34),
        "loadBalancers": (16.2, 1, 7.11),
        "autoScalingGroups": (0.0, 1, 0.0),
        "ebsVolumes": (7.2, 1, 3.16),
        "rdsInstances": (137.52, 1, 60.38),
    }
    assert data["timestamp"].startswith("2026-03-10T12:30")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("instances", "instance_id state region cpu instance_type hourly_cost monthly_cost annual_cost account tags"),
        (
            "load-balancers",
            ("load_balancer_name load_balancer_arn load_balancer_type region state scheme vpc_id metrics monthly_cost"),
        ),
        (
            "auto-scaling-groups",
            (
                "asg_name asg_arn region min_size max_size desired_capacity current_instances instance_ids "
                "health_check_type metrics instance_costs monthly_cost"
            ),
        ),
        (
            "ebs-volumes",
            (
                "volume_id volume_type size_gb region state availability_zone encrypted iops throughput "
                "attached_instance_id attached_device metrics tags monthly_cost"
            ),
        ),
        (
            "rds-instances",
            (
                "db_instance_id db_instance_arn engine engine_version db_instance_class region status "
                "allocated_storage_gb storage_type multi_az backup_retention_days publicly_accessible read_replicas "
                "metrics instance_hourly_cost storage_hourly_cost tags"
            ),
        ),
    ],
)
def test_every_classic_list_has_its_field_names(site: Site, sheet: Store, path: str, fields: str) -> None:
    (row,) = answer(site, sheet, f"/api/{path}")

    assert set(fields.split()) <= set(row)


def test_what_was_not_measured_is_null_and_never_zero(site: Site, sheet: Store) -> None:
    (instance,), (balancer,) = answer(site, sheet, "/api/instances"), answer(site, sheet, "/api/load-balancers")

    assert instance["cpu"] is None
    assert balancer["metrics"] == {"RequestCount": None, "HealthyHostCount": None}


def test_members_of_a_group_are_named_with_their_own_cost_and_added_once(site: Site, sheet: Store) -> None:
    (group,) = answer(site, sheet, "/api/auto-scaling-groups?hours_per_month=720")

    assert (group["monthly_cost"], group["annual_cost"]) == (None, None)
    assert (group["attributed_monthly_cost"], group["attributed_unknown"]) == (66.82, 0)
    assert group["instance_costs"] == {"i-1": 66.82}


def test_a_page_of_groups_alone_says_what_they_cost_and_no_sum(site: Site, sheet: Store) -> None:
    page = site.client(sheet).get("/resources?kind=auto-scaling-group", headers=site.bearer()).text

    assert "1 resource, which cost what their members cost" in page
    assert "no price" not in page


def test_a_resource_of_which_a_part_has_no_price_is_counted_and_adds_the_others(site: Site, store: Store) -> None:
    unknown = priced("0.10", missing=("iops: no price",))
    StoredScan(store).write({**SHEET, "odd": (resource("ec2-instance", "i-2"), unknown)})

    data = answer(site, store, "/api/costing/current?hours_per_month=720")

    # 227.74, and of the other one 72.00 at least.
    assert data["summary"]["totalMonthlyCost"] == 299.74
    assert (data["summary"]["resources"], data["summary"]["unpricedResources"]) == (6, 1)
    rows = answer(site, store, "/api/instances")
    assert [row["monthly_cost"] for row in rows] == [67.74, None]


def test_groupings_add_up_to_the_total(site: Site, sheet: Store) -> None:
    for path in ("by-region", "by-service", "by-account", "by-tag/team"):
        rows = answer(site, sheet, f"/api/costing/{path}?hours_per_month=720")
        assert sum(Decimal(str(row["cost"] or 0)) for row in rows) == Decimal("227.74"), path


def test_nothing_scanned_is_nothing_known(site: Site, store: Store) -> None:
    data = answer(site, store, "/api/costing/current")

    assert data["summary"]["resources"] == 0
    assert site.client(store).get("/", headers=site.bearer()).text.count("No scan that you may see has ended") == 1


def test_rows_hold_what_lists_need_and_those_shown_are_read_whole(sheet: Store) -> None:
    readings = ResourceReadings(sheet)
    rows = readings.seen_by(scanned_policies(sheet))

    assert [(row.resource.attributes, row.resource.created) for row in rows] == [({}, None)] * len(SHEET)
    known = {one.id: one for one, _ in SHEET.values()}
    assert {row.resource.id: row.resource for row in readings.whole(rows)} == known


def test_facts_of_what_is_gone_since_the_list_was_read_are_unknown(sheet: Store) -> None:
    readings = ResourceReadings(sheet)
    (volume,) = (row for row in readings.seen_by(scanned_policies(sheet)) if row.resource.kind == "ebs-volume")
    shard = volume.resource.shard
    InventoryStore(sheet).swap(ShardHead(shard, "g2", 0, 1, 1, (), NOW, NOW, NOW, {}))

    (shown,) = readings.whole([volume])

    assert (shown.resource.id, dict(shown.resource.attributes)) == ("vol-1", {})


def test_a_dashboard_that_starts_has_read_the_lists_before_anybody_asks(site: Site, sheet: Store) -> None:
    app = site.application(sheet)
    read_ahead(app.state.parts)

    assert len(app.state.parts.resources._kept) == len(SHEET)


def test_a_dashboard_that_starts_has_read_the_history_before_anybody_asks(site: Site, sheet: Store) -> None:
    (shard, _), *_ = scanned_policies(sheet)[0].head.shards
    CostHistoryStore(sheet).put(NOW.date(), {shard: ShardCost(Decimal(730), 1, 0)})
    parts = site.application(sheet).state.parts
    read_ahead(parts)
    sheet.client.delete(sheet.keys.cost(NOW.date().isoformat()))

    assert [one.costs for one in parts.history.parts(scanned_policies(sheet))] == [{NOW.date(): 24.0}]
