"""Decode the few objects that kubectl sends as protobuf whatever the server prefers.

kubectl from 1.32 posts built-in kinds (``create namespace``, ``create role``, ``auth can-i`` …) in protobuf; the field
numbers are those of the ``generated.proto`` files of k8s.io/api. Called by ``requests.read_body``.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from finops_sandbox.kubernetes.objects import ApiError, Obj

MAGIC = b"k8s\x00"
_VARINT, _BYTES = 0, 2


class _Shape(Enum):
    TEXT = auto()
    NUMBER = auto()
    FLAG = auto()
    TEXTS = auto()
    TEXT_MAP = auto()
    BYTES_MAP = auto()
    MESSAGE = auto()
    MESSAGES = auto()


@dataclass(frozen=True)
class _Field:
    name: str
    shape: _Shape = _Shape.TEXT
    fields: "dict[int, _Field] | None" = None


def _texts(name: str) -> _Field:
    return _Field(name, _Shape.TEXTS)


def _message(name: str, fields: dict[int, _Field]) -> _Field:
    return _Field(name, _Shape.MESSAGE, fields)


_OWNER = {1: _Field("kind"), 3: _Field("name"), 4: _Field("uid"), 5: _Field("apiVersion")}
_META = {
    1: _Field("name"),
    2: _Field("generateName"),
    3: _Field("namespace"),
    5: _Field("uid"),
    6: _Field("resourceVersion"),
    11: _Field("labels", _Shape.TEXT_MAP),
    12: _Field("annotations", _Shape.TEXT_MAP),
    13: _Field("ownerReferences", _Shape.MESSAGES, _OWNER),
    14: _texts("finalizers"),
}
_ATTRIBUTES = {
    n: _Field(name)
    for n, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_PATH = {1: _Field("path"), 2: _Field("verb")}
_RULE = {
    n: _texts(name) for n, name in enumerate(("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"), 1)
}
_SUBJECT = {n: _Field(name) for n, name in enumerate(("kind", "apiGroup", "name", "namespace"), 1)}
_ROLE_REF = {n: _Field(name) for n, name in enumerate(("apiGroup", "kind", "name"), 1)}
_TOP = {1: _message("metadata", _META)}
_ACCESS = {1: _message("resourceAttributes", _ATTRIBUTES), 2: _message("nonResourceAttributes", _PATH)}
_ROLE = _TOP | {2: _Field("rules", _Shape.MESSAGES, _RULE)}
_BINDING = _TOP | {2: _Field("subjects", _Shape.MESSAGES, _SUBJECT), 3: _message("roleRef", _ROLE_REF)}
_SUBJECT_ACCESS = _ACCESS | {3: _Field("user"), 4: _texts("groups"), 6: _Field("uid")}
_KINDS: dict[str, dict[int, _Field]] = {
    "Namespace": _TOP,
    "ServiceAccount": _TOP,
    "ConfigMap": _TOP | {2: _Field("data", _Shape.TEXT_MAP), 3: _Field("binaryData", _Shape.BYTES_MAP)},
    "Secret": _TOP | {2: _Field("data", _Shape.BYTES_MAP), 3: _Field("type")},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "SelfSubjectReview": _TOP,
    "SelfSubjectAccessReview": _TOP | {2: _message("spec", _ACCESS)},
    "SubjectAccessReview": _TOP | {2: _message("spec", _SUBJECT_ACCESS)},
    "LocalSubjectAccessReview": _TOP | {2: _message("spec", _SUBJECT_ACCESS)},
    "SelfSubjectRulesReview": _TOP | {2: _message("spec", {1: _Field("namespace")})},
    "TokenReview": _TOP | {2: _message("spec", {1: _Field("token"), 2: _texts("audiences")})},
    "DeleteOptions": {
        1: _Field("gracePeriodSeconds", _Shape.NUMBER),
        2: _message("preconditions", {1: _Field("uid"), 2: _Field("resourceVersion")}),
        3: _Field("orphanDependents", _Shape.FLAG),
        4: _Field("propagationPolicy"),
        5: _texts("dryRun"),
    },
}


def decode(raw: bytes) -> Obj:
    """A protobuf envelope as the JSON object it stands for.

    Raises:
        ApiError: 415 for a kind that is not in the list, 400 for bytes that are no protobuf.
    """
    try:
        envelope = dict(_walk(raw[len(MAGIC) :]))
        version, kind = (bytes(dict(_walk(envelope[1])).get(n, b"")).decode() for n in (1, 2))
        fields = _KINDS.get(kind)
        if fields is None:
            message = f"{kind} as protobuf is not understood here: send JSON, for example with kubectl apply -f"
            raise ApiError(415, "UnsupportedMediaType", message)
        return {"apiVersion": version, "kind": kind, **_decode(envelope.get(2, b""), fields)}
    except (IndexError, KeyError, ValueError, TypeError) as error:
        raise ApiError(400, "BadRequest", f"the body is no protobuf of Kubernetes: {error}") from error


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _walk(raw: Any) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if tag & 7 == _VARINT:
            value, at = _varint(raw, at)
            yield tag >> 3, value
        elif tag & 7 == _BYTES:
            size, at = _varint(raw, at)
            yield tag >> 3, raw[at : at + size]
            at += size
        else:
            message = f"wire type {tag & 7}"
            raise ValueError(message)


def _decode(raw: bytes, fields: dict[int, _Field]) -> Obj:
    out: Obj = {}
    for number, value in _walk(raw):
        field = fields.get(number)
        if field is not None:
            _put(out, field, value)
    return out


def _put(out: Obj, field: _Field, value: Any) -> None:
    match field.shape:
        case _Shape.TEXT:
            if value:
                out[field.name] = value.decode()
        case _Shape.NUMBER:
            out[field.name] = value
        case _Shape.FLAG:
            out[field.name] = bool(value)
        case _Shape.TEXTS:
            out.setdefault(field.name, []).append(value.decode())
        case _Shape.MESSAGE:
            out[field.name] = _decode(value, field.fields or {})
        case _Shape.MESSAGES:
            out.setdefault(field.name, []).append(_decode(value, field.fields or {}))
        case _Shape.TEXT_MAP | _Shape.BYTES_MAP:
            entry = dict(_walk(value))
            content: bytes = entry.get(2, b"")
            text = base64.b64encode(content) if field.shape is _Shape.BYTES_MAP else content
            out.setdefault(field.name, {})[entry[1].decode()] = text.decode()
