"""Field ownership: ``managedFields`` and server-side apply.

Ownership is a set of paths. A path is a tuple of steps in the notation of FieldsV1: ``f:name``, ``k:{"id":"a"}`` for
an item of a keyed list, ``v:"x"`` for a member of a set; other lists are owned as a whole. Compared with the real
server: ``.`` entries for containers are left out, and conflicts are per leaf. ``writes`` calls it for every write.
"""

import copy
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj

Step = str
Path = tuple[Step, ...]

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_METADATA: Obj = {
    "properties": {
        "labels": {"additionalProperties": {}},
        "annotations": {"additionalProperties": {}},
        "finalizers": {"x-kubernetes-list-type": "set"},
        "ownerReferences": {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "items": {"properties": {}},
        },
    },
}
_UNOWNED_METADATA = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "managedFields",
        "selfLink",
    },
)


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes: name, operation (Apply or Update) and subresource tell entries of managedFields apart."""

    name: str
    operation: str
    subresource: str = ""
    api_version: str = ""


def _sub(schema: Obj, name: str) -> Obj:
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties")
    found = properties.get(name, extra if isinstance(extra, dict) else {})
    return found if isinstance(found, dict) else {}


def _schema_of(kind: Kind) -> Obj:
    schema = kind.schema or {}
    return {**schema, "properties": {**(schema.get("properties") or {}), "metadata": _METADATA}}


def paths(kind: Kind, obj: Obj) -> dict[Path, Any]:
    """Every owned leaf of an object and its value."""
    owned = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind")}
    owned["metadata"] = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _UNOWNED_METADATA}
    found: dict[Path, Any] = {}
    _collect(_schema_of(kind), owned, (), found)
    return found


def _collect(schema: Obj, value: Any, path: Path, found: dict[Path, Any]) -> None:
    list_type = schema.get("x-kubernetes-list-type")
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if isinstance(value, dict) and not atomic and (value or len(path) <= 1):
        for name, child in value.items():
            _collect(_sub(schema, name), child, (*path, f"f:{name}"), found)
    elif isinstance(value, list) and list_type == "map":
        for item in value:
            _collect(schema.get("items") or {}, item, (*path, _key_step(schema, item)), found)
    elif isinstance(value, list) and list_type == "set":
        for item in value:
            found[(*path, f"v:{json.dumps(item)}")] = item
    else:
        found[path] = value


def _key_step(schema: Obj, item: Any) -> Step:
    keys = {key: item.get(key) for key in sorted(schema.get("x-kubernetes-list-map-keys") or ())}
    return "k:" + json.dumps(keys, separators=(",", ":"))


# ---------------------------------------------------------------- managedFields
def read_managers(obj: Obj) -> dict[Manager, tuple[frozenset[Path], str]]:
    """The entries of managedFields as path sets, with the time of each entry."""
    out: dict[Manager, tuple[frozenset[Path], str]] = {}
    for entry in (obj.get("metadata") or {}).get("managedFields") or ():
        who = Manager(entry["manager"], entry["operation"], entry.get("subresource", ""), entry.get("apiVersion", ""))
        out[who] = frozenset(_unfold(entry.get("fieldsV1") or {}, ())), entry.get("time", "")
    return out


def _unfold(fields: Obj, path: Path) -> Iterable[Path]:
    for step, below in fields.items():
        if step == ".":
            continue
        if below and set(below) != {"."}:
            yield from _unfold(below, (*path, step))
        else:
            yield (*path, step)


def _fold(owned: Iterable[Path]) -> Obj:
    root: Obj = {}
    for path in sorted(owned):
        node = root
        for step in path:
            node = node.setdefault(step, {})
    return root


def write_managers(obj: Obj, managers: dict[Manager, tuple[frozenset[Path], str]]) -> None:
    """Set managedFields, in place; managers that own nothing leave."""
    entries = [
        {
            "manager": who.name,
            "operation": who.operation,
            "apiVersion": who.api_version,
            "time": moment,
            "fieldsType": "FieldsV1",
            "fieldsV1": _fold(owned),
            **({"subresource": who.subresource} if who.subresource else {}),
        }
        for who, (owned, moment) in managers.items()
        if owned
    ]
    obj["metadata"].pop("managedFields", None)
    if entries:
        obj["metadata"]["managedFields"] = entries


def record_update(kind: Kind, obj: Obj, old: Obj | None, who: Manager, moment: str) -> None:
    """Give the writer what changed, take it from the others, forget what is gone. In place."""
    before, after = paths(kind, old) if old else {}, paths(kind, obj)
    changed = frozenset(path for path, value in after.items() if path not in before or before[path] != value)
    managers: dict[Manager, tuple[frozenset[Path], str]] = {}
    # A client may hand ownership on by writing managedFields: kubectl does, when it changes to server-side apply.
    for other, (owned, when) in (read_managers(obj) or read_managers(old or {})).items():
        managers[other] = frozenset(path for path in owned if path in after and path not in changed), when
    if changed:
        own = managers.get(who, (frozenset(), ""))[0]
        managers[who] = own | changed, moment
    write_managers(obj, managers)


# ---------------------------------------------------------------- server-side apply
def apply(kind: Kind, live: Obj, wanted: Obj, who: Manager, *, force: bool, moment: str) -> Obj:
    """The live object after applying a configuration.

    Args:
        kind: its schema says which lists merge.
        live: the stored object, or a bare one for a creation.
        wanted: the applied configuration; its leaves become the manager's.
        who: the manager, with operation Apply.
        force: take fields from other managers instead of failing.
        moment: time of the entry in managedFields.

    Raises:
        ApiError: 409 FieldManagerConflict listing each contested field.
    """
    wanted_paths, live_paths = paths(kind, wanted), paths(kind, live)
    managers = read_managers(live)
    contested = [
        (other, path)
        for other, (owned, _) in managers.items()
        if other != who
        for path in sorted(owned)
        if path in wanted_paths and live_paths.get(path) != wanted_paths[path]
    ]
    handed_over = _last_applied(kind, live) if who.name == "kubectl" else {}
    refused = [(other, path) for other, path in contested if handed_over.get(path) != live_paths.get(path)]
    if refused and not force:
        raise _conflict(refused)
    taken = {path for _, path in contested}
    kept = {other: (owned - taken, when) for other, (owned, when) in managers.items()}
    others = frozenset(path for other, (owned, _) in kept.items() if other != who for path in owned)
    dropped = managers.get(who, (frozenset(), ""))[0] - wanted_paths.keys() - others
    out = copy.deepcopy(live)
    for path in sorted(dropped, key=len, reverse=True):
        _remove(out, list(path))
    merged = _merge(_schema_of(kind), out, wanted)
    same = managers.get(who, (frozenset(), ""))[0] == frozenset(wanted_paths) and not taken
    kept[who] = frozenset(wanted_paths), managers[who][1] if same else moment
    result: Obj = dict(merged)
    result["metadata"] = {**merged["metadata"]}
    if handed_over:
        annotations = {**result["metadata"]["annotations"], _LAST_APPLIED: json.dumps(wanted, separators=(",", ":"))}
        result["metadata"]["annotations"] = annotations
    write_managers(result, kept)
    return result


def _last_applied(kind: Kind, live: Obj) -> dict[Path, Any]:
    """What kubectl applied on the client's side before: its own server-side apply may take these fields over."""
    text = (live.get("metadata") or {}).get("annotations", {}).get(_LAST_APPLIED)
    try:
        content = json.loads(text) if text else None
    except ValueError:
        content = None
    return paths(kind, content) if isinstance(content, dict) else {}


