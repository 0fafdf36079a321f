"""What others say they have saved is kept and marked, and counts in no figure of ours; votes go on many at once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import recommendation
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.recommendation import ActionType
from finops.domain.resource import Gap
from finops.store import claimed
from finops.store.connection import Store
from finops_web.api import action_requests
from finops_web.readings.savings import hours_saved

CLAIM: Final = {
    "resource_id": "i-7",
    "cloud": "aws",
    "money_saved": 66.82,
    "region": "us-east-1",
    "state": "stopped",
    "instance_type": "t2.large",
    "pricing_model": "on-demand",
    "estimated_hours_saved": 720,
    "date": "2026-03-01",
}
PATH: Final = "/api/savings?namespace=team-a"


@pytest.fixture
def estate(store: Store) -> Store:
    spot = {"instance_type": "m5.large", "lifecycle": "spot"}
    known = {"instance_type": "t2.large", "lifecycle": ""}
    StoredScan(store).write(
        {
            "a": (resource("ec2-instance", "i-1", state="stopped", attributes=known), priced("0.10")),
            "b": (resource("ec2-instance", "i-2", attributes=spot), priced("0.10")),
            "c": (resource("ebs-volume", "vol-1", state="in-use", attributes={"volume_type": "gp3"}), priced("0.10")),
        }
    )
    acts = {"ec2-instance/i-1": "ec2_instance_stop", "ec2-instance/i-2": "ec2_instance_resize"}
    acts |= {"ebs-volume/vol-1": "ebs_volume_type", "ec2-instance/i-gone": "ec2_instance_terminate"}
    for number, (name, action) in enumerate(acts.items()):
        entry: dict[Any, Any] = {
            "request": f"u{number}",
            "name": f"r{number}",
            "namespace": "team-a",
            "policy": "all",
            "resource": f"arn:aws:test:us-east-1:{ACCOUNT}:{name}",
            "action": action,
            "time": NOW.isoformat(),
            "before": "70.08",
            "after": "0.00",
            "saving": "70.08",
            "hoursPerMonth": "730",
        }
        store.client.xadd(store.keys.realized, entry)
    return store


def listed(site: Site, store: Store, query: str = "", person: str = "alice") -> list[dict[str, Any]]:
    answer = site.client(store).get(f"/api/savings{query}", headers=site.bearer(person))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def post(site: Site, store: Store, body: Any, path: str = PATH, person: str = "alice") -> Any:
    return site.client(store).post(path, json=body, headers=site.bearer(person))


def test_a_row_says_what_the_inventory_knows_of_the_resource_and_null_where_it_knows_nothing(
    site: Site, estate: Store
) -> None:
    names = ("state", "instance_type", "pricing_model", "estimated_hours_saved")

    found = {row["resource_id"]: tuple(row[name] for name in names) for row in listed(site, estate)}

    assert found == {
        "i-1": ("stopped", "t2.large", "on-demand", 730.0),
        "i-2": ("running", "m5.large", "spot", None),
        "vol-1": ("in-use", None, None, None),
        "i-gone": (None, None, None, None),
    }


@pytest.mark.parametrize(
    ("entry", "hours"),
    [
        ({"action": "ec2_instance_stop", "hoursPerMonth": "720"}, Decimal(720)),
        ({"action": "rds_instance_stop", "lastsDays": "7", "hoursPerMonth": "730"}, Decimal(168)),
        ({"action": "ec2_instance_stop"}, Decimal(730)),
        ({"action": "ec2_instance_start", "hoursPerMonth": "720"}, None),
        ({"action": "ebs_volume_delete", "hoursPerMonth": "720"}, None),
    ],
)
def test_only_a_stop_takes_hours_away(entry: dict[str, str], hours: Decimal | None) -> None:
    assert hours_saved(entry) == hours


def test_what_a_classic_client_records_it_reads_again_marked_with_who_claims_it(site: Site, estate: Store) -> None:
    before = listed(site, estate)

    answer = post(site, estate, CLAIM)

    assert (answer.status_code, answer.json()["data"]) == (201, {"namespace": "team-a", "claimed": 1, "ids": ["i-7"]})
    *acts, row = listed(site, estate)
    assert acts == before
    assert {name: row[name] for name in CLAIM} == {**CLAIM, "date": "2026-03-01T00:00:00+00:00"}
    assert (row["claimed"], row["claimed_by"]) == (True, "alice")
    assert (row["saved_so_far"], row["seen_hours"], row["policy"]) == (None, None, "")
    assert "claimed" in row["unmeasured"]
    assert listed(site, estate, "?claimed=true") == [row]
    assert listed(site, estate, "?claimed=false") == acts
    assert set(row) == set(acts[0])


def test_a_claim_is_in_no_figure_of_ours(site: Site, estate: Store) -> None:
    client, headers = site.client(estate), site.bearer()
    paths = ["/api/dashboard", "/savings.json", "/savings.csv", "/savings/by-check.json", "/dashboard.csv", "/savings"]
    before = {path: client.get(path, headers=headers).text for path in paths}

    assert post(site, estate, [CLAIM, {**CLAIM, "resource_id": "i-1", "money_saved": 1e9}]).status_code == 201

    assert {path: client.get(path, headers=headers).text for path in paths} == before


def test_what_is_said_twice_is_kept_once_as_it_was_said_first(site: Site, estate: Store) -> None:
    for _ in range(2):
        assert post(site, estate, [CLAIM, CLAIM]).status_code == 201
    assert post(site, estate, {**CLAIM, "money_saved": 1.5}).status_code == 201

    assert sorted(row["money_saved"] for row in listed(site, estate, "?claimed=true")) == [1.5, 66.82]


def test_who_may_not_push_claims_nothing_and_who_may_not_read_a_namespace_sees_no_claim_of_it(
    site: Site, estate: Store
) -> None:
    assert post(site, estate, CLAIM).status_code == 201

    refused = post(site, estate, CLAIM, person="carol")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "Forbidden")
    assert post(site, estate, CLAIM, "/api/savings?namespace=team-b").status_code == 403
    assert len(listed(site, estate, "?claimed=true", "carol")) == 1
    other = post(site, estate, CLAIM, "/api/savings?namespace=team-b", "bob")
    assert other.status_code == 201
    assert len(listed(site, estate, "?claimed=true")) == 1, "alice may not read team-b"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"money_saved": -1}, "money_saved"),
        ({"money_saved": None}, "money_saved"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "2999-01-01"}, "date"),
        ({"date": "2026-02-03T10:00:00"}, "date"),
        ({"region": "everywhere"}, "region"),
        ({"realised": True}, "realised"),
        ({"resource_id": ""}, "resource_id"),
    ],
)
def test_what_cannot_be_taken_is_named(site: Site, estate: Store, change: dict[str, Any], field: str) -> None:
    answer = post(site, estate, {**CLAIM, **change})

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert post(site, estate, CLAIM, "/api/savings").json()["error"]["field"] == "namespace"


def test_a_namespace_holds_so_many_claims_and_old_ones_go(
    site: Site, estate: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claimed, "MOST", 2)
    two = [{**CLAIM, "resource_id": name} for name in ("i-8", "i-9")]
    assert post(site, estate, two).status_code == 201
    full = post(site, estate, CLAIM)
    assert (full.status_code, full.json()["error"]["code"]) == (403, "TooMany")

    clock = FakeClock(NOW)
    clock.sleep(401 * 86_400)
    client = site.client(estate, clock=clock)
    assert client.get("/api/savings?claimed=true", headers=site.bearer()).json()["data"] == []
    assert client.post(PATH, json=CLAIM, headers=site.bearer()).status_code == 201


def test_the_list_is_read_page_by_page_with_each_row_once(site: Site, estate: Store) -> None:
    assert post(site, estate, [CLAIM, {**CLAIM, "resource_id": "i-8"}]).status_code == 201
    found: list[str] = []
    cursor = ""
    while True:
        query = f"/api/savings?limit=2&cursor={cursor}"
        body = site.client(estate).get(query, headers=site.bearer()).json()
        found += [row["resource_id"] for row in body["data"]]
        cursor = body["meta"]["next"]
        if cursor is None:
            break
    assert found == [row["resource_id"] for row in listed(site, estate)]
    assert len(found) == 6


@pytest.fixture
def requests(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Two requests, the second of them a deletion, by their names."""
    monkeypatch.setattr(action_requests, "_WAIT_SECONDS", 0.0)
    delete = recommendation(2, action="ebs_volume_delete", action_type=ActionType.DELETE, destructive=True)
    with site.requests(recommendation(1), delete) as names:
        yield names


