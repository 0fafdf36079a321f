"""Snooze, wake and resume in the dashboard and its API: the objects of Slack and the command line, and the rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import policy, recommendation, request
from tests.support.web_estate import NOW, Site, StoredScan, priced, resource

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.crds.conditions import ACTS_PAUSED, PAUSE_REASONS
from finops.domain.decision import Choice
from finops.k8s.connection import connect
from finops.k8s.kinds import action_requests, approvals
from finops.store.connection import Store
from finops.store.known_names import KnownNames
from finops_web.api import action_requests as endpoint
from finops_web.pages import optimizations
from finops_web.pages import requests as page

DAY = "2026-03-20"
MIDNIGHT = datetime(2026, 3, 20, tzinfo=UTC)
WHY = "r-failed needs a person: AWS had no capacity. Find out why, then resume."


@pytest.fixture
def estate(store: Store) -> Store:
    rows = {"a": (resource("ec2-instance", "i-1", name="web"), priced("0.10"))}
    StoredScan(store, ("team-a", "all")).write(rows, recommendations=(recommendation(1),))
    return store


@pytest.fixture
def made(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ActionRequest]]:
    """A request that waits, one that is snoozed until a day, and one whose act failed and paused its kind."""
    for module in (page, optimizations, endpoint):
        monkeypatch.setattr(module, "_WAIT_SECONDS", 0.0)
    admin = connect(str(site.cluster.kubeconfig_for("admin")))
    api = action_requests(admin)
    found = {name: api.create(request(recommendation(at), None)) for at, name in enumerate(STATUSES, 1)}
    found |= {name: api.replace_status(found[name], status) for name, status in STATUSES.items() if status}
    counted(site, found["snoozed"], Choice.SNOOZE, until=MIDNIGHT)
    yield found
    for one in found.values():
        api.delete("team-a", one.metadata.name)
    for vote in site.approvals("team-a"):
        approvals(admin).delete("team-a", vote.metadata.name)


_PAUSED = {
    "type": ACTS_PAUSED,
    "status": "True",
    "reason": PAUSE_REASONS[True],
    "message": WHY,
    "lastTransitionTime": NOW.isoformat(),
}
STATUSES: dict[str, dict[str, Any]] = {
    "waiting": {},
    "snoozed": {"state": "Snoozed", "outcome": {"message": "Snoozed until 2026-03-20 00:00 UTC by k8s.alice."}},
    "failed": {"state": "RolledBack", "conditions": [_PAUSED]},
}


def counted(site: Site, on: ActionRequest, choice: Choice, until: datetime | None = None) -> None:
    """Put a vote of alice into the cluster, as the operator leaves it once it is counted."""
    spec = ApprovalSpec(
        request=RequestReference(name=on.metadata.name, uid=on.metadata.uid or ""),
        plan_hash=on.spec.plan_hash,
        decision=choice,
        until=until,
        approver=Voter(source=Source.KUBERNETES, username="alice"),
    )
    alice = approvals(connect(str(site.cluster.kubeconfig_for("alice"))))
    sent = alice.create(Approval.of("team-a", spec))
    admin = approvals(connect(str(site.cluster.kubeconfig_for("admin"))))
    admin.replace_status(sent, {"result": "Counted", "reason": choice.value, "message": f"{choice.value} counted."})


def send(site: Site, store: Store, on: ActionRequest, person: str = "alice", **form: str) -> Any:
    form = {"namespace": "team-a", "name": on.metadata.name, **form}
    return site.client(store).post("/requests/vote", data=form, headers=site.bearer(person))


def row(site: Site, store: Store, on: ActionRequest, person: str = "alice") -> str:
    """The row of a request on the page."""
    html = site.client(store).get("/requests", headers=site.bearer(person)).text
    return html.partition(f'<tr id="{on.metadata.uid}"')[2].partition("</tr>")[0]


def votes(site: Site) -> list[tuple[str, str, str | None, datetime | None]]:
    """Every vote that no operator has answered: on which request, which, why, until when."""
    return [
        (one.spec.request.name, one.spec.decision.value, one.spec.reason, one.spec.until)
        for one in site.approvals("team-a")
        if one.status.result is None
    ]


def test_each_request_offers_what_can_be_put_off_or_ended_there_and_nothing_else(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    offered = {
        name: [word for word in ("Snooze", "Wake", "Resume") if f'value="{word}"' in row(site, estate, one)]
        for name, one in made.items()
    }

    assert offered == {"waiting": ["Snooze"], "snoozed": ["Wake"], "failed": ["Resume"]}
    assert WHY in row(site, estate, made["failed"])
    assert "Nobody is asked again before 2026-03-20 00:00 UTC." in row(site, estate, made["snoozed"])


@pytest.mark.parametrize("path", ["/requests/vote", "/optimizations/vote"])
def test_a_snooze_by_form_is_the_approval_that_slack_and_the_command_line_make(
    site: Site, estate: Store, made: dict[str, ActionRequest], path: str
) -> None:
    one = made["waiting"]
    form = {"namespace": "team-a", "name": one.metadata.name, "decision": "Snooze", "until": DAY, "reason": "June"}

    answer = site.client(estate).post(path, data=form, headers=site.bearer())

    assert "said=The%20vote%20is%20recorded" in answer.headers["location"]
    assert votes(site) == [(one.metadata.name, "Snooze", "June", MIDNIGHT)]


@pytest.mark.parametrize("day", ["", "soon", "2026-03-10", "2026-02-30", "2027-03-12", "9999-01-01", "2026-03-11T08"])
@pytest.mark.parametrize("path", ["/requests/vote", "/optimizations/vote"])
def test_a_snooze_without_a_day_of_the_coming_year_is_not_sent(
    site: Site, estate: Store, made: dict[str, ActionRequest], path: str, day: str
) -> None:
    form = {"namespace": "team-a", "name": made["waiting"].metadata.name, "decision": "Snooze", "until": day}

    answer = site.client(estate).post(path, data=form, headers=site.bearer())

    assert "problem=" in answer.headers["location"]
    assert "2026-03-11" in answer.headers["location"], "the days that can be chosen are named"
    assert votes(site) == []


def test_wake_and_resume_are_sent_with_their_reason(site: Site, estate: Store, made: dict[str, ActionRequest]) -> None:
    send(site, estate, made["snoozed"], decision="Wake", reason="the project has ended")
    send(site, estate, made["failed"], decision="Resume", reason="the quota was raised")

    assert sorted(votes(site)) == sorted(
        [
            (made["snoozed"].metadata.name, "Wake", "the project has ended", None),
            (made["failed"].metadata.name, "Resume", "the quota was raised", None),
        ]
    )


def test_a_snooze_that_was_ended_or_is_over_offers_no_wake(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    one = made["snoozed"]
    after = site.client(estate, clock=FakeClock(MIDNIGHT)).get("/requests", headers=site.bearer()).text
    assert one.metadata.name in after
    assert 'value="Wake"' not in after
    assert 'value="Wake"' in row(site, estate, one)

    counted(site, one, Choice.WAKE)

    assert 'value="Wake"' not in row(site, estate, one)
    assert "Nobody is asked again before" not in row(site, estate, one)


def test_the_panel_of_a_recommendation_offers_to_snooze_its_request(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    html = site.client(estate).get("/optimizations?open=rec1", headers=site.bearer()).text

    panel = html.partition('id="decide"')[2].partition("</section>")[0]
    assert 'value="Snooze"' in panel
    assert 'min="2026-03-11"' in panel


def test_a_key_pressed_in_a_field_sends_no_form(site: Site, estate: Store, made: dict[str, ActionRequest]) -> None:
    """Enter in a field presses a form's first button: that must be none that decides."""
    html = site.client(estate).get("/optimizations?open=rec1", headers=site.bearer()).text
    html += site.client(estate).get("/requests", headers=site.bearer()).text
    forms = [one for one in html.split("<form ")[1:] if "<button" in one and 'name="decision"' in one]

    assert len(forms) >= 6
    for form in forms:
        assert form.partition("<button ")[2].startswith("hidden disabled>"), form[:200]


