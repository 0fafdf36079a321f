"""Scanners in isolated accounts push what they see: taken as the classic API has it, priced, marked, never judged."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.pushes import ISOLATED, SHEET, ClassicClient
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.store import pushed as stored
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore
from finops.store.keys import PushKeys
from finops.store.pushed import PushedResources, PushedRuns
from finops.store.recommendations import RecommendationStore
from finops_operator.plugins.loaded import plugins
from finops_operator.upkeep.pushed_prices import PushedPrices


def duty(store: Store, clock: FakeClock) -> PushedPrices:
    loaded = plugins()
    return PushedPrices(store, loaded.kinds, loaded.price_sources, clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def client(site: Site, store: Store, clock: FakeClock) -> ClassicClient:
    return ClassicClient(site.client(store, clock=clock), site.bearer("admin"))


def push_sheet(client: ClassicClient) -> None:
    for path, body in SHEET.items():
        answer = client.post(path, body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["data"]["pushed"] == 1


def test_a_client_of_the_classic_shapes_reads_the_sheet_back_to_the_cent(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    push_sheet(client)
    duty(store, clock).price()

    data = client.get("costing/current?hours_per_month=720")

    summary = data["summary"]
    assert (summary["totalMonthlyCost"], summary["totalDailyCost"], summary["totalAnnualCost"]) == (
        227.74,
        7.59,
        2732.88,
    )
    assert {name: part["cost"] for name, part in data["breakdown"].items()} == {
        "ec2Instances": 66.82,
        "loadBalancers": 16.2,
        "autoScalingGroups": 0.0,
        "ebsVolumes": 7.2,
        "rdsInstances": 137.52,
    }
    # What the scanner did not say, addresses of instance and database and capacity units, is named and not free.
    assert summary["unpricedResources"] == 3
    for grouping in ("by-region", "by-service", "by-account"):
        rows = client.get(f"costing/{grouping}?hours_per_month=720")
        assert round(sum(row["cost"] or 0 for row in rows), 2) == 227.74


@pytest.mark.parametrize("path", SHEET)
def test_what_was_pushed_is_listed_with_its_own_field_names_and_the_mark(
    client: ClassicClient, store: Store, clock: FakeClock, path: str
) -> None:
    push_sheet(client)
    duty(store, clock).price()

    (row,) = client.get(path)

    sent = {key: value for key, value in SHEET[path].items() if key not in {"metrics", "platform_details"}}
    assert {key: row[key] for key in sent} == sent
    assert (row["account"], row["pushed"]) == (ISOLATED, True)


def test_a_row_that_was_read_can_be_sent_back_and_changes_nothing(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    push_sheet(client)
    duty(store, clock).price()
    before = {path: client.get(path) for path in SHEET}

    for path, rows in before.items():
        # The operating system is in no classic list.
        extra = {"platform_details": "Linux/UNIX"} if path == "instances" else {}
        answer = client.post(path, [{**row, **extra} for row in rows])
        assert answer.status_code == 201, answer.text
    duty(store, clock).price()

    assert {path: client.get(path) for path in SHEET} == before


def test_before_the_operator_has_priced_it_the_cost_is_unknown_and_no_zero(client: ClassicClient) -> None:
    client.post("ebs-volumes", SHEET["ebs-volumes"])

    (volume,) = client.get("ebs-volumes")

    assert volume["monthly_cost"] is None
    assert volume["price_missing"] == ["the operator has not priced it yet"]
    assert client.get("costing/current")["summary"]["totalMonthlyCost"] is None


def test_a_resource_that_has_changed_is_not_shown_with_its_old_cost(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    client.post("ebs-volumes", SHEET["ebs-volumes"])
    duty(store, clock).price()
    client.post("ebs-volumes", {**SHEET["ebs-volumes"], "size_gb": 180})

    (volume,) = client.get("ebs-volumes")
    assert volume["monthly_cost"] is None

    duty(store, clock).price()
    (volume,) = client.get("ebs-volumes")
    assert volume["monthly_cost"] == 14.4


def test_use_that_was_sent_prices_what_is_billed_by_use(client: ClassicClient, store: Store, clock: FakeClock) -> None:
    use = {"applicationCapacityUnits": {"amount": 0.0, "hours": 720.0}}
    client.post("load-balancers", {**SHEET["load-balancers"], "monthly_use": use})
    duty(store, clock).price()

    (balancer,) = client.get("load-balancers?hours_per_month=720")

    assert (balancer["monthly_cost"], balancer["price_missing"]) == (16.2, [])


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"kind": "moon-base", "id": "m-1", "region": "us-east-1"}, "this release does not know the kind moon-base"),
        (
            {"kind": "ebs-volume", "id": "v", "region": "us-east-1", "attributes": {"size_gb": "many"}},
            "what was pushed cannot be read: attributes.size_gb",
        ),
    ],
)
def test_what_cannot_be_priced_says_why(
    client: ClassicClient, store: Store, clock: FakeClock, body: dict[str, Any], why: str
) -> None:
    assert client.post("resources", body).status_code == 201
    duty(store, clock).price()

    (row,) = client.get("resources")

    assert row["monthly_cost"] is None
    assert row["price_missing"][0].startswith(why)


def test_what_a_scan_has_seen_wins_over_the_same_resource_pushed(
    site: Site, store: Store, client: ClassicClient, clock: FakeClock
) -> None:
    StoredScan(store).write({"a": (resource("ebs-volume", "vol-1"), priced(monthly="3.00"))})
    client.post("ebs-volumes", {**SHEET["ebs-volumes"], "account": ACCOUNT})
    duty(store, clock).price()

    (row,) = client.get("resources")

    assert (row["monthly_cost"], row["pushed"]) == (3.0, False)
    # Who may not see that scan is shown what was pushed, and only that.
    assert client.get("costing/current")["summary"]["totalMonthlyCost"] == 3.0


def test_pushing_needs_a_right_of_its_own_and_reading_stays_by_namespace(site: Site, store: Store) -> None:
    http = site.client(store)
    # Carol may read team-a; bob may push into team-b.
    for person in ("carol", "bob"):
        refused = ClassicClient(http, site.bearer(person)).post("ebs-volumes", SHEET["ebs-volumes"])
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Forbidden")
        assert "scanpolicies/push" in refused.json()["error"]["hint"]
    assert PushedResources(store).versions() == {}

    ClassicClient(http, site.bearer("alice")).post("ebs-volumes", SHEET["ebs-volumes"])
    seen = {
        person: len(ClassicClient(http, site.bearer(person)).get("resources")) for person in ("alice", "carol", "admin")
    }
    assert seen == {"alice": 1, "carol": 1, "admin": 1}
    other = ClassicClient(http, site.bearer("admin"), f"?namespace=team-b&account={ISOLATED}")
    other.post("ebs-volumes", {**SHEET["ebs-volumes"], "volume_id": "vol-2"})
    assert len(ClassicClient(http, site.bearer("alice")).get("resources")) == 1
    assert len(ClassicClient(http, site.bearer("admin")).get("resources")) == 2


def test_nobody_pushes_without_a_token_nor_by_a_cookie_without_the_forms_secret(site: Site, store: Store) -> None:
    http = site.client(store)
    assert ClassicClient(http, {}).post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 401

    http.post("/sign-in", data={"token": site.token("admin"), "next": "/"})
    forged = ClassicClient(http, {}).post("ebs-volumes", SHEET["ebs-volumes"])
    assert (forged.status_code, forged.json()["error"]["code"]) == (403, "FormForged")
    assert PushedResources(store).versions() == {}


@pytest.mark.parametrize(
    ("path", "change", "address", "field"),
    [
        ("ebs-volumes", {}, f"?account={ISOLATED}", "namespace"),
        ("ebs-volumes", {}, "?namespace=team-a", "account"),
        ("ebs-volumes", {"account": "12"}, "?namespace=team-a", "account"),
        ("ebs-volumes", {"region": "the moon"}, f"?namespace=team-a&account={ISOLATED}", "region"),
        ("ebs-volumes", {"size_gb": -1}, f"?namespace=team-a&account={ISOLATED}", "size_gb"),
        ("ebs-volumes", {"size": 1}, f"?namespace=team-a&account={ISOLATED}", "size"),
        ("ebs-volumes", {"attributes": {"x": "y" * 20_000}}, f"?namespace=team-a&account={ISOLATED}", "attributes"),
        ("ebs-volumes", {"tags": {"a": "b" * 300}}, f"?namespace=team-a&account={ISOLATED}", "tags"),
        ("ebs-volumes", {}, f"?namespace=Team:A&account={ISOLATED}", "namespace"),
    ],
)
def test_what_is_no_resource_is_refused_by_name_and_nothing_of_it_is_kept(
    client: ClassicClient, store: Store, path: str, change: dict[str, Any], address: str, field: str
) -> None:
    wrong = {**SHEET[path], **change}

    answer = ClassicClient(client.http, client.headers, address).post(path, [SHEET[path] | {"volume_id": "v"}, wrong])

    assert answer.status_code == 422, answer.text
    assert field in answer.json()["error"]["field"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert PushedResources(store).versions() == {}


def test_a_namespace_is_never_filled_from_outside(
    client: ClassicClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_RESOURCES", 2)
    volumes = [{**SHEET["ebs-volumes"], "volume_id": f"vol-{number}"} for number in range(3)]
    assert client.post("ebs-volumes", volumes[:2]).status_code == 201

    full = client.post("ebs-volumes", volumes[2])
    again = client.post("ebs-volumes", volumes[:2])

    assert (full.status_code, full.json()["error"]["code"]) == (403, "TooMany")
    assert again.status_code == 201


def whole(client: ClassicClient, run: str, count: int, gaps: Any = ()) -> Any:
    body = {
        "accounts": [ISOLATED],
        "seen": [{"account": ISOLATED, "region": "us-east-1", "kind": "ebs-volume", "resources": count}],
        "gaps": list(gaps),
    }
    return ClassicClient(client.http, client.headers, f"?namespace=team-a&run={run}").post("pushes", body)


def test_what_a_whole_scan_did_not_push_again_is_gone_and_what_it_could_not_see_is_a_gap(client: ClassicClient) -> None:
    by_run = [
        ClassicClient(client.http, client.headers, f"{client.address}&run={run}") for run in ("monday", "tuesday")
    ]
    by_run[0].post("ebs-volumes", [{**SHEET["ebs-volumes"], "volume_id": name} for name in ("vol-1", "vol-2")])
    by_run[1].post("ebs-volumes", {**SHEET["ebs-volumes"], "volume_id": "vol-1"})

    unequal = whole(client, "tuesday", 2)
    assert (unequal.status_code, unequal.json()["error"]["code"]) == (409, "PushIncomplete")
    assert len(client.get("ebs-volumes")) == 2

    gap = {"account": ISOLATED, "region": "", "service": "rds", "operation": "DescribeDBInstances", "code": "Denied"}
    assert whole(client, "tuesday", 1, [gap]).json()["data"]["gone"] == 1
    answer = client.http.get("/api/ebs-volumes", headers=client.headers).json()
    assert [row["volume_id"] for row in answer["data"]] == ["vol-1"]
    assert [one["operation"] for one in answer["meta"]["gaps"]] == ["DescribeDBInstances"]
    assert whole(client, "tuesday", 1).json()["data"]["gone"] == 0


def sender(client: ClassicClient, site: Site, person: str, run: str = "") -> ClassicClient:
    """Return the client of another sender who may push into the same namespace."""
    address = f"?namespace=team-a&account={ISOLATED}" + (f"&run={run}" if run else "")
    return ClassicClient(client.http, site.bearer(person), address)


def test_nobody_else_pushes_into_a_run_or_ends_it(client: ClassicClient, site: Site, store: Store) -> None:
    volumes = [{**SHEET["ebs-volumes"], "volume_id": name} for name in ("vol-1", "vol-2")]
    mine = sender(client, site, "alice", "monday")
    assert mine.post("ebs-volumes", volumes).status_code == 201
    before = {name: one for _, found, _ in PushedResources(store).read("team-a") for name, one in found.items()}

    other = sender(client, site, "admin", "monday")
    pushed = other.post("ebs-volumes", {**volumes[0], "size_gb": 1})
    ended = whole(other, "monday", 0)

    for refused in (pushed, ended):
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "RunOfAnother")
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["detail"] == "somebody else began the run monday in namespace team-a"
        assert "a run of its own" in refused.json()["error"]["hint"]
    after = {name: one for _, found, _ in PushedResources(store).read("team-a") for name, one in found.items()}
    assert after == before
    assert PushedResources(store).scans("team-a") == {}
    assert whole(mine, "monday", 2).status_code == 201, "and whoever began it goes on"


def test_a_run_that_is_only_ended_is_its_enders_and_another_namespace_has_runs_of_its_own(
    client: ClassicClient, site: Site
) -> None:
    """A scan that saw nothing pushes nothing before its end."""
    mine, other = sender(client, site, "alice"), sender(client, site, "admin")
    assert whole(mine, "empty", 0).status_code == 201
    assert whole(other, "empty", 0).json()["error"]["code"] == "RunOfAnother"
    elsewhere = ClassicClient(client.http, other.headers, f"?namespace=team-b&account={ISOLATED}&run=empty")
    assert elsewhere.post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201


def test_the_end_of_a_run_takes_nothing_away_that_others_pushed(client: ClassicClient, site: Site) -> None:
    sender(client, site, "alice", "hers").post("ebs-volumes", {**SHEET["ebs-volumes"], "volume_id": "vol-1"})
    other = sender(client, site, "admin", "first")
    other.post("ebs-volumes", {**SHEET["ebs-volumes"], "volume_id": "vol-2"})

    assert whole(other, "second", 0).json()["data"]["gone"] == 1

    assert [row["volume_id"] for row in client.get("ebs-volumes")] == ["vol-1"]


def test_two_senders_of_one_resource_both_end_their_scans_and_it_is_shown_once_as_pushed_last(
    client: ClassicClient, site: Site, store: Store, clock: FakeClock
) -> None:
    hers, others = sender(client, site, "alice", "hers"), sender(client, site, "admin", "others")
    both = [{**SHEET["ebs-volumes"], "volume_id": name} for name in ("vol-1", "vol-2")]
    assert hers.post("ebs-volumes", both).status_code == 201
    clock.sleep(1)
    assert others.post("ebs-volumes", {**both[0], "size_gb": 77}).status_code == 201

    ends = [whole(hers, "hers", 2), whole(others, "others", 1)]

    assert [one.status_code for one in ends] == [201, 201], "neither has to wait for the other"
    assert [one.json()["data"]["gone"] for one in ends] == [0, 0]
    shown = {row["volume_id"]: row["size_gb"] for row in client.get("ebs-volumes")}
    assert shown == {"vol-1": 77, "vol-2": both[1]["size_gb"]}

    assert whole(sender(client, site, "admin", "later"), "later", 0).json()["data"]["gone"] == 1
    shown = {row["volume_id"]: row["size_gb"] for row in client.get("ebs-volumes")}
    assert shown == {"vol-1": both[0]["size_gb"], "vol-2": both[1]["size_gb"]}, "what the first one sees stays"


def test_what_one_sender_pushes_no_more_goes_after_its_days_while_another_one_goes_on(
    client: ClassicClient, site: Site, store: Store, clock: FakeClock
) -> None:
    volume = {**SHEET["ebs-volumes"], "volume_id": "vol-1"}
    hers, others = sender(client, site, "alice"), sender(client, site, "admin")
    others.post("ebs-volumes", volume)
    clock.sleep(5 * 86_400)
    hers.post("ebs-volumes", volume)
    duty(store, clock).price()
    twice = int(str(store.client.hget(PushKeys(store.keys.prefix).sizes, "team-a")))
    clock.sleep(4 * 86_400)

    duty(store, clock).price()

    once = int(str(store.client.hget(PushKeys(store.keys.prefix).sizes, "team-a")))
    assert (twice > once > 0, len(client.get("ebs-volumes"))) == (True, 1)


def test_pushes_without_a_run_are_nobodys_run(client: ClassicClient, site: Site) -> None:
    for person in ("alice", "admin"):
        assert sender(client, site, person).post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201


def test_runs_never_fill_the_store_and_are_forgotten_with_what_they_pushed(
    client: ClassicClient, site: Site, store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MOST_RUNS", 2)
    for run in ("a", "b"):
        assert sender(client, site, "alice", run).post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201
    full = sender(client, site, "alice", "c").post("ebs-volumes", SHEET["ebs-volumes"])
    assert (full.status_code, full.json()["error"]["code"]) == (403, "TooMany")
    assert sender(client, site, "alice", "a").post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201

    clock.sleep(timedelta(days=9).total_seconds())
    duty(store, clock).price()

    assert PushedRuns(store).begun("team-a") == {}
    assert sender(client, site, "admin", "a").post("ebs-volumes", SHEET["ebs-volumes"]).status_code == 201


def test_what_is_no_longer_pushed_is_a_gap_after_a_day_and_goes_after_eight(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    client.post("ebs-volumes", SHEET["ebs-volumes"])
    duty(store, clock).price()
    clock.sleep(timedelta(hours=27).total_seconds())

    late = client.http.get("/api/ebs-volumes", headers=client.headers).json()
    assert [row["monthly_cost"] for row in late["data"]] == [7.2]
    assert [(one["code"], one["resources"]) for one in late["meta"]["gaps"]] == [("PushOverdue", 1)]

    clock.sleep(timedelta(days=8).total_seconds())
    assert client.get("ebs-volumes") == []
    duty(store, clock).price()
    assert list(PushedResources(store).read("team-a")) == []


def test_pages_mark_what_was_pushed_and_say_that_nothing_acts_on_it(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    push_sheet(client)
    duty(store, clock).price()

    listed = client.http.get("/resources", headers=client.headers).text
    one = client.http.get("/resources/ebs-volume/vol-1", headers=client.headers).text
    first = client.http.get("/", headers=client.headers).text

    assert listed.count('<span class="status plain">pushed</span>') == 5
    assert "Nothing acts on it" in one
    assert "No scan that you may see has ended" not in first
    assert "pushed" in client.http.get("/resources.csv", headers=client.headers).text


def test_nothing_is_recommended_or_counted_by_a_policy_of_what_was_pushed(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    push_sheet(client)
    duty(store, clock).price()

    assert RecommendationStore(store).policies() == ()
    assert client.get("optimizations") == []
    # The duty has nothing to do while nothing is pushed.
    before = PushedResources(store).versions()
    duty(store, clock).price()
    assert PushedResources(store).versions() == before


def test_the_chart_and_the_forecast_say_that_what_was_pushed_is_not_in_them(
    client: ClassicClient, store: Store
) -> None:
    StoredScan(store).write({"a": (resource("ebs-volume", "vol-7"), priced(monthly="3.00"))})
    for ago in range(3):
        cost = {Shard(ACCOUNT, "us-east-1", "ebs-volume"): ShardCost(Decimal("3.00"), 1, 0)}
        CostHistoryStore(store).put(NOW.date() - timedelta(days=ago), cost)
    words = "in the cost a month above, and neither here nor in the forecast"
    assert words not in client.http.get("/", headers=client.headers).text

    push_sheet(client)

    assert f"5 pushed resources are {words}" in client.http.get("/", headers=client.headers).text
    for path in ("dashboard", "costing/forecast"):
        assert client.get(path)["pushedResources"] == 5


def test_what_is_pushed_into_two_namespaces_is_counted_once_as_it_was_pushed_last(
    client: ClassicClient, store: Store, clock: FakeClock
) -> None:
    push_sheet(client)
    clock.sleep(60)
    body = {**SHEET["ebs-volumes"], "tags": {"Name": "as it is now"}}
    where = f"/api/ebs-volumes?namespace=team-b&account={ISOLATED}"
    again = client.http.post(where, json=body, headers=client.headers)
    assert again.status_code == 201, again.text
    duty(store, clock).price()

    assert client.get("costing/current?hours_per_month=720")["summary"]["totalMonthlyCost"] == 227.74
    (volume,) = client.get("ebs-volumes")
    assert volume["tags"] == body["tags"]