def test_one_decision_on_many_requests_has_one_result_for_each(site: Site, estate: Store, requests: list[str]) -> None:
    client, headers = site.client(estate), site.bearer()
    made = client.get("/api/action-requests", headers=headers).json()["data"]
    uids = {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in made}
    stop, delete = (uids[name] for name in requests)
    body = {"requests": [stop, delete, stop, "gone"], "decision": "Approve", "reason": "quiet for weeks"}

    answer = client.post("/api/action-requests", json=body, headers=headers)

    assert answer.status_code == 200, answer.text
    found = [(one["uid"], one["request"], one["sent"], one["counted"], one["code"]) for one in answer.json()["data"]]
    assert found == [
        (stop, requests[0], True, False, ""),
        (delete, requests[1], False, False, "DeletionAlone"),
        ("gone", None, False, False, "NotFound"),
    ]
    assert all(one["hint"] for one in answer.json()["data"] if not one["sent"])
    (vote,) = site.approvals("team-a")
    assert (vote.spec.approver.person, vote.spec.reason) == ("kubernetes:alice", "quiet for weeks")


def test_nobody_makes_a_request_by_the_api(site: Site, estate: Store, requests: list[str]) -> None:
    client, headers = site.client(estate), site.bearer("admin")

    answer = client.post("/api/action-requests", json={"action": "ec2_instance_stop"}, headers=headers)

    assert answer.status_code == 422
    assert len(client.get("/api/action-requests", headers=headers).json()["data"]) == len(requests)


