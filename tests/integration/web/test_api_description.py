"""The API is described so that a program can be written against it, and does what its description says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from fastapi.openapi.utils import get_openapi
from hypothesis import HealthCheck, Phase
from openapi_spec_validator import validate
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from tests.support.api_sample import Sample, sample
from tests.support.pushes import ISOLATED, SHEET
from tests.support.web_estate import ACCOUNT, Site

from finops.store.connection import Store
from finops_web.api import action_requests
from finops_web.description import EXAMPLES, example_file

_EXAMPLES_EACH: Final = int(os.environ.get("FINOPS_API_EXAMPLES", "100"))
"""Requests an endpoint gets; the promise of a thousand is kept by `make api-examples`."""
_ENDPOINTS: Final = re.compile(os.environ.get("FINOPS_API_ENDPOINTS", ""))
"""Which endpoints are asked, by a part of `GET /api/costs`: all, or to repeat some."""
_SECONDS_AN_EXAMPLE: Final = 9
"""For both tests, on a machine that does much else."""
_SECONDS_AN_ANSWER: Final = 120.0
"""The library's own 10 are too few there, and no promise of the API."""
_VARIES: Final = {"uid", "creationTimestamp", "resourceVersion", "managedFields", "time", "readAt", "question"}
_NOT_DESCRIBED: Final = {
    *("cursor", "decision", "reason", "until", "namespace", "account", "run", "attributes", "extra", "spec", "arn"),
}
"""A cursor is opaque; a decision and its date belong together, and a reason may not be blank: no schema says so. Nor
that a push needs a namespace, an account and a run from somewhere, and that facts have a size; nor that an ARN
names the resource that has it. A spec has the schema of the kind."""
_MOST: Final = 2


@pytest.fixture
def api(site: Site, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sample]:
    # No operator answers a vote here.
    monkeypatch.setattr(action_requests, "_WAIT_SECONDS", 0.0)
    with sample(site, store, tmp_path) as made:
        yield made


def described(api: Sample) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/openapi.json").json()
    return found


def short(value: Any) -> Any:
    """Return an answer as an example shows it: lists of two, and words in place of what differs each time."""
    if isinstance(value, dict):
        return {key: f"<{key}>" if _varies(key, found) else short(found) for key, found in value.items()}
    return [short(one) for one in value[:_MOST]] if isinstance(value, list) else value


def _varies(key: str, found: Any) -> bool:
    return key in _VARIES or (key == "name" and str(found).startswith("apv-"))


_PUSH: Final = f"?namespace=team-a&account={ISOLATED}"
_VOLUME: Final = {"kind": "ebs-volume", "id": "vol-9", "region": "us-east-1", "attributes": {"volume_type": "gp3"}}
_CHANGE: Final = {"account": ACCOUNT, "region": "us-east-1", "service": "ec2-instance", "way": "More"}
_BODIES: Final[dict[str, tuple[Any, str]]] = {
    "/api/action-requests/{uid}/approvals": ({"decision": "Approve", "reason": "quiet for weeks"}, ""),
    "/api/anomalies/alert-again": (_CHANGE, ""),
    "/api/anomalies/expected": ({**_CHANGE, "until": "2026-03-17", "reason": "load test", "extraPerDay": "200.00"}, ""),
    "/api/policies/{namespace}/{name}/what-if": (
        {"checks": [{"id": "ec2_instance_idle", "parameters": {"maximumCpuPercent": 3}}]},
        "",
    ),
    "/api/action-requests": ({"requests": ["{uid}"], "decision": "Deny", "reason": "needed until June"}, ""),
    "/api/savings": (
        {
            "resource_id": "i-8",
            "money_saved": 66.82,
            "region": "us-east-1",
            "state": "stopped",
            "instance_type": "t2.large",
            "pricing_model": "on-demand",
            "estimated_hours_saved": 720,
            "date": "2026-03-01",
        },
        "?namespace=team-a",
    ),
    "/api/pushes": ({"accounts": [ISOLATED]}, "?namespace=team-a&run=monday"),
    "/api/resources": (_VOLUME, _PUSH),
    **{f"/api/{path}": (body, _PUSH) for path, body in SHEET.items()},
}
"""What each endpoint that takes something is sent for its example, and with which address."""


