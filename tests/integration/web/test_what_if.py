"""What a policy would find with another spec: asked on its page or by a program, answered by the operator."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.support.valkey import running_guarded_valkey
from tests.support.web_estate import ACCOUNT, NOW, People, Site
from tests.support.what_ifs import OWN, SPEC, Operator, live_policy, question, write_scan

from finops.domain.resource import Gap
from finops.errors import StoreRefused
from finops.k8s.connection import connect
from finops.k8s.kinds import scan_policies
from finops.store.connection import Store, open_store
from finops.store.what_if import Answer, State, WhatIfs

HERE = "/policies/team-a/all"
API = f"/api{HERE}/what-if"
IDLE = {"checks": [{"id": "ec2_instance_idle", "enabled": False}]}
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nspec: [*b, *b]\n"
GAP = Gap(ACCOUNT, "eu-west-1", "ec2", "DescribeInstances", "AccessDenied", "the role may not")


@pytest.fixture
def scanned(site: Site, store: Store) -> Iterator[Store]:
    """A policy in the cluster and what its last scan left."""
    api = scan_policies(connect(str(site.cluster.kubeconfig_for("admin"))))
    api.create(live_policy(customChecks=[OWN]))
    write_scan(store, gaps=(GAP,))
    turn(store)
    yield store
    api.delete("team-a", "all")


def turn(store: Store) -> None:
    Operator(store, policies=[live_policy(customChecks=[OWN])]).loop().turn(threading.Event())


def ask(site: Site, store: Store, body: Any = IDLE, person: str = "alice", **headers: str) -> Any:
    return site.client(store).post(API, json=body, headers={**site.bearer(person), **headers})


def signed_in(site: Site, store: Store, person: str = "alice") -> tuple[TestClient, str]:
    """A browser's session, and the secret of its forms."""
    client = site.client(store)
    assert client.post("/sign-in", data={"token": site.token(person)}).status_code == 303
    found = re.search(r'name="form_secret" value="([^"]+)"', client.get(HERE).text)
    assert found is not None
    return client, found[1]


def test_a_program_asks_and_reads_the_answer(site: Site, scanned: Store) -> None:
    sent = ask(site, scanned, {"spec": SPEC})
    assert sent.status_code == 202, sent.text
    where = sent.headers["location"]
    client = site.client(scanned)
    assert client.get(where, headers=site.bearer()).json()["data"]["state"] == "Waiting"

    turn(scanned)

    found = client.get(where, headers=site.bearer()).json()
    assert found["data"]["state"] == "Answered"
    assert found["meta"]["asOf"] == NOW.isoformat()
    assert [one["code"] for one in found["meta"]["gaps"]] == ["AccessDenied"]
    outcome = found["data"]["outcome"]
    assert outcome["counts"] == {"New": 3, "Gone": 1, "Changed": 0, "Same": 0}
    assert outcome["savings"]["actionable"]["difference"] == {"monthly": -65.21, "once": 0, "count": -1, "unknown": 0}
    assert outcome["savings"]["advice"]["now"]["unknown"] == 3


def test_settings_of_one_check_leave_the_rest_of_the_live_spec(site: Site, scanned: Store) -> None:
    where = ask(site, scanned).headers["location"]
    turn(scanned)
    found = site.client(scanned).get(where, headers=site.bearer()).json()["data"]
    assert [one["id"] for one in found["spec"]["customChecks"]] == ["our_rule"]
    assert found["spec"]["checks"] == IDLE["checks"]
    assert found["outcome"]["counts"]["New"] == 3


def test_what_the_operator_does_not_take_has_field_and_words(site: Site, scanned: Store) -> None:
    where = ask(site, scanned, {"checks": [{"id": "ec2_instance_idel"}]}).headers["location"]
    turn(scanned)
    found = site.client(scanned).get(where, headers=site.bearer()).json()["data"]
    assert (found["state"], found["field"], found["outcome"]) == ("Refused", "spec.checks[0].id", None)
    assert found["hint"] == "did you mean ec2_instance_idle?"
    page = site.client(scanned).get(where.removeprefix("/api"), headers=site.bearer()).text
    assert "spec.checks[0].id</code> (line " in page
    assert "did you mean ec2_instance_idle?" in page


