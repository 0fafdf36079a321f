"""Tables for ``kubectl get``: columns of the built-in kinds and of ``additionalPrinterColumns``."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from finops_sandbox.kubernetes.objects import Kind, Obj
from finops_sandbox.kubernetes.selectors import json_path

Cell = Callable[[Obj], Any]

_NAME = {"name": "Name", "type": "string", "format": "name", "description": "Name must be unique.", "priority": 0}


def age(text: Any) -> str:
    """How long ago, as kubectl writes it: 5s, 3m20s, 2h, 4d."""
    if not isinstance(text, str):
        return "<unknown>"
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return "<invalid>"
    seconds = max(0, int((dt.datetime.now(dt.UTC) - moment).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    for limit, shown in (
        (seconds < 120, f"{seconds}s"),
        (minutes < 10, f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"),
        (minutes < 180, f"{minutes}m"),
        (hours < 8, f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"),
        (hours < 48, f"{hours}h"),
        (days < 8, f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"),
        (days < 730, f"{days}d"),
    ):
        if limit:
            return shown
    return f"{days // 365}y{days % 365}d"


def _path(path: str) -> Cell:
    return lambda obj: json_path(obj, path)


def _age(path: str = ".metadata.creationTimestamp") -> Cell:
    return lambda obj: age(json_path(obj, path))


def _count(path: str) -> Cell:
    return lambda obj: len(json_path(obj, path) or ())


def _subjects(kind: str) -> Cell:
    def names(obj: Obj) -> str:
        found = [s for s in obj.get("subjects") or () if s["kind"] == kind]
        return ", ".join(f"{s['namespace']}/{s['name']}" if kind == "ServiceAccount" else s["name"] for s in found)

    return names


def _event_seen(obj: Obj) -> str:
    return age(obj.get("lastTimestamp") or obj.get("eventTime") or obj["metadata"]["creationTimestamp"])


def _event_object(obj: Obj) -> str:
    about = obj.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


_ROLE: Cell = lambda obj: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"  # noqa: E731 - a one-line cell, as its siblings
_SUBJECT_COLUMNS: list[tuple[str, Cell, int]] = [
    ("Role", _ROLE, 0),
    ("Age", _age(), 0),
    ("Users", _subjects("User"), 1),
    ("Groups", _subjects("Group"), 1),
    ("ServiceAccounts", _subjects("ServiceAccount"), 1),
]
_BUILT_IN: dict[str, list[tuple[str, Cell, int]]] = {
    "namespaces": [("Status", _path(".status.phase"), 0), ("Age", _age(), 0)],
    "configmaps": [("Data", lambda o: str(len(o.get("data") or ()) + len(o.get("binaryData") or ())), 0)],
    "secrets": [("Type", _path(".type"), 0), ("Data", _count(".data"), 0), ("Age", _age(), 0)],
    "leases": [("Holder", _path(".spec.holderIdentity"), 0), ("Age", _age(), 0)],
    "events": [
        ("Last Seen", _event_seen, 0),
        ("Type", _path(".type"), 0),
        ("Reason", _path(".reason"), 0),
        ("Object", _event_object, 0),
        ("Subobject", _path(".involvedObject.fieldPath"), 1),
        ("Source", lambda o: (o.get("source") or {}).get("component") or o.get("reportingComponent") or "", 1),
        ("Message", lambda o: str(o.get("message") or "").strip(), 0),
        ("First Seen", lambda o: age(o.get("firstTimestamp") or o["metadata"]["creationTimestamp"]), 1),
        ("Count", lambda o: o.get("count") or 1, 1),
        ("Name", _path(".metadata.name"), 1),
    ],
    "roles": [("Created At", _path(".metadata.creationTimestamp"), 0)],
    "clusterroles": [("Created At", _path(".metadata.creationTimestamp"), 0)],
    "rolebindings": _SUBJECT_COLUMNS,
    "clusterrolebindings": _SUBJECT_COLUMNS,
    "customresourcedefinitions": [("Created At", _path(".metadata.creationTimestamp"), 0)],
    "validatingadmissionpolicies": [
        ("Validations", _count(".spec.validations"), 0),
        ("ParamKind", lambda o: (json_path(o, ".spec.paramKind") or {}).get("kind", "<unset>"), 0),
        ("Age", _age(), 0),
    ],
    "validatingadmissionpolicybindings": [
        ("PolicyName", _path(".spec.policyName"), 0),
        ("ParamRef", lambda o: (json_path(o, ".spec.paramRef") or {}).get("name", "<unset>"), 0),
        ("Age", _age(), 0),
    ],
}
_BUILT_IN["configmaps"].append(("Age", _age(), 0))


def _custom_cell(column: Obj) -> Cell:
    """A value that is not of the column's type is left out, as the real server does."""
    path, wanted = column["jsonPath"], column["type"]

    def cell(obj: Obj) -> Any:
        value = json_path(obj, path)
        if value is None:
            return None
        if wanted == "date":
            return age(value)
        if wanted == "string":
            return value if isinstance(value, str) else _text(value)
        if wanted == "boolean":
            return value if isinstance(value, bool) else None
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if number else None

    return cell


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ",".join(f'"{v}"' if isinstance(v, str) else _text(v) for v in value) + "]"
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f'"{k}":"{v}"' if isinstance(v, str) else f'"{k}":{_text(v)}' for k, v in value.items())
            + "}"
        )
    return str(value)


def table(kind: Kind, objects: list[Obj], metadata: Obj, include: str = "Metadata", *, headers: bool = True) -> Obj:
    """A ``meta.k8s.io/v1`` Table.

    Args:
        kind: whose columns.
        objects: one row each, in their stored form.
        metadata: of the list.
        include: what each row carries beside its cells: None, Metadata or Object.
        headers: column definitions are sent once per watch.
    """
    names, cells = _columns(kind)
    rows = []
    for obj in objects:
        row: Obj = {"cells": [obj["metadata"]["name"], *(cell(obj) for cell in cells)]}
        if kind.plural == "events":
            row["cells"] = row["cells"][1:]
        if include == "Object":
            row["object"] = obj
        elif include != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": names if headers else None,
        "rows": rows,
    }


def _columns(kind: Kind) -> tuple[list[Obj], list[Cell]]:
    if kind.custom:
        columns = list(kind.columns) or [
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": ""},
        ]
        names = [
            {
                "name": c["name"],
                "type": c["type"],
                "format": c.get("format", ""),
                "description": c.get("description")
                or f"Custom resource definition column (in JSONPath format): {c['jsonPath']}",
                "priority": c.get("priority", 0),
            }
            for c in columns
        ]
        return [_NAME, *names], [_custom_cell(c) for c in columns]
    built_in = _BUILT_IN.get(kind.plural, [("Age", _age(), 0)])
    names = [
        {"name": name, "type": "string", "format": "name" if name == "Name" else "", "description": "", "priority": p}
        for name, _, p in built_in
    ]
    first = [] if kind.plural == "events" else [_NAME]
    return [*first, *names], [cell for _, cell, _ in built_in]
