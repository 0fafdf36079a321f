"""OpenAPI v3 and v2 documents: enough for ``kubectl explain``, ``apply``, ``create`` and their field validation."""

import copy
from collections.abc import Iterable

from finops_sandbox.kubernetes.objects import Kind, Obj

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_STRING = {"type": "string"}
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_META_FIELDS: Obj = {
    "name": _STRING | {"description": "Name must be unique within a namespace."},
    "generateName": _STRING | {"description": "Prefix of a generated name."},
    "namespace": _STRING | {"description": "Namespace the object lives in."},
    "labels": _STRINGS | {"description": "Keys and values to select objects by."},
    "annotations": _STRINGS | {"description": "Keys and values tools store for themselves."},
    "uid": _STRING | {"description": "Identity of the object in time and space."},
    "resourceVersion": _STRING | {"description": "Version of the object, for watches and optimistic concurrency."},
    "generation": {"type": "integer", "format": "int64", "description": "Counts changes of the desired state."},
    "creationTimestamp": _STRING | {"format": "date-time", "description": "When the object was created."},
    "deletionTimestamp": _STRING | {"format": "date-time", "description": "When its deletion was asked for."},
    "finalizers": {"type": "array", "items": _STRING, "description": "Who must act before it may go."},
    "ownerReferences": {"type": "array", "items": {"type": "object"}, "description": "Objects it depends on."},
    "managedFields": {"type": "array", "items": {"type": "object"}, "description": "Which manager owns which field."},
}
_META: Obj = {"description": "ObjectMeta is metadata that all persisted objects have.", "type": "object"}
_API_VERSION = _STRING | {"description": "APIVersion defines the versioned schema of this representation."}
_KIND = _STRING | {"description": "Kind is the REST resource this object represents."}


def path_of(group: str, version: str) -> str:
    """The path of a group's version below the root, without a leading slash."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def index(kinds: Iterable[Kind], revision: int) -> Obj:
    """``/openapi/v3``: one document per group and version."""
    paths = sorted({path_of(kind.group, kind.version) for kind in kinds})
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={revision}"} for path in paths}}


def document_v3(kinds: Iterable[Kind], path: str) -> Obj | None:
    """The document of one group and version, or None if it is not served."""
    wanted = [kind for kind in kinds if path_of(kind.group, kind.version) == path]
    if not wanted:
        return None
    paths: Obj = {}
    schemas: Obj = {_OBJECT_META: _META | {"properties": _META_FIELDS}}
    for kind in wanted:
        schemas[definition_name(kind)] = _definition(kind, "#/components/schemas/")
        base = f"/{path}" + ("/namespaces/{namespace}" if kind.namespaced else "") + f"/{kind.plural}"
        paths |= _paths(kind, base)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def document_v2(kinds: Iterable[Kind]) -> Obj:
    """``/openapi/v2`` as JSON, for clients that have no v3."""
    definitions: Obj = {_OBJECT_META: _META | {"properties": _META_FIELDS}}
    for kind in kinds:
        definitions[definition_name(kind)] = _definition(kind, "#/definitions/")
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.36.0"},
        "paths": {},
        "definitions": definitions,
    }


def definition_name(kind: Kind) -> str:
    """The group backwards, version, kind: ``dev.finops.v1alpha1.ScanPolicy``."""
    if not kind.custom:
        return f"io.k8s.api.{(kind.group or 'core').partition('.')[0]}.{kind.version}.{kind.kind}"
    return ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind])


def _definition(kind: Kind, references: str) -> Obj:
    schema: Obj = copy.deepcopy(kind.schema) if kind.schema else {"type": "object"}
    schema.pop("additionalProperties", None)
    schema["properties"] = {
        "apiVersion": _API_VERSION,
        "kind": _KIND,
        **{k: v for k, v in (schema.get("properties") or {}).items() if k not in ("apiVersion", "kind")},
        "metadata": {
            "allOf": [{"$ref": references + _OBJECT_META}],
            "default": {},
            "description": "Standard metadata.",
        },
    }
    if references == "#/definitions/":
        schema["properties"]["metadata"] = {"$ref": references + _OBJECT_META}
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    schema["x-kubernetes-group-version-kind"] = [gvk]
    return schema


def _paths(kind: Kind, base: str) -> Obj:
    gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    reference = {"schema": {"$ref": f"#/components/schemas/{definition_name(kind)}"}}
    answer = {"200": {"description": "OK", "content": {"application/json": reference}}}
    checked = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}]

    def operation(action: str, parameters: list[Obj]) -> Obj:
        return {
            "responses": answer,
            "parameters": parameters,
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk,
        }

    return {
        base: {"get": operation("list", []), "post": operation("post", checked)},
        base + "/{name}": {
            "get": operation("get", []),
            "put": operation("put", checked),
            "patch": operation("patch", checked),
            "delete": operation("delete", []),
        },
    }
