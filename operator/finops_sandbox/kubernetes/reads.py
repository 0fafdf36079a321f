"""Get and list: selection, paging, and the three shapes of an answer (object, metadata only, table)."""

import base64
import binascii
import json
import re
from typing import Any

from aiohttp import web

from finops_sandbox.kubernetes.defaults import presented
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj, bad_request, object_key
from finops_sandbox.kubernetes.requests import Target
from finops_sandbox.kubernetes.selectors import Keep, field_keeper, label_keeper
from finops_sandbox.kubernetes.store import Store
from finops_sandbox.kubernetes.tables import table

_SHAPE = re.compile(r"application/json;(?:[^,]*;)?as=(Table|PartialObjectMetadataList|PartialObjectMetadata)\b")


def wanted_shape(request: web.Request) -> str:
    """Table, PartialObjectMetadata, PartialObjectMetadataList or empty, from the Accept header."""
    match = _SHAPE.search(request.headers.get("Accept", "").replace(" ", ""))
    return match[1] if match else ""


def metadata_only(obj: Obj) -> Obj:
    """The object without its content, as ``PartialObjectMetadata``."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def keeper(request: web.Request, kind: Kind, target: Target) -> Keep:
    """The selection of a list or watch.

    Raises:
        ApiError: 400 for selectors that cannot be parsed or fields that cannot be selected by.
    """
    labels = label_keeper(request.query.get("labelSelector", ""))
    fields = field_keeper(request.query.get("fieldSelector", ""), kind)
    namespace, name = target.namespace if kind.namespaced else "", target.name

    def keep(obj: Obj) -> bool:
        where, called = object_key(obj)
        return (not namespace or where == namespace) and (not name or called == name) and labels(obj) and fields(obj)

    return keep


def shaped_object(request: web.Request, kind: Kind, obj: Obj) -> Obj:
    """One object as the client wants it."""
    shape = wanted_shape(request)
    if shape == "Table":
        metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return table(kind, [obj], metadata, request.query.get("includeObject", "Metadata"))
    shown = presented(kind, obj)
    return metadata_only(shown) if shape == "PartialObjectMetadata" else shown


def list_objects(request: web.Request, store: Store, kind: Kind, target: Target) -> Obj:
    """A page of a list.

    Raises:
        ApiError: 400 for a bad limit or token, 410 for a token that outlived the log, 504 for a future version.
    """
    keep = keeper(request, kind, target)
    objects = [obj for obj in store.all(kind, target.namespace if kind.namespaced else "") if keep(obj)]
    limit = _number(request.query.get("limit", "0"))
    metadata: Obj = {"resourceVersion": str(store.changes.revision)}
    if token := request.query.get("continue"):
        revision, after = _read_token(token)
        if revision < store.changes.compacted:
            message = "The provided continue parameter is too old to display a consistent list result."
            raise ApiError(410, "Expired", message)
        metadata["resourceVersion"] = str(revision)
        objects = [obj for obj in objects if object_key(obj) > after]
    else:
        _refuse_future(request, store)
    if limit and len(objects) > limit:
        metadata["remainingItemCount"] = len(objects) - limit
        objects = objects[:limit]
        metadata["continue"] = _token(metadata["resourceVersion"], objects[-1])
    return _shaped_list(request, kind, objects, metadata)


def _shaped_list(request: web.Request, kind: Kind, objects: list[Obj], metadata: Obj) -> Obj:
    shape = wanted_shape(request)
    if shape == "Table":
        return table(kind, objects, metadata, request.query.get("includeObject", "Metadata"))
    if shape:
        items = [metadata_only(obj) for obj in objects]
        return {"kind": shape, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}
    return object_list(kind, objects, metadata)


def object_list(kind: Kind, objects: list[Obj], metadata: Obj) -> Obj:
    """A typed list; items of built-in kinds name neither kind nor version there, as on the real server."""
    shown = [presented(kind, obj) for obj in objects]
    if not kind.custom:
        shown = [{k: v for k, v in obj.items() if k not in ("kind", "apiVersion")} for obj in shown]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": shown}


def _refuse_future(request: web.Request, store: Store) -> None:
    text = request.query.get("resourceVersion", "")
    if text and text != "0" and _number(text) > store.changes.revision:
        message = f"Timeout: Too large resource version: {text}, current: {store.changes.revision}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def _token(revision: str, last: Obj) -> str:
    return base64.urlsafe_b64encode(json.dumps([int(revision), *object_key(last)]).encode()).decode()


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        content: Any = json.loads(base64.urlsafe_b64decode(token))
        return int(content[0]), (str(content[1]), str(content[2]))
    except (ValueError, binascii.Error, IndexError, TypeError) as error:
        raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