def _merge(schema: Obj, base: Any, patch: Any) -> Any:
    list_type = schema.get("x-kubernetes-list-type")
    if isinstance(patch, dict) and isinstance(base, dict) and schema.get("x-kubernetes-map-type") != "atomic":
        return {**base, **{k: _merge(_sub(schema, k), base.get(k), v) for k, v in patch.items()}}
    if isinstance(patch, list) and isinstance(base, list) and list_type == "set":
        return [*base, *(item for item in patch if item not in base)]
    if isinstance(patch, list) and isinstance(base, list) and list_type == "map":
        out = {_key_step(schema, item): item for item in base}
        for item in patch:
            step = _key_step(schema, item)
            out[step] = _merge(schema.get("items") or {}, out.get(step), item)
        return list(out.values())
    return copy.deepcopy(patch)


def _remove(node: Any, path: list[Step]) -> bool:
    """Take a leaf away; returns whether the container it was in is now empty and may go, too."""
    step, rest = path[0], path[1:]
    sort, _, text = step.partition(":")
    if sort == "f" and isinstance(node, dict):
        if rest and text in node and not _remove(node[text], rest):
            return False
        node.pop(text, None)
        return not node
    if isinstance(node, list):
        wanted = json.loads(text)
        for item in list(node):
            if sort == "v" and item == wanted:
                node.remove(item)
            elif sort == "k" and all(item.get(key) == value for key, value in wanted.items()):
                # The keys of an item go with the item, when nothing else is left in it.
                is_key = len(rest) == 1 and rest[0][2:] in wanted
                if rest and not is_key:
                    _remove(item, rest)
                if set(item) <= set(wanted):
                    node.remove(item)
        return not node
    return False


def _conflict(contested: list[tuple[Manager, Path]]) -> ApiError:
    causes = []
    for other, path in contested:
        field = "".join(f".{s[2:]}" if s.startswith("f:") else f"[{s[2:].strip('{}')}]" for s in path)
        causes.append({"reason": "FieldManagerConflict", "message": f'conflict with "{other.name}"', "field": field})
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = "\n".join(f"- {cause['field']}" for cause in causes)
        text = f"Apply failed with {len(causes)} conflicts: {causes[0]['message']}:\n{lines}"
    return ApiError(409, "Conflict", text, {"causes": causes})