def test_who_may_read_and_not_vote_is_offered_nothing_and_refused_by_the_api_server(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    for one in made.values():
        assert one.metadata.name in row(site, estate, one, "carol")
        assert "/requests/vote" not in row(site, estate, one, "carol")
    panel = site.client(estate).get("/optimizations?open=rec1", headers=site.bearer("carol")).text
    assert "You may not vote in this namespace" in panel
    assert "/optimizations/vote" not in panel

    for name, form in (
        ("waiting", {"decision": "Snooze", "until": DAY, "reason": "x"}),
        ("snoozed", {"decision": "Wake", "reason": "x"}),
        ("failed", {"decision": "Resume", "reason": "x"}),
    ):
        answer = send(site, estate, made[name], "carol", **form)
        assert "problem=" in answer.headers["location"], name
        path = f"/api/action-requests/{made[name].metadata.uid}/approvals"
        body = {**form, **({"until": f"{DAY}T00:00:00Z"} if "until" in form else {})}
        sent = site.client(estate).post(path, json=body, headers=site.bearer("carol"))
        assert sent.status_code == 403, sent.text
    assert votes(site) == []


@pytest.mark.parametrize("person", ["bob", "nobody"])
def test_strangers_end_nothing(site: Site, estate: Store, made: dict[str, ActionRequest], person: str) -> None:
    headers = site.bearer(person) if person == "bob" else {"Authorization": "Bearer nobody"}
    for name, decision in (("snoozed", "Wake"), ("failed", "Resume")):
        form = {"namespace": "team-a", "name": made[name].metadata.name, "decision": decision, "reason": "x"}
        assert site.client(estate).post("/requests/vote", data=form, headers=headers).status_code in {303, 401, 403}
        path = f"/api/action-requests/{made[name].metadata.uid}/approvals"
        sent = site.client(estate).post(path, json={"decision": decision, "reason": "x"}, headers=headers)
        assert sent.status_code in {401, 404}
    assert votes(site) == []


@pytest.mark.parametrize("decision", ["Snooze", "Wake", "Resume"])
def test_a_form_of_another_session_ends_nothing(
    site: Site, estate: Store, made: dict[str, ActionRequest], decision: str
) -> None:
    client = site.client(estate)
    client.post("/sign-in", data={"token": site.token()})
    form = {"namespace": "team-a", "name": made["waiting"].metadata.name, "decision": decision, "until": DAY}

    answer = client.post("/requests/vote", data={**form, "reason": "x", "form_secret": "guessed"})

    assert answer.status_code == 403
    assert votes(site) == []


def post(site: Site, store: Store, on: ActionRequest, **body: Any) -> Any:
    path = f"/api/action-requests/{on.metadata.uid}/approvals"
    return site.client(store).post(path, json=body, headers=site.bearer())


def test_the_api_snoozes_wakes_and_resumes(site: Site, estate: Store, made: dict[str, ActionRequest]) -> None:
    later = (NOW + timedelta(days=3)).isoformat()

    snoozed = post(site, estate, made["waiting"], decision="Snooze", until=later, reason="June")
    woken = post(site, estate, made["snoozed"], decision="Wake", reason="it ended")
    resumed = post(site, estate, made["failed"], decision="Resume", reason="quota")

    assert [one.status_code for one in (snoozed, woken, resumed)] == [201, 201, 201]
    spec = snoozed.json()["data"]["spec"]
    assert (spec["decision"], spec["approver"]["username"]) == ("Snooze", "alice")
    assert datetime.fromisoformat(spec["until"]) == NOW + timedelta(days=3)


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "Snooze", "reason": "x"},
        {"decision": "Approve", "until": "2026-06-01T00:00:00Z"},
        {"decision": "Wake", "reason": "x", "until": "2026-06-01T00:00:00Z"},
        {"decision": "Snooze", "until": "2026-06-01T00:00:00"},
        {"decision": "Snooze", "until": "9999-06-01T00:00:00Z"},
        {"decision": "Snooze", "until": "soon"},
    ],
)
def test_a_date_and_a_snooze_belong_together_in_the_api(
    site: Site, estate: Store, made: dict[str, ActionRequest], body: dict[str, str]
) -> None:
    answer = post(site, estate, made["waiting"], **body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "InvalidInput")
    assert votes(site) == []


