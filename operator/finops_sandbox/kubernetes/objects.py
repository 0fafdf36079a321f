"""What the API server speaks: objects, resource kinds, users, and the errors clients know how to read.

Every other module of the double builds on these types; they hold no state.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Obj = dict[str, Any]
StorageKey = tuple[str, str]
ObjectKey = tuple[str, str]

BLOCKING_REASONS = frozenset(
    {
        "FieldValueTypeInvalid",
        "FieldValueRequired",
        "FieldValueNotSupported",
        "FieldValueTooLong",
        "FieldValueTooMany",
    },
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why an object is invalid, as it appears in ``status.details.causes``."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"

    def body(self) -> Obj:
        return {"reason": self.reason, "message": self.message, "field": self.field}


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who makes a request: the part of an identity that authorization and admission see."""

    username: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    def body(self) -> Obj:
        return {"username": self.username, **({"uid": self.uid} if self.uid else {}), "groups": list(self.groups)}


@dataclass(frozen=True, slots=True)
class Kind:
    """One resource of one API version, built in or defined by a CustomResourceDefinition."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    custom: bool = False
    schema: Obj | None = field(default=None, compare=False, hash=False)
    columns: tuple[Obj, ...] = field(default=(), compare=False, hash=False)
    selectable_fields: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def storage(self) -> StorageKey:
        """Where its objects are kept; both Event APIs are views of one store, as on a real server."""
        return ("", "events") if self.plural == "events" else (self.group, self.plural)

    @property
    def resource(self) -> str:
        """The name as error messages write it: ``plural.group``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind

    def details(self, name: str = "", *, by_kind: bool = False) -> Obj:
        """``status.details`` naming this resource; validation errors name the kind, all others the plural."""
        return {
            **({"name": name} if name else {}),
            **({"group": self.group} if self.group else {}),
            "kind": self.kind if by_kind else self.plural,
        }


class ApiError(Exception):
    """An answer other than success, with the body a real API server would send."""

    def __init__(self, code: int, reason: str, message: str, details: Obj | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def body(self) -> Obj:
        """The ``Status`` object clients parse."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            **({"reason": self.reason} if self.reason else {}),
            **({"details": self.details} if self.details is not None else {}),
            "code": self.code,
        }


def bad_request(message: str) -> ApiError:
    """400: the request cannot be understood."""
    return ApiError(400, "BadRequest", message)


def not_found(kind: Kind, name: str) -> ApiError:
    """404: no such object."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', kind.details(name))


def conflict(kind: Kind, name: str) -> ApiError:
    """409: somebody else wrote in between (optimistic concurrency)."""
    message = (
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return ApiError(409, "Conflict", message, kind.details(name))


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    """403 from admission: the right exists, the act is still refused."""
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', kind.details(name))


def invalid(kind: Kind, name: str, causes: Sequence[Cause], *, by_resource: bool = False) -> ApiError:
    """422 with one cause per field.

    Args:
        kind: what was written.
        name: the object's name.
        causes: at least one; the message lists them all, in brackets when there are several.
        by_resource: name the plural instead of the kind (what the store's own checks do).
    """
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    subject = kind.resource if by_resource else kind.qualified_kind
    details = kind.details(name, by_kind=not by_resource) | {"causes": [cause.body() for cause in causes]}
    return ApiError(422, "Invalid", f'{subject} "{name}" is invalid: {listed}', details)


def timestamp(moment: dt.datetime | None = None) -> str:
    """RFC 3339 in whole seconds and UTC, the form of ``metadata`` times; the present moment by default."""
    return (moment or dt.datetime.now(dt.UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def object_key(obj: Obj) -> ObjectKey:
    """Namespace and name; the namespace is empty for cluster-scoped objects."""
    metadata = obj["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
