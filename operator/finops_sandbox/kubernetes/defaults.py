"""Defaults and conversions of the built-in kinds, which have no schema of their own here."""

import base64
from typing import Any

from finops_sandbox.kubernetes.kinds import EVENT, NEW_EVENT
from finops_sandbox.kubernetes.objects import Kind, Obj

# Field names that differ between the two Event APIs: (core/v1, events.k8s.io/v1).
_EVENT_NAMES = (
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
)


def apply_built_in_defaults(kind: Kind, obj: Obj) -> None:
    """What the real server adds to core objects, in place."""
    match kind.kind:
        case "Namespace":
            obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")
            obj.setdefault("spec", {"finalizers": ["kubernetes"]})
            obj.setdefault("status", {"phase": "Active"})
        case "Secret":
            obj.setdefault("type", "Opaque")
            for name, text in (obj.pop("stringData", None) or {}).items():
                obj.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()
        case "Event":
            _event_defaults(obj)
        case "RoleBinding" | "ClusterRoleBinding":
            for subject in obj.get("subjects") or ():
                if subject.get("kind") in ("User", "Group"):
                    subject.setdefault("apiGroup", kind.group)
        case "ValidatingAdmissionPolicy":
            obj.get("spec", {}).setdefault("failurePolicy", "Fail")
        case "CustomResourceDefinition":
            _definition_defaults(obj)


def _definition_defaults(obj: Obj) -> None:
    names = obj.get("spec", {}).get("names", {})
    if "kind" in names:
        names.setdefault("listKind", f"{names['kind']}List")
        names.setdefault("singular", names["kind"].lower())
    obj.get("spec", {}).setdefault("conversion", {"strategy": "None"})


def _event_defaults(obj: Obj) -> None:
    if obj.get("apiVersion") == NEW_EVENT.api_version:
        _rename(obj, to_core=True)
    obj.setdefault("source", {})
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        obj.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        obj.setdefault(name, "")


def _rename(obj: Obj, *, to_core: bool) -> None:
    for core, new in _EVENT_NAMES:
        source, target = (new, core) if to_core else (core, new)
        if source in obj:
            obj[target] = obj.pop(source)
    obj["apiVersion"] = EVENT.api_version if to_core else NEW_EVENT.api_version


def presented(kind: Kind, obj: Obj) -> Obj:
    """A stored object as an API version shows it; only events have two faces."""
    if kind.storage != EVENT.storage or obj.get("apiVersion") == kind.api_version:
        return obj
    shown: dict[str, Any] = dict(obj)
    _rename(shown, to_core=kind == EVENT)
    return shown
