"""An error names the field as the sender wrote it, says what to do, and has the headers that the standard asks for."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.api_sample import Sample, sample
from tests.support.pushes import ISOLATED
from tests.support.web_estate import ACCOUNT, Site, StoredScan, priced, resource
from tests.support.web_server import served

from finops.crds.approval import Approval
from finops.domain.decision import RefusalReason, VoteResult
from finops.store.connection import Store
from finops_web.api import action_requests
from finops_web.forms import FORMS
from finops_web.readings import requests as voting

VOLUMES: Final = f"/api/ebs-volumes?namespace=team-a&account={ISOLATED}"
VOLUME: Final = {"volume_id": "vol-1", "state": "in-use", "region": "us-east-1"}
WHAT_IF: Final = "/api/policies/team-a/all/what-if"
CHANGE: Final = {"account": ACCOUNT, "region": "us-east-1", "service": "ec2-instance", "way": "More"} | {
    "reason": "load test",
    "extraPerDay": "200.00",
}
JSON: Final = {"Content-Type": "application/json"}
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def estate(store: Store) -> Store:
    StoredScan(store).write({"a": (resource("ec2-instance", "i-1"), priced("0.10"))})
    return store


@pytest.fixture
def api(site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sample]:
    monkeypatch.setattr(action_requests, "_WAIT_SECONDS", 0.0)
    with sample(site, store, tmp_path) as made:
        yield made


def error(answer: Any, status: int) -> dict[str, str]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    found: dict[str, str] = answer.json()["error"]
    assert found["message"]
    assert found["hint"]
    assert not re.search(r"Value error|Pushed[A-Z]|WholeSpec|SomeChecks|JSON decode|dictionary", answer.text)
    return found


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (VOLUMES, {**VOLUME, "size_gb": -1}, "size_gb"),
        (VOLUMES, [VOLUME, {**VOLUME, "size_gb": -1}], "[1].size_gb"),
        (VOLUMES, {**VOLUME, "tags": {"Team": 1}}, "tags.Team"),
        (VOLUMES, {**VOLUME, "created": "2026-03-01T00:00:00"}, "created"),
        (VOLUMES, {**VOLUME, "Foo": 1}, "Foo"),
        (VOLUMES, {"volume_id": "vol-1", "region": "us-east-1"}, "state"),
        (VOLUMES, [], ""),
        (VOLUMES, "vol-1", ""),
        (VOLUMES, 1, ""),
        (WHAT_IF, {}, "spec"),
        (WHAT_IF, {"checks": []}, "checks"),
    ],
)
def test_the_field_of_an_error_is_where_the_sender_wrote_it(
    site: Site, estate: Store, path: str, body: Any, field: str
) -> None:
    answer = site.client(estate).post(path, headers=site.bearer(), json=body)

    assert error(answer, 422).get("field", "") == field


@pytest.mark.parametrize(
    ("method", "path", "body", "message", "hint"),
    [
        (
            "POST",
            "/api/action-requests",
            {"requests": ["u"], "decision": "Maybe"},
            "decision is not one of the values allowed",
            "write 'Approve', 'Deny' or 'Withdraw'",
        ),
        (
            "POST",
            VOLUMES,
            [VOLUME, {**VOLUME, "size_gb": -1}],
            "size_gb of entry 2 of the list is out of range",
            "write a number of at least 0",
        ),
        (
            "POST",
            VOLUMES,
            [VOLUME, {**VOLUME, "size_gb": 70_000}],
            "size_gb of entry 2 of the list is 70000, and AWS allows 0 to 65,536 GiB",
            "send it in GiB, as AWS says it; Amazon EBS user guide, “Amazon EBS volume types”",
        ),
        (
            "GET",
            "/api/costing/history?by=colour",
            None,
            "by is not written as it has to be",
            "write all, account, region, service, or tag: and a key: tag:team",
        ),
        (
            "GET",
            "/api/savings?claimed=maybe",
            None,
            "claimed has the wrong type",
            "write true or false without quotes",
        ),
        (
            "POST",
            "/api/savings?namespace=team-a",
            {"resource_id": "i-8", "money_saved": "much"},
            "money_saved has the wrong type",
            "write a number without quotes",
        ),
        (
            "POST",
            "/api/anomalies/expected",
            {**CHANGE, "until": "soon"},
            "until is not written as a day or a time",
            "write it as text, such as “2026-03-01” or “2026-03-01T12:00:00Z”",
        ),
        (
            "GET",
            "/api/budgets?state=zz",
            None,
            "state is not one of the values allowed",
            "write 'WithinBudget', 'AlertReached', 'Exceeded' or 'Unknown'",
        ),
        (
            "GET",
            "/api/optimizations?status=zz",
            None,
            "status is not one of the values allowed",
            "write 'Actionable', 'Advice' or 'Blocked'",
        ),
        (
            "POST",
            "/api/ebs-volumes?namespace=team-a&account=12",
            VOLUME,
            "account is not written as it has to be",
            "write the twelve digits of an account id, or leave it out",
        ),
        (
            "POST",
            VOLUMES,
            {**VOLUME, "region": "Mars"},
            "region is not written as it has to be",
            "write a region of AWS, such as eu-west-1, or global",
        ),
    ],
)
def test_an_error_names_the_field_and_the_correction_in_plain_words(
    site: Site, estate: Store, method: str, path: str, body: Any, message: str, hint: str
) -> None:
    answer = site.client(estate).request(method, path, headers=site.bearer(), json=body)

    found = error(answer, 422)
    assert (found["message"], found["hint"]) == (message, hint)


def test_a_spec_that_is_none_is_refused_with_its_field_and_what_to_do(api: Sample) -> None:
    path = f"/api/policies/{api.paths['namespace']}/{api.paths['name']}/what-if"

    found = error(api.client.post(path, headers=api.headers, json={"spec": {"schedule": "whenever"}}), 422)

    assert found["field"].startswith("spec")
    assert found["hint"]


def test_every_pattern_of_the_api_has_words(site: Site, estate: Store) -> None:
    described = json.dumps(site.client(estate).get("/openapi.json").json())

    found = set(map(json.loads, re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', described)))
    assert found
    assert found <= FORMS.keys()


@pytest.mark.parametrize("path", [VOLUMES, WHAT_IF, "/api/anomalies/expected", "/api/action-requests/u/approvals"])
@pytest.mark.parametrize(
    "body", ["{bad", "[" * 30_000, b'"\xff', "", "{} {}"], ids=["cut", "deep", "bytes", "none", "two"]
)
def test_a_body_that_is_no_json_is_an_answer_that_says_so(
    site: Site, estate: Store, path: str, body: str | bytes
) -> None:
    answer = site.client(estate).post(path, headers={**site.bearer(), **JSON}, content=body)

    found = error(answer, 422)
    assert "field" not in found
    assert "JSON" in found["message"] + found["hint"]


@pytest.mark.parametrize("kind", [FORM, {"Content-Type": "text/plain"}, {}])
def test_a_body_of_another_kind_is_refused_with_the_kind_that_is_taken(
    site: Site, estate: Store, kind: dict[str, str]
) -> None:
    answer = site.client(estate).post(VOLUMES, headers={**site.bearer(), **kind}, content="volume_id=vol-1")

    assert "application/json" in error(answer, 415)["hint"]


def test_what_is_not_there_says_where_to_find_what_is(site: Site, estate: Store) -> None:
    answer = site.client(estate).get("/api/nothing", headers=site.bearer())

    assert "/openapi.json" in error(answer, 404)["hint"]


def test_another_method_is_answered_with_those_that_are_taken(site: Site, estate: Store) -> None:
    client = site.client(estate)

    both = client.put("/api/ebs-volumes", headers=site.bearer())
    assert both.headers["allow"] == "GET, HEAD, POST"
    assert "GET, HEAD, POST" in error(both, 405)["hint"]
    assert client.post("/api/costing/current", headers=site.bearer()).headers["allow"] == "GET, HEAD"
    assert client.post("/resources", headers=site.bearer()).headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("token", ["", "Bearer nobody"])
def test_who_is_not_known_is_answered_with_how_to_be(site: Site, estate: Store, token: str) -> None:
    answer = site.client(estate).get("/api/resources", headers={"Authorization": token} if token else {})

    error(answer, 401)
    assert answer.headers["www-authenticate"] == ('Bearer error="invalid_token"' if token else "Bearer")


@pytest.mark.parametrize("path", ["/api/resources", "/resources", "/resources.csv", "/healthz", "/openapi.json"])
def test_head_is_answered_as_get_without_its_body(site: Site, estate: Store, path: str) -> None:
    client = site.client(estate)

    whole, head = client.get(path, headers=site.bearer()), client.head(path, headers=site.bearer())

    assert (head.status_code, head.content) == (200, b"")
    varies = {"date"}
    assert {k: v for k, v in head.headers.items() if k not in varies} == {
        k: v for k, v in whole.headers.items() if k not in varies
    }


@pytest.mark.parametrize(
    ("ballot", "field"),
    [
        ({"decision": "Snooze", "until": "2020-01-01T00:00:00Z", "reason": "x"}, "until"),
        ({"decision": "Snooze", "until": "2026-03-10T12:00:00Z", "reason": "x"}, "until"),
        ({"decision": "Snooze", "until": "2031-03-10T12:00:00Z", "reason": "x"}, "until"),
        ({"decision": "Snooze", "until": "9999-01-01T00:00:00Z", "reason": "x"}, "until"),
        ({"decision": "Snooze", "reason": "x"}, "until"),
        ({"decision": "Approve", "until": "2026-03-11T12:00:00Z"}, "until"),
        ({"decision": "Deny", "reason": " "}, "reason"),
        ({"decision": "Perhaps"}, "decision"),
    ],
)
def test_a_vote_that_cannot_be_taken_names_what_is_wrong_with_it(api: Sample, ballot: Any, field: str) -> None:
    path = f"/api/action-requests/{api.paths['uid']}/approvals"

    assert error(api.client.post(path, headers=api.headers, json=ballot), 422)["field"] == field


def refusing(reason: str) -> Callable[..., Any]:
    """A ballot box in front of an operator that does not count the vote."""

    class Box:
        def __init__(self, _api: Any, approval: Approval, **_others: Any) -> None:
            status = approval.status.model_copy(
                update={"result": VoteResult.REFUSED, "reason": reason, "message": "It does not count."}
            )
            self.earlier = False
            self.approval = approval.model_copy(update={"status": status})

        def cast(self) -> Any:
            return self

    return Box


@pytest.mark.parametrize("reason", [one.value for one in RefusalReason])
def test_a_vote_that_does_not_count_says_what_to_do(api: Sample, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr(voting, "Ballot", refusing(reason))
    path = f"/api/action-requests/{api.paths['uid']}/approvals"
    field = {"ReasonMissing": "reason", "UnusableDate": "until"}.get(reason)

    answer = api.client.post(path, headers=api.headers, json={"decision": "Deny"})

    found = error(answer, 422 if field else 403)
    assert (found["code"], found.get("field")) == (reason, field)


def test_a_vote_that_stood_before_is_not_called_counted_again(api: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    def standing(*given: Any, **others: Any) -> Any:
        box = refusing("NotEligible")(*given, **others)
        status = box.approval.status.model_copy(update={"result": VoteResult.COUNTED, "message": "Counted."})
        box.approval, box.earlier = box.approval.model_copy(update={"status": status}), True
        return box

    monkeypatch.setattr(voting, "Ballot", standing)

    sent = {"requests": [api.paths["uid"]], "decision": "Deny", "reason": "needed"}
    (found,) = api.client.post("/api/action-requests", headers=api.headers, json=sent).json()["data"]

    assert (found["sent"], found["counted"], found["repeated"]) == (True, True, True)
    assert found["message"] == "You had voted so before, and that vote stands: nothing was counted anew."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/nothing", "/api/nothing"),
        ("/api/action-requests/u-404", "u-404"),
        ("/api/recommendations/r-404", "r-404"),
        ("/api/policies/team-a/gone/what-if/1234", "team-a/gone"),
        ("/resources/ec2-instance/i-404", "i-404"),
    ],
)
def test_what_is_not_found_is_named(site: Site, estate: Store, path: str, name: str) -> None:
    answer = site.client(estate).get(path, headers=site.bearer())

    assert answer.status_code == 404
    assert name in answer.text


def test_every_status_of_an_error_is_described(api: Sample) -> None:
    for path, methods in api.client.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/"):
                wanted = {"401", "403", "404", "409", "413", "422", "503"} | ({"415"} if method == "post" else set())
                assert wanted <= set(operation["responses"]), (method, path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("path", ["/api/resources", "/resources.csv", "/requests/events"])
def test_head_ends_over_a_connection_that_goes_on_also_where_an_answer_never_ends(
    site: Site, estate: Store, path: str
) -> None:
    """One connection for all: a body, or a beginning without an end, would spoil the answer after it."""
    with served(site.application(estate)) as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        for _ in range(2):
            connection.request("HEAD", path, headers=site.bearer())
            head = connection.getresponse()
            assert (head.status, head.read()) == (200, b"")
        connection.request("GET", "/api/resources", headers=site.bearer())
        whole = json.loads(connection.getresponse().read())
        connection.close()
        assert [row["id"] for row in whole["data"]] == ["i-1"]
