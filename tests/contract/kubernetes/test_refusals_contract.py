"""What the API server refuses, with its words: the same table holds on the double and on the real server."""

from typing import Any

import pytest
from tests.contract.kubernetes.worlds import GROUP, JSON_PATCH, MERGE, Api, probe

UNCHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
PLAIN: list[tuple[dict[str, Any], str]] = [
    ({"text": "a\n"}, "spec.text: Invalid value: \"a\\n\": spec.text in body should match '^[a-z]+$'"),
    ({"text": "A"}, "spec.text: Invalid value: \"A\": spec.text in body should match '^[a-z]+$'"),
    ({"text": ""}, 'spec.text: Invalid value: "": spec.text in body should be at least 1 chars long'),
    (
        {"text": "a", "count": 0},
        "spec.count: Invalid value: 0: spec.count in body should be greater than or equal to 1",
    ),
    (
        {"text": "a", "count": 11},
        (
            "[spec.count: Invalid value: 11: spec.count in body should be less than or equal to 10, "
            "spec: Invalid value: count stays below nine]"
        ),
    ),
    ({"text": "a", "count": 9}, "spec: Invalid value: count stays below nine"),
    ({"text": "a", "ratio": 2}, "spec: Invalid value: ratio is too big"),
    ({"text": "a", "ratio": 7.5}, "spec: Invalid value: ratio is far too big"),
    (
        {"text": "a", "count": 9, "ratio": 2},
        "[spec: Invalid value: count stays below nine, spec: Invalid value: ratio is too big]",
    ),
    ({"text": "a", "list": []}, "spec.list: Invalid value: 0: spec.list in body should have at least 1 items"),
    ({"text": "a", "picks": [{"id": "a"}, {"id": "a"}]}, 'spec.picks[1]: Duplicate value: {"id":"a"}'),
    ({"text": "a", "picks": [{"id": "a", "value": 0}]}, "spec.picks[0].value: Invalid value: 0: failed rule: self > 0"),
    ({"text": "a", "set": ["x", "x"]}, 'spec.set[1]: Duplicate value: "x"'),
    ({"text": "a", "wait": "25h"}, "spec: Invalid value: waits longer than a day"),
    (
        {"text": "a", "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        "spec.end: Invalid value: ends before it starts",
    ),
    ({"text": "deep"}, 'spec: Invalid value: "object": no such key: map evaluating rule: never reached'),
]
BLOCKING: list[tuple[dict[str, Any], str]] = [
    ({"text": "toolong"}, "spec.text: Too long: may not be more than 5 bytes"),
    ({"text": 5}, 'spec.text: Invalid value: "integer": spec.text in body must be of type string: "integer"'),
    ({}, "spec.text: Required value"),
    ({"text": None}, "spec.text: Required value"),
    ({"text": "a", "mode": "C"}, 'spec.mode: Unsupported value: "C": supported values: "A", "B"'),
    (
        {"text": "a", "count": "x"},
        'spec.count: Invalid value: "string": spec.count in body must be of type integer: "string"',
    ),
    ({"text": "a", "list": ["a", "b", "c"]}, "spec.list: Too many: 3: must have at most 2 items"),
    ({"text": "a", "list": ["abcd"]}, "spec.list[0]: Too long: may not be more than 3 bytes"),
    ({"text": "a", "labels": {"a": "1", "b": "2"}}, "spec.labels: Too many: 2: must have at most 1 item"),
    (
        {"text": "a", "start": "x"},
        'spec.start: Invalid value: "x": spec.start in body must be of type date-time: "x"',
    ),
    ({"text": "a", "picks": [{"value": 1}]}, "spec.picks[0].id: Required value"),
    (
        {"text": "a", "port": True},
        'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
    ),
]


@pytest.mark.parametrize(("spec", "text"), PLAIN, ids=[str(index) for index in range(len(PLAIN))])
def test_a_value_that_breaks_the_schema_is_refused_with_the_field_and_the_reason(
    api: Api, spec: dict[str, Any], text: str
) -> None:
    answer = api.call("POST", api.probes, probe(spec))
    assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    assert answer.message == f'Probe.contract.finops.dev "p" is invalid: {text}'
    assert answer.body["details"]["causes"][0]["field"] == text.lstrip("[").partition(":")[0]


@pytest.mark.parametrize(("spec", "text"), BLOCKING, ids=[str(index) for index in range(len(BLOCKING))])
def test_a_value_of_the_wrong_shape_stops_the_rules_and_says_so(api: Api, spec: dict[str, Any], text: str) -> None:
    answer = api.call("POST", api.probes, probe(spec))
    assert answer.code == 422
    assert answer.message == f'Probe.contract.finops.dev "p" is invalid: [{text}, {UNCHECKED}]'


def test_an_unknown_time_zone_is_a_rule_that_fails_to_evaluate(api: Api) -> None:
    assert api.call("POST", api.probes, probe({"text": "a", "zone": "Europe/Berlin"})).code == 201
    answer = api.call("POST", api.probes, probe({"text": "a", "zone": "Mars/Base"}, "q"))
    assert answer.code == 422
    assert answer.message == (
        'Probe.contract.finops.dev "q" is invalid: spec: Invalid value: "object": unknown time zone Mars/Base '
        "evaluating rule: unknown zone"
    )


def test_unknown_fields_are_dropped_with_a_warning_or_refused_when_strict(api: Api) -> None:
    body = probe({"text": "a", "extra": 1})
    loose = api.call("POST", api.probes, body)
    assert loose.code == 201
    assert loose.body["spec"] == {"text": "a", "mode": "A", "count": 3, "ratio": 0.5}
    assert loose.warnings == ['299 - "unknown field \\"spec.extra\\""']
    strict = api.call("POST", api.probes, body, query={"fieldValidation": "Strict"})
    assert strict.code == 400
    assert strict.message == (
        'Probe in version "v1" cannot be handled as a Probe: strict decoding error: unknown field "spec.extra"'
    )


def test_names_and_labels_follow_the_rules_of_kubernetes(api: Api) -> None:
    bad_name = api.call("POST", api.probes, probe({"text": "a"}, "Bad_Name"))
    assert bad_name.code == 422
    assert 'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must' in bad_name.message
    bad_label = api.call("POST", api.probes, probe({"text": "a"}, labels={"a": "b c"}))
    assert bad_label.code == 422
    assert 'metadata.labels: Invalid value: "b c": a valid label must be an empty string' in bad_label.message
    generated = api.call("POST", api.probes, probe({"text": "a"}, "", generateName="g-"))
    assert generated.code == 201
    assert len(generated.body["metadata"]["name"]) == len("g-") + 5


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "reason", "message"),
    [
        ("GET", "{probes}/none", None, 404, "NotFound", 'probes.contract.finops.dev "none" not found'),
        ("DELETE", "{probes}/none", None, 404, "NotFound", 'probes.contract.finops.dev "none" not found'),
        (
            "PUT",
            "{probes}/none",
            probe({"text": "a"}, "none"),
            404,
            "NotFound",
            'probes.contract.finops.dev "none" not found',
        ),
        ("GET", "{core}/configmaps/none", None, 404, "NotFound", 'configmaps "none" not found'),
        ("GET", GROUP + "/nopes", None, 404, None, "404 page not found"),
        (
            "POST",
            GROUP + "/namespaces/nowhere/probes",
            probe({"text": "a"}),
            404,
            "NotFound",
            'namespaces "nowhere" not found',
        ),
        (
            "POST",
            "{probes}",
            probe({"text": "a"}, namespace="other"),
            400,
            "BadRequest",
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
        (
            "PUT",
            "{probes}/p",
            probe({"text": "a"}, "other"),
            400,
            "BadRequest",
            "the name of the object (other) does not match the name on the URL (p)",
        ),
        (
            "POST",
            "{probes}",
            {"apiVersion": "v1", "kind": "Foo", "metadata": {"name": "x"}},
            400,
            "BadRequest",
            "the API version in the data (v1) does not match the expected API version (contract.finops.dev/v1)",
        ),
        (
            "POST",
            "{probes}",
            probe({"text": "a"}),
            409,
            "AlreadyExists",
            'probes.contract.finops.dev "p" already exists',
        ),
        (
            "PUT",
            "{probes}/p",
            probe({"text": "b"}),
            422,
            "Invalid",
            (
                'probes.contract.finops.dev "p" is invalid: metadata.resourceVersion: Invalid value: 0: '
                "must be specified for an update"
            ),
        ),
        (
            "PUT",
            "{probes}/p",
            probe({"text": "b"}, resourceVersion="1"),
            409,
            "Conflict",
            (
                'Operation cannot be fulfilled on probes.contract.finops.dev "p": the object has been modified; please '
                "apply your changes to the latest version and try again"
            ),
        ),
        (
            "GET",
            "{probes}?fieldSelector=spec.mode%3DA",
            None,
            400,
            "BadRequest",
            "field label not supported: spec.mode",
        ),
        ("GET", "{probes}?limit=x", None, 400, "BadRequest", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_requests_that_make_no_sense_are_answered_in_the_servers_words(
    api: Api, method: str, path: str, body: Any, code: int, reason: str | None, message: str
) -> None:
    api.create({"text": "a"})
    answer = api.call(method, path.format(probes=api.probes, core=api.core), body)
    assert (answer.code, answer.body.get("reason"), answer.message) == (code, reason, message)


@pytest.mark.parametrize(
    ("content_type", "patch", "code", "message"),
    [
        (
            MERGE,
            {"spec": {"mode": "B"}},
            422,
            'Probe.contract.finops.dev "p" is invalid: spec.mode: Forbidden: mode is fixed',
        ),
        (
            JSON_PATCH,
            [{"op": "test", "path": "/spec/mode", "value": "B"}],
            422,
            "the server rejected our request due to an error in our request",
        ),
        (
            JSON_PATCH,
            [{"op": "replace", "path": "/spec/nope/x", "value": "B"}],
            422,
            "the server rejected our request due to an error in our request",
        ),
        (
            "application/strategic-merge-patch+json",
            {"spec": {}},
            415,
            (
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
            ),
        ),
    ],
)
def test_patches_that_do_not_fit_are_refused(api: Api, content_type: str, patch: Any, code: int, message: str) -> None:
    before = api.create({"text": "a"})
    answer = api.call("PATCH", f"{api.probes}/p", patch, content_type=content_type)
    assert (answer.code, answer.message) == (code, message)
    assert api.call("GET", f"{api.probes}/p").body == before


def test_a_decision_once_made_neither_changes_nor_goes_nor_contradicts_itself(api: Api) -> None:
    api.create({"text": "a"})
    status = f"{api.probes}/p/status"

    def decide(*conditions: tuple[str, str]) -> tuple[int, str]:
        listed = [{"type": kind, "status": value} for kind, value in conditions]
        answer = api.call("PATCH", status, {"status": {"conditions": listed}}, content_type=MERGE)
        return answer.code, answer.message

    assert decide(("Ready", "False")) == (200, "")
    assert decide(("Approved", "True"), ("Ready", "True")) == (200, "")
    refusal = 'Probe.contract.finops.dev "p" is invalid: <nil>: Invalid value: '
    assert decide(("Approved", "False")) == (422, refusal + "a decision never changes")
    assert decide(("Ready", "True")) == (422, refusal + "a decision never changes")
    both = decide(("Approved", "True"), ("Denied", "True"))
    assert both == (422, refusal + "Approved and Denied exclude each other")
    gone = api.call("PATCH", status, {"status": None}, content_type=MERGE)
    assert (gone.code, gone.message) == (422, refusal + "a decision never changes")


def test_a_keyed_item_is_compared_with_its_own_past(api: Api) -> None:
    api.create({"text": "a", "picks": [{"id": "x", "value": 3}]})

    def put(*picks: dict[str, Any]) -> int:
        return api.call("PATCH", f"{api.probes}/p", {"spec": {"picks": list(picks)}}, content_type=MERGE).code

    assert put({"id": "y", "value": 1}, {"id": "x", "value": 4}) == 200
    assert put({"id": "x", "value": 2}) == 422
    assert put({"id": "z", "value": 2}) == 200
