"""The page of requests asks for undos and decides them; people read there what the undo costs and when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scan_samples import recommendation, request
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.k8s.connection import connect
from finops.k8s.kinds import KindApi, action_requests, approvals
from finops.store.connection import Store
from finops_web.pages import requests as page

WARNING = "It starts as soon as it is approved, also outside the policy's windows."


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store, ("team-a", "all")).write({"a": (resource("ec2-instance", "i-1", name="web"), priced("0.10"))})
    return store


@pytest.fixture
def made(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ActionRequest, ActionRequest]]:
    """An act that can be undone for a day, and the undo of another one that waits for votes."""
    monkeypatch.setattr(page, "_WAIT_SECONDS", 0.0)
    admin = connect(str(site.cluster.kubeconfig_for("admin")))
    api = action_requests(admin)
    act = api.create(request(recommendation(1), None))
    act = api.replace_status(act, {"state": "Succeeded", "undo": {"until": (NOW + timedelta(days=1)).isoformat()}})
    item = request(recommendation(2), None)
    estimate = item.spec.estimate.model_copy(
        update={
            "current_monthly_cost": item.spec.estimate.new_monthly_cost,
            "new_monthly_cost": item.spec.estimate.current_monthly_cost,
            "monthly_savings": Decimal("0.00"),
        }
    )
    undoes = UndoneAct(name="r-gone", uid="u0", required=1, outside_windows=True)
    assert item.spec.presentation is not None
    words = item.spec.presentation.model_copy(update={"warnings": (WARNING,)})
    spec = item.spec.model_copy(update={"undoes": undoes, "estimate": estimate, "presentation": words})
    undo = api.create(item.model_copy(update={"spec": spec}))
    yield act, undo
    remove(api, act, undo)
    for vote in site.approvals("team-a"):
        approvals(admin).delete("team-a", vote.metadata.name)


def remove(api: KindApi[ActionRequest], *requests: ActionRequest) -> None:
    for one in requests:
        api.delete("team-a", one.metadata.name)


def send(site: Site, store: Store, on: ActionRequest, decision: str, reason: str = "") -> Any:
    form = {"namespace": "team-a", "name": on.metadata.name, "decision": decision, "reason": reason}
    return site.client(store).post("/requests/vote", data=form, headers=site.bearer())


def shown(site: Site, store: Store) -> str:
    return site.client(store).get("/requests", headers=site.bearer()).text.replace("&#39;", "'")


def test_an_undo_says_what_it_costs_and_that_it_waits_for_no_window_beside_the_buttons(
    site: Site, estate: Store, made: tuple[ActionRequest, ActionRequest]
) -> None:
    html = shown(site, estate)

    assert "Undo of r-gone: costs 65.21 more a month." in html
    assert WARNING in html
    assert html.index(WARNING) < html.index('value="Approve"')


def test_an_act_that_succeeded_has_a_button_that_asks_for_its_undo_until_it_is_too_late(
    site: Site, estate: Store, made: tuple[ActionRequest, ActionRequest]
) -> None:
    act, _ = made
    assert 'value="Undo"' in shown(site, estate)

    answer = send(site, estate, act, "Undo", "the team needs it")

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/requests?said=The%20vote%20is%20recorded")
    (vote,) = site.approvals("team-a")
    assert (vote.spec.decision, vote.spec.request.uid, vote.spec.reason) == (
        "Undo",
        act.metadata.uid,
        "the team needs it",
    )
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    found = api.get("team-a", act.metadata.name)
    assert found is not None
    for undo in ({"until": NOW.isoformat()}, {"until": (NOW + timedelta(days=1)).isoformat(), "request": "r-undo"}):
        found = api.replace_status(found, {"state": "Succeeded", "undo": undo})
        assert 'value="Undo"' not in shown(site, estate)


def test_votes_on_an_undo_are_cast_here_and_those_on_a_recommendation_are_not(
    site: Site, estate: Store, made: tuple[ActionRequest, ActionRequest]
) -> None:
    act, undo = made

    assert "said=" in send(site, estate, undo, "Approve").headers["location"]
    assert "problem=Nothing%20was%20sent" in send(site, estate, act, "Approve").headers["location"]

    assert [(one.spec.request.name, one.spec.decision) for one in site.approvals("team-a")] == [
        (undo.metadata.name, "Approve")
    ]
    gone = undo.model_copy(update={"metadata": undo.metadata.model_copy(update={"name": "gone"})})
    assert send(site, estate, gone, "Approve").status_code == 404


def test_a_state_that_became_worse_stands_beside_the_button_that_asks_for_the_undo(
    site: Site, estate: Store, made: tuple[ActionRequest, ActionRequest]
) -> None:
    act, _ = made
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    until = (NOW + timedelta(days=1)).isoformat()
    watch = {"state": "Worse", "until": until, "worse": "Its CPU is full.", "message": "24 hours later: it does well."}
    found = api.get("team-a", act.metadata.name)
    assert found is not None
    api.replace_status(found, {"state": "Succeeded", "undo": {"until": until}, "watch": watch})

    html = shown(site, estate)

    assert "Worse than promised: Its CPU is full." in html
    assert "24 hours later: it does well." in html
    assert html.index("Worse than promised") < html.index('value="Undo"')


def test_an_act_that_was_undone_is_shown_as_one_that_saves_nothing_any_more(
    site: Site, estate: Store, made: tuple[ActionRequest, ActionRequest]
) -> None:
    act, _ = made
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    found = api.get("team-a", act.metadata.name)
    assert found is not None
    undo = {"request": "r-undo", "state": "Succeeded", "message": "Undone by request r-undo."}
    api.replace_status(found, {"state": "Succeeded", "undo": undo})

    html = shown(site, estate)
    row = html[html.index(f'<tr id="{act.metadata.uid}"') :].partition("</tr>")[0]

    assert ">Undone</span>" in row
    assert "0.00 <span" in row
    assert "65.21 until it was undone" in row
    assert "Undone by request r-undo." in row
    table = site.client(estate).get("/requests.csv", headers=site.bearer()).text.splitlines()
    (line,) = (one for one in table if f",{act.metadata.name}," in one)
    assert line.endswith(",Succeeded")
    assert ",0.00," in line