def test_a_viewer_decides_nothing(site: Site, estate: Store, requests: list[str]) -> None:
    client, headers = site.client(estate), site.bearer("carol")
    made = client.get("/api/action-requests", headers=headers).json()["data"]
    body = {"requests": [one["metadata"]["uid"] for one in made], "decision": "Deny", "reason": "no"}

    answer = client.post("/api/action-requests", json=body, headers=headers)

    assert {one["sent"] for one in answer.json()["data"]} == {False}
    assert site.approvals("team-a") == []


def test_who_may_read_the_votes_on_a_request_reads_those_on_it_alone(
    site: Site, estate: Store, requests: list[str]
) -> None:
    client, headers = site.client(estate), site.bearer()
    made = client.get("/api/action-requests", headers=headers).json()["data"]
    first, second = (one["metadata"]["uid"] for one in made)
    path = f"/api/action-requests/{first}/approvals"
    assert client.get(path, headers=headers).json()["data"] == []
    for uid in (first, second):
        ballot = {"decision": "Deny", "reason": "needed"}
        client.post(f"/api/action-requests/{uid}/approvals", json=ballot, headers=headers)

    (vote,) = client.get(path, headers=site.bearer("carol")).json()["data"]

    assert (vote["kind"], vote["spec"]["request"]["uid"], vote["spec"]["decision"]) == ("Approval", first, "Deny")
    assert client.get(path, headers=site.bearer("bob")).status_code == 404


@pytest.mark.parametrize("written", [20260301, "20260301", 1772323200.0, True, ["2026-03-01"]])
def test_a_day_that_is_not_written_as_one_is_refused_with_how_to_write_it(
    site: Site, estate: Store, written: Any
) -> None:
    answer = post(site, estate, {**CLAIM, "date": written})

    error = answer.json()["error"]
    assert (answer.status_code, error["field"]) == (422, "date")
    assert error["message"] == "date is not written as a day or a time"
    assert error["hint"] == "write it as text, such as “2026-03-01” or “2026-03-01T12:00:00Z”"
    assert listed(site, estate, "?claimed=true") == []


def test_the_list_has_the_gaps_that_the_page_shows(site: Site, store: Store) -> None:
    gap = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "the role may not list them")
    StoredScan(store).write({}, gaps=(gap,))

    answer = site.client(store).get("/api/savings", headers=site.bearer())

    assert gap.to_json() in answer.json()["meta"]["gaps"]