def with_step_up(site: Site, on: ActionRequest) -> ActionRequest:
    """Make a request of the same terms that needs two people, one of them outside Slack."""
    terms = on.spec.approval.model_copy(update={"step_up": True, "required": 2, "remind_after": ("24h",)})
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    metadata = on.metadata.model_copy(update={"name": "r-step-up", "uid": None, "resource_version": None})
    return api.create(
        on.model_copy(update={"metadata": metadata, "spec": on.spec.model_copy(update={"approval": terms})})
    )


def test_page_and_api_say_which_approvals_are_missing_and_when_people_are_reminded(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    one = made["step up"] = with_step_up(site, made["waiting"])

    def said() -> str:
        path = f"/api/action-requests/{one.metadata.uid}"
        found = site.client(estate).get(path, headers=site.bearer()).json()["data"]["stillNeeded"]
        assert f"needs {found}" in row(site, estate, one)
        assert found in site.client(estate).get("/requests.csv", headers=site.bearer()).text
        return str(found)

    assert said() == "2 more approvals, one of them outside Slack"
    assert "Reminders in Slack after 24h" in row(site, estate, one)
    assert "Reminders in Slack" not in row(site, estate, made["waiting"])
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    votes = {"approve": 1, "deny": 0, "required": 2, "summary": "1/2"}
    api.replace_status(one, {"state": "Pending", "votes": votes})
    assert said() == "1 more approval outside Slack"
    counted(site, one, Choice.APPROVE)
    assert said() == "1 more approval"


def test_the_savings_page_shows_per_check_what_was_promised_and_still_stands(
    site: Site, estate: Store, made: dict[str, ActionRequest]
) -> None:
    entry = {"namespace": "team-a", "action": "ec2_instance_stop", "time": NOW.isoformat()}
    figures = {"before": "70.00", "after": "0.00", "saving": "70.00"}
    known = {"request": made["waiting"].metadata.uid or "", "resource": "arn:aws:ec2:x:1:instance/i-1", **figures}
    gone = {"request": "gone", "resource": "arn:aws:ec2:x:1:instance/i-2", "before": "", "after": "", "saving": ""}
    for one in (known, gone):
        fields: dict[Any, Any] = {**entry, **one}
        estate.client.xadd(estate.keys.realized, fields)

    client, headers = site.client(estate), site.bearer()
    html = client.get("/savings", headers=headers).text

    table = html.partition("Savings by check")[2].partition("</table>")[0]
    assert "ec2 instance idle" in table
    assert "not known any more" in table
    assert "1 act without a figure, in neither sum" in table
    assert table.count(">unknown<") == 2
    month = html.partition("Savings by month")[2].partition("</table>")[0]
    assert '>70.00<span class="sub">and 1 act without a figure</span>' in month

    rows = client.get("/savings/by-check.json", headers=headers).json()
    shown = {"acts": 1, "undone": 0, "ended": 0, "currency": "USD", "unmeasured": 0}
    assert rows == [
        {"check": None, **shown, "unknown": 1, "promised": None, "stands": None},
        {"check": "ec2_instance_idle", **shown, "unknown": 0, "promised": "70.00", "stands": "70.00"},
    ]
    lines = client.get("/savings/by-check.csv", headers=headers).text.split()
    assert lines[0] == "check,acts,undone,ended,unknown,promised,stands,currency,unmeasured"
    assert lines[1:] == [",1,0,0,1,,,USD,0", "ec2_instance_idle,1,0,0,0,70.00,70.00,USD,0"]


def test_who_may_not_read_the_requests_sees_that_the_checks_of_savings_are_missing(site: Site, estate: Store) -> None:
    entry = {"namespace": "team-a", "action": "ec2_instance_stop", "time": NOW.isoformat(), "request": "u"}
    fields: dict[Any, Any] = {**entry, "resource": "arn:1", "before": "70.00", "after": "0.00", "saving": "70.00"}
    estate.client.xadd(estate.keys.realized, fields)

    for twin in ("json", "csv"):
        answer = site.client(estate).get(f"/savings/by-check.{twin}", headers=site.bearer("bob"))
        assert "namespace team-a" in answer.headers["finops-gaps"]
    page = site.client(estate).get("/savings", headers=site.bearer("bob")).text
    assert "namespace team-a" in page


def test_who_may_decide_has_the_known_name_beside_the_slack_id(site: Site, estate: Store) -> None:
    approvers = [{"slackUser": "U0123"}, {"slackUser": "U0999"}, {"kubernetesUser": "alice"}]
    one = recommendation(9)
    StoredScan(estate, ("team-a", "p")).write({}, recommendations=(one,))
    api = action_requests(connect(str(site.cluster.kubeconfig_for("admin"))))
    made = api.create(request(one, None, by=policy(approval={"approvers": approvers})))
    KnownNames(estate).put({"U0123": "erin"})

    html = site.client(estate).get(f"/optimizations?open={one.id}", headers=site.bearer()).text
    api.delete("team-a", made.metadata.name)

    assert "<dt>May decide</dt><dd>erin (U0123), slackUser U0999, kubernetesUser alice</dd>" in html
