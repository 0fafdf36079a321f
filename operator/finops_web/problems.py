"""How every error is answered: its status, what is wrong, the field as the sender wrote it, and what to do."""

from __future__ import annotations

import logging
import types
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Union, get_args, get_origin
from urllib.parse import quote

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match

from finops.crds.invalid import explained, path_of, plain_words
from finops.errors import Conflict, FinopsError, InvalidInput, Refused, Unavailable
from finops_web.answers import NotThere, problem
from finops_web.context import SignInNeeded
from finops_web.forms import form_in_words, problem_of, without_members
from finops_web.rendering import render_error
from finops_web.written_days import HINT, KIND, PROBLEM

logger = logging.getLogger(__name__)
_CORRECT: Final = "correct it and ask again"
_BODY: Final = "body"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_SHAPES: Final = frozenset({"model_type", "model_attributes_type", "dict_type", "list_type"})
"""Types of an error about a value as a whole: it is an object where a list is wanted, or something else."""
_SEND_JSON: Final = "send JSON (RFC 8259) in UTF-8, as the example at /openapi.json shows it"
_JSON_KIND: Final = "send it with the header Content-Type: application/json"


def is_api(request: Request) -> bool:
    """Return whether a program asks: it is answered with JSON, and people with a page."""
    return request.url.path.startswith("/api/") or request.url.path.endswith((".json", ".csv"))


async def on_error(request: Request, error: Exception) -> Response:
    """Answer an error that was raised on purpose."""
    assert isinstance(error, FinopsError)
    if isinstance(error, SignInNeeded) and not is_api(request):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
    status = _status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request not answered: %s", error, extra={"path": request.url.path})
    field = error.field if isinstance(error, InvalidInput) else ""
    message = problem_of(field, error.message)
    if not is_api(request):
        return render_error(request, status, error.code, message, error.hint)
    answer = problem(status, error.code, message, error.hint, field)
    if isinstance(error, SignInNeeded):
        # RFC 6750, 3: without a token no reason is given.
        refused = error.code == "TokenRefused"
        answer.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"' if refused else "Bearer"
    return answer


async def on_invalid(request: Request, error: Exception) -> Response:
    """Answer a parameter or a body that cannot be taken."""
    assert isinstance(error, RequestValidationError)
    if is_api(request) and error.body and not _is_json(request) and any(_in_body(one) for one in error.errors()):
        return problem(415, "UnsupportedMediaType", "The body is not sent as JSON.", _JSON_KIND)
    field, message, hint = _first(error, union=_takes_several_shapes(request))
    if is_api(request):
        return problem(422, "InvalidInput", problem_of(field, message), hint, field)
    hint = "correct the address, or start from the navigation"
    # The name is not capitalized, as it stands in the address.
    named = f"the parameter {problem_of(field, message)}" if field else message
    return render_error(request, 422, "InvalidInput", named, hint)


async def on_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an address or a method that nothing takes, a body that nobody can read."""
    assert isinstance(error, HTTPException)
    if not is_api(request):
        code = "NotFound" if error.status_code == HTTPStatus.NOT_FOUND else _code_of(error.status_code)
        answer = render_error(request, error.status_code, code, str(error.detail), "start from the navigation")
        return _with_methods(answer, request, error)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # The framework's word for a body that its reader of JSON gives up on, as it is nested too deeply.
        return problem(422, "InvalidInput", "The body is no JSON that can be read.", _SEND_JSON)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = ", ".join(_methods(request))
        message = f"{request.method} is not taken here."
        return _with_methods(problem(405, "MethodNotAllowed", message, f"use {methods}"), request, error)
    if error.status_code == HTTPStatus.NOT_FOUND:
        hint = "/openapi.json lists every endpoint; docs/web.md shows how to use them"
        return problem(404, "NotFound", f"There is no address {request.url.path[:300]}.", hint)
    return problem(error.status_code, _code_of(error.status_code), str(error.detail), "see /openapi.json")


def _with_methods(answer: Response, request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(_methods(request))
    return answer


def _methods(request: Request) -> list[str]:
    """Return what the address takes; each method has a route of its own, and HEAD is answered wherever GET is."""
    routes = request.app.routes

    def taken(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    found = {method for method in _METHODS if taken(method)}
    return sorted(found | ({"HEAD"} if "GET" in found else set()))


def _code_of(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _in_body(one: Mapping[str, Any]) -> bool:
    return bool(one["loc"]) and one["loc"][0] == _BODY


def _takes_several_shapes(request: Request) -> bool:
    """Return whether the endpoint's body is one of several shapes: then an error names the shape before the field."""
    route = request.scope.get("route")
    body = route.body_field.field_info.annotation if isinstance(route, APIRoute) and route.body_field else None
    while get_origin(body) is Annotated:
        body = get_args(body)[0]
    return get_origin(body) in {Union, types.UnionType}


def _first(error: RequestValidationError, *, union: bool) -> tuple[str, str, str]:
    """Return the field, what is wrong with it and what to do, of the first error."""
    found = error.errors()
    outside = [one for one in found if not _in_body(one)]
    first = next(iter(outside or _of_the_shape_meant(found, union=union)), found[0])
    place = list(first["loc"])[1:] if first["loc"] else []
    if union and _in_body(first):
        place = place[1:]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", "it cannot be read")
        return "", f"The body is no JSON: {reason}, at character {first['loc'][-1]}.", _SEND_JSON
    if first["type"] == "missing" and not place:
        return "", "The body is missing.", _SEND_JSON
    message, hint = _words(first)
    # A parameter that is repeated has no number of its own in the address.
    return path_of(place if _in_body(first) else place[:1]), message, hint


def _of_the_shape_meant(found: Sequence[Mapping[str, Any]], *, union: bool) -> Sequence[Mapping[str, Any]]:
    """Return the errors about the shape of a body that was meant: the one of which the fewest things are wrong."""
    if not union:
        return found
    shapes: dict[Any, list[Mapping[str, Any]]] = {}
    for one in found:
        shapes.setdefault(tuple(one["loc"][1:2]), []).append(one)
    fitting = [errors for errors in shapes.values() if not _is_another_shape(errors)]
    return min(fitting, key=len, default=[{**found[0], "type": "shape"}])


def _is_another_shape(errors: Sequence[Mapping[str, Any]]) -> bool:
    (first, *others) = errors
    return not others and len(first["loc"]) <= 2 and first["type"] in _SHAPES


def _words(one: Mapping[str, Any]) -> tuple[str, str]:
    if one["type"] == "missing":
        return "is missing", "send it: it has no default"
    if one["type"] == "extra_forbidden":
        return "is not a field that is taken here", "leave it out, or compare its name with /openapi.json"
    if one["type"] == KIND:
        return PROBLEM, HINT
    if one["type"] == "shape":
        return "The body is neither of the shapes that are taken.", "send an object, or a list of objects"
    context = {key: value for key, value in one.get("ctx", {}).items() if key != "error"}
    if one["type"] == "string_pattern_mismatch":
        return "is not written as it has to be", f"write {form_in_words(str(context['pattern']))}"
    found = explained(str(one["type"]), context)
    if found is None:
        return plain_words(str(one["msg"])), _CORRECT
    return found[0], without_members(found[1])


def _status_of(error: FinopsError) -> int:
    if isinstance(error, SignInNeeded):
        return 401
    if isinstance(error, Refused):
        return 403
    if isinstance(error, NotThere):
        return 404
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, InvalidInput):
        return 422
    return 503 if isinstance(error, Unavailable) else 500
