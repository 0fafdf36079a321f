"""The OpenAPI description of the API: what FastAPI reads from the endpoints, with every error and an example added.

An example is the answer that the endpoint gives on the sample of `tests/integration/web/test_api_description.py`, which
writes the files of `examples/` and compares them: one file per endpoint, named as its path.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from finops_web.answers import PROBLEM_TYPE

EXAMPLES: Final = Path(__file__).with_name("examples")
_ERRORS: Final = {
    HTTPStatus.UNAUTHORIZED: "Nobody is signed in, or the cluster does not take the token.",
    HTTPStatus.FORBIDDEN: "The account may not do this, or the operator does not count the vote.",
    HTTPStatus.NOT_FOUND: "It is not there, or not the visitor's to see.",
    HTTPStatus.CONFLICT: "Somebody else changed it in the same moment: read it again.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body has more than 64 KiB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not sent as `application/json`.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A parameter or the body cannot be taken; `error.field` names it.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store or the API server does not answer; the same call may succeed later.",
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["status", "success", "error", "type", "title", "detail"],
    "properties": {
        "status": {"const": "error"},
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message", "hint"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "hint", "field")},
        },
        "type": {"type": "string", "description": "RFC 9457; always about:blank."},
        "title": {"type": "string", "description": "The same as error.code."},
        "detail": {"type": "string", "description": "The same as error.message."},
    },
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 1024},
    "description": "ETag of an answer that the client has, as it came; or several, with commas between.",
}
_ENVELOPE: Final = {
    "type": "object",
    "required": ["status", "success", "data", "meta"],
    "properties": {
        "status": {"const": "success"},
        "success": {"const": True},
        "data": {"description": "What was asked for; an unknown figure is null."},
        "meta": {
            "type": "object",
            "required": ["asOf", "gaps", "next"],
            "properties": {
                "asOf": {"type": ["string", "null"], "description": "When the oldest scan behind the answer ended."},
                "gaps": {"type": "array", "description": "What could not be seen.", "items": {"type": "object"}},
                "next": {"type": ["string", "null"], "description": "Cursor of the next page, null on the last."},
            },
        },
    },
}


def describing(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Return what makes the description of `app`, once."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(get_openapi(title=app.title, version=app.version, routes=app.routes))
        return app.openapi_schema

    return describe


def example_file(path: str, method: str) -> Path:
    """Return where the example of an endpoint's answer stands, whether or not it does."""
    words = path.removeprefix("/api/").replace("{", "").replace("}", "").replace("/", "-")
    return EXAMPLES / f"{method}-{words}.json"


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    parts = schema.setdefault("components", {}).setdefault("schemas", {})
    parts["Problem"], parts["Answer"] = _PROBLEM, _ENVELOPE
    for path, method, operation in _operations(schema):
        responses = operation["responses"]
        for status, meaning in _ERRORS.items():
            if status is HTTPStatus.UNSUPPORTED_MEDIA_TYPE and "requestBody" not in operation:
                continue
            content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            responses[str(status.value)] = {"description": meaning, "content": content}
        (good,) = (one for status, one in responses.items() if status.startswith("2"))
        good["content"]["application/json"] = {
            "schema": {"$ref": "#/components/schemas/Answer"},
            "example": json.loads(example_file(path, method).read_text("utf-8")),
        }
        if method == "get":
            good["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "Changes when the answer does."}}
            responses["304"] = {"description": "The answer is the one whose ETag If-None-Match names; it has no body."}
            operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
    return schema


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        if path.startswith("/api/"):
            for method, operation in methods.items():
                yield path, method, operation