def answer(api: Sample, method: str, path: str) -> Any:
    body, query = _BODIES.get(path, (None, "")) if method == "post" else (None, "")
    headers = api.editor if path.startswith("/api/anomalies/") else api.headers
    sent = None if body is None else json.dumps(body).replace("{uid}", api.paths["uid"])
    headers = headers if sent is None else {**headers, "Content-Type": "application/json"}
    found = api.client.request(method, path.format(**api.paths) + query, headers=headers, content=sent)
    assert found.is_success, found.text
    return short(found.json())


def test_the_description_is_valid_openapi(api: Sample) -> None:
    validate(described(api))


def operations(api: Sample) -> list[tuple[str, str]]:
    routes = get_openapi(title="", version="", routes=api.client.app.routes)["paths"]  # type: ignore[attr-defined]
    found = [(method, path) for path, methods in routes.items() for method in methods]
    assert len(found) > 15
    return found


def _turn(operation: tuple[str, str]) -> tuple[str, str]:
    """When an endpoint is asked: the votes on a request after the first one on it."""
    votes = ("get", "/api/action-requests/{uid}/approvals")
    return ("post", "/api/action-requests!") if operation == votes else operation


def test_every_endpoint_shows_an_example_that_is_its_answer_on_the_sample(api: Sample) -> None:
    """Written anew with FINOPS_WRITE_EXAMPLES=1."""
    # What is read comes first: what is pushed would be in it.
    ordered = sorted(operations(api), key=_turn)
    answers = {example_file(path, method): answer(api, method, path) for method, path in ordered}
    if os.environ.get("FINOPS_WRITE_EXAMPLES"):
        EXAMPLES.mkdir(exist_ok=True)
        for file, made in answers.items():
            file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert set(EXAMPLES.iterdir()) == set(answers)
    assert {file.name: json.loads(file.read_text("utf-8")) for file in answers} == {
        file.name: made for file, made in answers.items()
    }


def test_every_endpoint_and_parameter_says_what_it_is(api: Sample) -> None:
    for path, methods in described(api)["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            unsaid = [one["name"] for one in operation.get("parameters", ()) if not one.get("description")]
            assert not unsaid, (method, path)


@pytest.mark.timeout(max(900, _SECONDS_AN_EXAMPLE * _EXAMPLES_EACH))
@pytest.mark.parametrize("known", [True, False], ids=["what-exists", "anything"])
def test_whatever_is_asked_the_answer_is_one_of_those_described(api: Sample, known: bool) -> None:
    """No 500, no status, no content type and no shape that the description does not have."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", api.client.app, timeout=_SECONDS_AN_ANSWER)
    asked = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if (known and not operation.path_parameters) or not _ENDPOINTS.search(operation.label):
            continue

        @hypothesis.settings(
            max_examples=_EXAMPLES_EACH,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            if known:
                case.path_parameters = {name: api.paths[name] for name in case.path_parameters}
            answered = case.call(headers=api.headers, timeout=_SECONDS_AN_ANSWER)
            assert answered.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, answered.text
            try:
                case.validate_response(answered)
            except FailureGroup as failures:
                if _refused_field(answered) not in _NOT_DESCRIBED:
                    raise AssertionError(f"{case.as_curl_command()}: {failures.exceptions}") from failures

        before = asked
        ask()
        print(f"{operation.label}: {asked - before} requests")
    assert asked or (known and _ENDPOINTS.pattern), "no endpoint was asked"


def _refused_field(answered: Any) -> str:
    refused = answered.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    field = str(answered.json()["error"].get("field", "")) if refused else ""
    return field.partition(".")[0].partition("[")[0]
