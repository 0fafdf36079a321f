"""Create, update, patch and delete: the path of a write from the request to the store.

Order as on the real server: decode strictly, namespace check, defaults and pruning, schema, CEL rules, admission
policies, then the store. ``routes`` calls it; nothing else writes except the loader of manifests, which uses it too.
"""

import copy
import uuid
from dataclasses import dataclass
from typing import Any

from finops_sandbox.kubernetes.admission import Admission, Review
from finops_sandbox.kubernetes.kinds import CRD, NAMESPACE, POLICY, established_status
from finops_sandbox.kubernetes.metadata_rules import SET_BY_SERVER, generated_name
from finops_sandbox.kubernetes.objects import (
    ApiError,
    Cause,
    Kind,
    Obj,
    UserInfo,
    bad_request,
    conflict,
    forbidden,
    invalid,
    not_found,
    timestamp,
)
from finops_sandbox.kubernetes.patching import apply_patch, refuse_server_side_apply
from finops_sandbox.kubernetes.store import Store
from finops_sandbox.kubernetes.validation import Validation, decoded


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Who writes, and how: the query parameters every writing request shares."""

    user: UserInfo
    field_validation: str = "Warn"
    dry_run: bool = False
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """The object as answered, warnings for the client, and whether it is new."""

    obj: Obj
    warnings: tuple[str, ...] = ()
    created: bool = False


class Writer:
    """All writes to one store."""

    def __init__(self, store: Store, validation: Validation, admission: Admission) -> None:
        self._store = store
        self._validation = validation
        self._admission = admission

    # -- create
    def create(self, kind: Kind, namespace: str, obj: Any, options: WriteOptions) -> Written:
        """Create an object.

        Raises:
            ApiError: 400, 403, 404, 409 or 422 as the real server.
        """
        obj = decoded(kind, obj)
        metadata = obj["metadata"]
        self._place(kind, metadata, namespace)
        if metadata.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = generated_name(metadata["generateName"])
        name = metadata.get("name") or ""
        if kind.has_status and kind.custom:
            obj.pop("status", None)
        warnings = self._validation.prepare(kind, obj, options.field_validation)
        moment = timestamp()
        for word in ("deletionTimestamp", "deletionGracePeriodSeconds", "generation", "managedFields", "selfLink"):
            metadata.pop(word, None)
        metadata.update(uid=str(uuid.uuid4()), creationTimestamp=moment)
        if kind.custom or "spec" in obj:
            metadata["generation"] = 1
        if kind == CRD:
            obj["status"] = established_status(obj, moment)
        self._validation.check(kind, obj, None)
        if self._store.get(kind, metadata.get("namespace", ""), name) is not None:
            message = f'{kind.resource} "{name}" already exists'
            raise ApiError(409, "AlreadyExists", message, kind.details(name))
        self._admit("CREATE", kind, obj, None, options)
        return Written(self._commit(kind, obj, options), tuple(warnings), created=True)

    # -- update and patch
    def update(self, kind: Kind, namespace: str, name: str, obj: Any, options: WriteOptions) -> Written:
        """Replace an object (PUT).

        Raises:
            ApiError: 400, 403, 404, 409 or 422 as the real server.
        """
        new = decoded(kind, obj)
        sent = new["metadata"].get("name")
        if sent and sent != name:
            message = f"the name of the object ({sent}) does not match the name on the URL ({name})"
            raise bad_request(message)
        old = self._existing(kind, namespace, name)
        if kind.custom and not new["metadata"].get("resourceVersion"):
            cause = Cause("metadata.resourceVersion", "Invalid value: 0: must be specified for an update")
            raise invalid(kind, name, [cause], by_resource=True)
        return self._replace(kind, old, new, options)

    def patch(
        self, kind: Kind, namespace: str, name: str, content_type: str, patch: Any, options: WriteOptions
    ) -> Written:
        """Patch an object: by JSON patch, merge patch or strategic merge patch.

        Raises:
            ApiError: as ``update``; 415 for a type the kind does not take.
        """
        refuse_server_side_apply(content_type)
        old = self._existing(kind, namespace, name)
        patched = apply_patch(kind, content_type, old, patch)
        patched.setdefault("metadata", {})
        return self._replace(kind, old, decoded(kind, patched), options)

    def _replace(self, kind: Kind, old: Obj, new: Obj, options: WriteOptions) -> Written:
        name = old["metadata"]["name"]
        sent = new["metadata"].get("resourceVersion")
        if sent and sent != old["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        if new["metadata"].get("uid") not in (None, old["metadata"]["uid"]):
            raise conflict(kind, name)
        new = _onto(kind, old, new, options.subresource)
        warnings = self._validation.prepare(kind, new, options.field_validation)
        if _content(new) != _content(old) and "generation" in old["metadata"]:
            new["metadata"]["generation"] = old["metadata"]["generation"] + 1
        self._validation.check(kind, new, old)
        self._admit("UPDATE", kind, new, old, options)
        if new == old:
            return Written(old, tuple(warnings))
        return Written(self._commit(kind, new, options), tuple(warnings))

    # -- delete
    def delete(self, kind: Kind, obj: Obj, body: Any, options: WriteOptions) -> Obj:
        """Delete one object; the answer still has it when finalizers hold it.

        Raises:
            ApiError: 409 when a precondition does not hold, 403 or 422 from admission.
        """
        wanted = (body or {}).get("preconditions") or {}
        name = obj["metadata"]["name"]
        for word, key, hint in (
            ("UID", "uid", "The object might have been deleted and then recreated"),
            ("ResourceVersion", "resourceVersion", "The object might have been modified"),
        ):
            if wanted.get(key) and wanted[key] != obj["metadata"][key]:
                message = (
                    f'Operation cannot be fulfilled on {kind.qualified_kind} "{name}": the {word} in the precondition '
                    f"({wanted[key]}) does not match the {word} in record ({obj['metadata'][key]}). {hint}"
                )
                raise ApiError(409, "Conflict", message, kind.details(name, by_kind=True))
        self._admit("DELETE", kind, None, obj, options)
        if options.dry_run:
            return obj
        orphan = (body or {}).get("propagationPolicy") == "Orphan" or bool((body or {}).get("orphanDependents"))
        return self._store.delete(kind, obj, orphan=orphan)

    # -- steps
    def _existing(self, kind: Kind, namespace: str, name: str) -> Obj:
        obj = self._store.get(kind, namespace, name)
        if obj is None:
            raise not_found(kind, name)
        return obj

    def _place(self, kind: Kind, metadata: Obj, namespace: str) -> None:
        if not kind.namespaced:
            metadata.pop("namespace", None)
            return
        if (metadata.get("namespace") or namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        metadata["namespace"] = namespace
        parent = self._store.get(NAMESPACE, "", namespace)
        if parent is None:
            raise not_found(NAMESPACE, namespace)
        if "deletionTimestamp" in parent["metadata"]:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, metadata.get("name") or "", why)

    def _admit(self, operation: str, kind: Kind, obj: Obj | None, old: Obj | None, options: WriteOptions) -> None:
        metadata = (obj or old or {})["metadata"]
        review = Review(
            operation,
            kind,
            metadata.get("namespace", ""),
            metadata["name"],
            options.subresource,
            options.user,
            obj,
            old,
            options.dry_run,
        )
        self._admission.check(review)

    def _commit(self, kind: Kind, obj: Obj, options: WriteOptions) -> Obj:
        if options.dry_run:
            return obj
        if "deletionTimestamp" in obj["metadata"] and not obj["metadata"].get("finalizers"):
            self._store.delete(kind, obj)
            return obj
        stored = self._store.put(kind, obj)
        if kind == POLICY:
            self._admission.compile_now(stored)
        return stored


def _content(obj: Obj) -> Obj:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _onto(kind: Kind, old: Obj, new: Obj, subresource: str) -> Obj:
    """The new content on the old identity: what the server sets is not the client's, status has its own door."""
    if subresource:
        out = copy.deepcopy(old)
        out.pop(subresource, None)
        if subresource in new:
            out[subresource] = copy.deepcopy(new[subresource])
        return out
    out = copy.deepcopy(new)
    # Which manager owns which field is not kept here.
    out["metadata"].pop("managedFields", None)
    for word in SET_BY_SERVER:
        out["metadata"].pop(word, None)
        if word in old["metadata"]:
            out["metadata"][word] = old["metadata"][word]
    if kind.has_status:
        out.pop("status", None)
        if "status" in old:
            out["status"] = copy.deepcopy(old["status"])
    return out