NEGATIVE: dict[str, tuple[str, Any, int]] = {
    "nobody": ("", IDLE, 401),
    "a person of another namespace": ("dave", IDLE, 404),
    "an unknown field": ("alice", {"spec": {"cadence": "daily"}}, 422),
    "no body": ("alice", None, 422),
    "both": ("alice", {"spec": {}, **IDLE}, 422),
    "neither": ("alice", {}, 422),
    "a check without id": ("alice", {"checks": [{}]}, 422),
    "a deep body": ("alice", {"spec": {"x": json.loads("[" * 90 + "]" * 90)}}, 422),
    "a body of a megabyte": ("alice", {"spec": {"x": "y" * 1_000_000}}, 413),
    "a spec near the bound": ("alice", {"spec": {"customChecks": [{**OWN, "message": "y" * 60_000}]}}, 422),
}


@pytest.mark.parametrize(("person", "body", "status"), NEGATIVE.values(), ids=NEGATIVE)
def test_who_may_not_or_asks_nonsense_asks_nothing(
    site: Site, scanned: Store, person: str, body: Any, status: int
) -> None:
    headers = {} if not person else site.bearer("bob" if person == "dave" else person)
    where = API if person != "dave" else API.replace("team-a", "team-b")
    answer = site.client(scanned).post(where, json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"]
    assert WhatIfs(scanned).next() is None


def test_a_policy_of_a_namespace_that_is_closed_is_not_there(site: Site, scanned: Store) -> None:
    people = People({"eve": frozenset({"team-b"})})
    client = site.client(scanned, people=people)
    for method, path in (("post", API), ("get", f"{API}/{1:032x}"), ("get", HERE), ("get", f"{HERE}/what-if/{1:032x}")):
        body = IDLE if method == "post" else None
        answer = client.request(method, path, headers={"Authorization": "Bearer eve"}, json=body)
        assert answer.status_code == 404, path
    assert WhatIfs(scanned).next() is None


def test_an_answer_is_for_whoever_asked(site: Site, scanned: Store) -> None:
    where = ask(site, scanned).headers["location"]
    client = site.client(scanned)
    assert client.get(where, headers=site.bearer("bob")).status_code == 404  # bob may read the policy
    assert client.get(where.removeprefix("/api"), headers=site.bearer("bob")).status_code == 404
    assert client.get(where, headers=site.bearer()).status_code == 200
    assert client.get(f"{API}/{'0' * 32}", headers=site.bearer()).status_code == 404
    assert client.get(f"{API}/..%2Fledger", headers=site.bearer()).status_code == 404


def test_somebody_who_asks_without_end_waits(site: Site, scanned: Store) -> None:
    assert [ask(site, scanned).status_code for _ in range(3)] == [202, 202, 403]
    page = site.client(scanned).post(f"{HERE}/what-if", data={"text": "spec: {}"}, headers=site.bearer())
    assert page.status_code == 403
    assert "questions of yours wait" in page.text


def test_a_session_asks_by_its_own_form_alone(site: Site, scanned: Store) -> None:
    client, secret = signed_in(site, scanned)
    assert client.post(f"{HERE}/what-if", data={"text": "spec: {}"}).status_code == 403
    assert client.post(f"{HERE}/what-if", data={"text": "spec: {}", "form_secret": "x" * 40}).status_code == 403
    assert client.post(API, json=IDLE).status_code == 403
    assert WhatIfs(scanned).next() is None
    assert client.post(f"{HERE}/what-if", data={"text": "spec: {}", "form_secret": secret}).status_code == 303


def test_the_form_of_one_check_asks_with_its_thresholds(site: Site, scanned: Store) -> None:
    client = site.client(scanned)
    page = client.get(f"{HERE}?check=ec2_instance_idle", headers=site.bearer()).text
    assert 'value="maximumCpuPercent"' in page
    form = {"check": "ec2_instance_idle", "runs": "yes", "parameter": ["maximumCpuPercent"], "value": ["2.5"]}

    sent = client.post(f"{HERE}/what-if", data=form, headers=site.bearer())

    assert sent.status_code == 303
    waiting = client.get(sent.headers["location"], headers=site.bearer()).text
    assert "Waiting for the operator" in waiting
    assert 'data-poll="' in waiting
    assert "Show whether the answer is there" in waiting
    turn(scanned)
    answered = client.get(sent.headers["location"], headers=site.bearer()).text
    assert "data-poll" not in answered
    assert "+    maximumCpuPercent: 2.5" in answered
    for words in ("Would be found", "Would no longer be found", "1 gap", "AWS was not asked", "65.21"):
        assert words in answered
    twin = client.get(f"{sent.headers['location']}.csv", headers=site.bearer()).text
    assert [one["change"] for one in csv.DictReader(io.StringIO(twin))] == ["New", "New", "New", "Gone"]
    assert client.get(f"{sent.headers['location']}.json", headers=site.bearer()).json()["state"] == "Answered"
    again = client.get(f"{HERE}?again={sent.headers['location'].rpartition('/')[2]}", headers=site.bearer()).text
    assert "maximumCpuPercent: 2.5" in again


def test_what_is_wrong_is_shown_beside_what_was_sent(site: Site, scanned: Store) -> None:
    client = site.client(scanned)
    for text, words in (
        ("spec:\n  cadence: daily\n", "<code>spec.cadence</code> (line 2)"),
        (BOMB, "is an alias"),
        ("a: [", "is not YAML"),
    ):
        answer = client.post(f"{HERE}/what-if", data={"text": text}, headers=site.bearer())
        assert answer.status_code == 422
        assert words in answer.text
        assert text.splitlines()[-1] in answer.text.replace("&amp;", "&")
    form = {"check": "ec2_instance_idle", "runs": "yes", "parameter": ["maximumCpuPercent"], "value": ["much"]}
    answer = client.post(f"{HERE}/what-if", data=form, headers=site.bearer())
    assert answer.status_code == 422
    assert "maximumCpuPercent</code> is not a number" in answer.text
    assert 'value="much"' in answer.text
    assert client.post(f"{HERE}/what-if", data={"check": "x"}, headers=site.bearer()).status_code == 422
    assert client.post(f"{HERE}/what-if", data={"text": "x" * 60_000}, headers=site.bearer()).status_code == 422
    assert WhatIfs(scanned).next() is None


def test_a_question_that_could_not_be_answered_says_what_to_do(site: Site, scanned: Store) -> None:
    where = ask(site, scanned).headers["location"]
    one = WhatIfs(scanned).next()
    assert one is not None
    WhatIfs(scanned).put(Answer(one, State.RUNNING, done=1200, total=4000))
    page = site.client(scanned).get(where.removeprefix("/api"), headers=site.bearer()).text
    assert "1,200 of about 4,000 resources judged" in page
    WhatIfs(scanned).put(Answer(one, State.FAILED, "the operator stops", "ask again; nothing was changed"))
    page = site.client(scanned).get(where.removeprefix("/api"), headers=site.bearer()).text
    assert "The operator stops. Ask again; nothing was changed." in page


def test_before_the_operator_has_said_its_checks_a_whole_spec_can_be_asked_about(site: Site, store: Store) -> None:
    api = scan_policies(connect(str(site.cluster.kubeconfig_for("admin"))))
    api.create(live_policy())
    try:
        write_scan(store)
        page = site.client(store).get(HERE, headers=site.bearer()).text
    finally:
        api.delete("team-a", "all")
    assert "The operator has not said yet which checks it knows." in page
    assert site.client(store).get(HERE, headers=site.bearer()).status_code == 404  # it is gone


def test_hostile_words_stay_text(site: Site, scanned: Store) -> None:
    bad = "<script>alert(1)</script>"
    where = ask(site, scanned, {"spec": {**SPEC, "customChecks": [{**OWN, "message": bad}]}}).headers["location"]
    turn(scanned)
    page = site.client(scanned).get(where.removeprefix("/api"), headers=site.bearer()).text
    assert "&lt;script&gt;alert(1)" in page
    assert bad not in page


def test_the_dashboards_user_of_the_store_asks_and_reads_and_writes_no_answer() -> None:
    with running_guarded_valkey() as server:
        web, operator = open_store(server.url_of("web")), open_store(server.url_of("operator"))
        one = question()
        WhatIfs(web).ask(one)
        found = WhatIfs(web).of(one.id)
        assert found is not None
        assert found.state is State.WAITING
        with pytest.raises(StoreRefused):
            WhatIfs(web).put(Answer(one, State.FAILED, "forged"))
        with pytest.raises(StoreRefused):
            WhatIfs(web).publish_checks(())
        asked = WhatIfs(operator).next()
        assert asked == one
        WhatIfs(operator).put(Answer(one, State.FAILED, "no"))
        found = WhatIfs(web).of(one.id)
        assert found is not None
        assert found.message == "no"
        web.client.close()
        operator.client.close()
