"""The dashboard's figures: each of its own, what was pushed marked, and one type for all amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.pushes import ISOLATED
from tests.support.scan_samples import recommendation, request
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.domain.decision import State
from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests
from finops.store.connection import Store
from finops_operator.plugins.loaded import plugins
from finops_operator.upkeep.pushed_prices import PushedPrices
from finops_web.readings.savings import approved_of

MONEY = ("monthlyCost", "pushedMonthlyCost", "monthToDate", "realisedMonthlySavings")


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    return store


def figures(site: Site, store: Store, person: str = "alice") -> dict[str, Any]:
    answer = site.client(store).get("/api/dashboard", headers=site.bearer(person))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def push(site: Site, store: Store, **volume: Any) -> Any:
    body = {"volume_id": "vol-1", "volume_type": "gp3", "size_gb": 90, "region": "us-east-1", "state": "in-use"}
    address = f"/api/ebs-volumes?namespace=team-a&account={ISOLATED}"
    return site.client(store).post(address, json={**body, **volume}, headers=site.bearer())


def page(site: Site, store: Store, person: str = "alice") -> str:
    return " ".join(site.client(store).get("/", headers=site.bearer(person)).text.split())


def test_what_was_pushed_is_marked_beside_the_cost_that_it_is_part_of(site: Site, estate: Store) -> None:
    assert (figures(site, estate)["pushedResources"], figures(site, estate)["pushedMonthlyCost"]) == (0, 0.0)
    assert "Of it pushed" not in page(site, estate)
    assert push(site, estate).status_code == 201
    assert figures(site, estate)["pushedMonthlyCost"] is None
    assert "Of it pushed, as somebody else sent it: <strong>not priced</strong>" in page(site, estate)
    loaded = plugins()
    PushedPrices(estate, loaded.kinds, loaded.price_sources, FakeClock(NOW)).price()

    found = figures(site, estate)

    assert (found["pushedResources"], found["pushedMonthlyCost"]) == (1, 7.2)
    assert found["monthlyCost"] == pytest.approx(73 + 7.2)
    assert "Of it pushed, as somebody else sent it: <strong>$7.20</strong> in 1 resource." in page(site, estate)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("ebs-volumes", {"volume_id": "vol-1", "size_gb": 999_999_999_999, "state": "in-use"}),
        ("resources", {"kind": "ebs-volume", "id": "vol-1", "attributes": {"size_gb": 999_999_999_999}}),
        ("ebs-volumes", {"volume_id": "vol-1", "arn": "arn:aws:ec2:us-east-1:1:volume/vol-1", "state": "in-use"}),
    ],
    ids=["size", "size among the facts", "ARN"],
)
def test_what_cannot_be_is_refused_and_nothing_of_the_push_is_kept(
    site: Site, estate: Store, path: str, body: dict[str, Any]
) -> None:
    address = f"/api/{path}?namespace=team-a&account={ISOLATED}"
    answer = site.client(estate).post(address, json=[{**body, "region": "us-east-1"}], headers=site.bearer())

    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["hint"]
    assert figures(site, estate)["pushedResources"] == 0


def test_every_amount_of_the_dashboard_is_a_number_or_null(site: Site, estate: Store) -> None:
    found = figures(site, estate)

    amounts = [*(found[name] for name in MONEY), *found["savings"].values(), *found["savingsOnce"].values()]
    amounts += [found["approved"]["monthlySavings"], found["approved"]["savingsOnce"]]
    assert {type(one) for one in amounts} <= {float, type(None)}
    assert found["monthlyCost"] == 73.0


def test_what_is_approved_and_not_carried_out_stands_apart(site: Site, estate: Store) -> None:
    nothing = {"requests": 0, "unknown": 0, "monthlySavings": 0.0, "savingsOnce": 0.0}
    assert figures(site, estate)["approved"] == nothing
    assert "Nothing approved waits to be carried out." in page(site, estate)
    waiting, approved = recommendation(1), recommendation(2)
    with site.requests(waiting, approved) as names:
        api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
        made = api.get(*names[1].split("/"))
        assert made is not None
        api.replace_status(made, {"state": "Approved"})

        found = figures(site, estate)

        assert found["approved"] == {**nothing, "requests": 1, "monthlySavings": 65.21}
        assert "Will be saved by 1 act that people approved and that has not ended; until then" in page(site, estate)
        closed = site.client(estate).get("/api/dashboard", headers=site.bearer("bob")).json()
        assert closed["data"]["approved"] == nothing
        assert any("actionrequests" in one["operation"] for one in closed["meta"]["gaps"]), closed["meta"]["gaps"]


@pytest.mark.parametrize("state", list(State))
def test_approved_is_what_people_approved_and_nothing_has_ended(state: State) -> None:
    counts = state in {State.APPROVED, State.SCHEDULED, State.EXECUTING, State.VERIFYING}

    assert approved_of([request(recommendation(1), state)]).requests == int(counts)


def test_an_approved_saving_that_nobody_knows_is_no_zero() -> None:
    made = request(recommendation(1), State.APPROVED)
    estimate = made.spec.estimate.model_copy(update={"monthly_savings": None})
    unknown = made.model_copy(update={"spec": made.spec.model_copy(update={"estimate": estimate})})

    assert (approved_of([unknown]).monthly, approved_of([unknown]).unknown) == (None, 1)
    assert approved_of([unknown, made]).monthly == made.spec.estimate.monthly_savings
    assert approved_of([]).monthly == Decimal(0)
