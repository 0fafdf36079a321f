"""Reading a request: which resource, which verb, which options, which body."""

import json
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web

from finops_sandbox.kubernetes.objects import ApiError, UserInfo, bad_request
from finops_sandbox.kubernetes.rbac import Question
from finops_sandbox.kubernetes.writes import WriteOptions

_NAME_AT, _SUBRESOURCE_AT = 1, 2
_PROTOBUF = b"k8s\x00"
# ``kubectl auth whoami`` sends an empty question in protobuf; the answer does not depend on its body.
_BODILESS = frozenset({"SelfSubjectReview"})
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: ``/api/v1/namespaces/NS/PLURAL/NAME/SUB`` or its ``/apis/GROUP/VERSION`` form."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def parse_target(path: str) -> Target | None:
    """The target of a resource path, or None for any other path."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] not in ("api", "apis"):
        return None
    head = 1 if parts[0] == "api" else 2
    if len(parts) <= head:
        return None
    group, version, rest = ("" if head == 1 else parts[1]), parts[head], parts[head + 1 :]
    if not rest:
        return Target(group, version)
    namespace = ""
    if rest[0] == "namespaces" and len(rest) >= 3 and not (group == "" and rest[2] in _NAMESPACE_SUBRESOURCES):
        namespace, rest = rest[1], rest[2:]
    name = rest[_NAME_AT] if len(rest) > _NAME_AT else ""
    subresource = "/".join(rest[_SUBRESOURCE_AT:])
    if rest[0] == "namespaces" and group == "" and name:
        return Target(group, version, "namespaces", name, name, subresource)
    return Target(group, version, rest[0], namespace, name, subresource)


def is_true(request: web.Request, name: str) -> bool:
    """Whether a query parameter is set, as Go parses booleans."""
    return request.query.get(name, "").lower() in ("true", "1")


def question_of(request: web.Request, target: Target | None) -> Question:
    """The request as authorization judges it."""
    if target is None or not target.plural:
        return Question(request.method.lower(), path=request.path)
    name = target.name
    selector = request.query.get("fieldSelector", "")
    if not name and selector.startswith("metadata.name=") and "," not in selector:
        name = selector.removeprefix("metadata.name=").removeprefix("=")
    watching = is_true(request, "watch") and request.method == "GET"
    verbs = {
        "GET": "watch" if watching else "get" if target.name else "list",
        "POST": "create",
        "PUT": "update",
        "PATCH": "patch",
        "DELETE": "delete" if target.name else "deletecollection",
    }
    verb = verbs.get(request.method, request.method.lower())
    return Question(verb, target.group, target.plural, target.subresource, target.namespace, name)


def write_options(request: web.Request, user: UserInfo, target: Target) -> WriteOptions:
    """The options every writing request shares.

    Raises:
        ApiError: 400 for an unknown fieldValidation or dryRun.
    """
    validation = request.query.get("fieldValidation") or "Warn"
    if validation not in ("Warn", "Strict", "Ignore"):
        raise bad_request(f'fieldValidation: Unsupported value: "{validation}": supported values: Ignore, Strict, Warn')
    return WriteOptions(
        user=user,
        field_validation=validation,
        dry_run="All" in request.query.getall("dryRun", []),
        subresource=target.subresource,
    )


async def read_body(request: web.Request, kind: str = "") -> Any:
    """The decoded body: JSON or YAML; None if there is none.

    Raises:
        ApiError: 400 if it cannot be parsed, 415 for protobuf, which kubectl sends when it creates built-in kinds.
    """
    raw = await request.read()
    if not raw:
        return None
    if raw.startswith(_PROTOBUF):
        if kind in _BODILESS:
            return None
        message = f"{kind} as protobuf is not understood here: send JSON, for example with kubectl apply -f"
        raise ApiError(415, "UnsupportedMediaType", message)
    try:
        return yaml.safe_load(raw) if "yaml" in request.content_type else json.loads(raw)
    except (ValueError, yaml.YAMLError) as error:
        subject = f"the object provided is unrecognized (must be of type {kind}): " if kind else ""
        raise bad_request(f"{subject}couldn't get version/kind; json parse error: {error}") from error
