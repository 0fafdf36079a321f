"""Label selectors, field selectors and the part of JSONPath that columns and selectable fields use."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from finops_sandbox.kubernetes.objects import Kind, Obj, bad_request

Keep = Callable[[Obj], bool]

_EVENT_FIELDS = frozenset(
    {
        *(f"involvedObject.{f}" for f in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion")),
        *(f"involvedObject.{f}" for f in ("fieldPath",)),
        "reason",
        "type",
        "source",
        "reportingComponent",
    },
)
_EXPRESSION = re.compile(r"(?P<key>[^\s=!,()]+)\s+(?P<word>in|notin)\s+\((?P<values>[^()]*)\)")  # codespell:ignore
_COMPARISON = re.compile(r"(?P<key>[^\s=!,()]+)\s*(?P<word>==|=|!=)\s*(?P<value>[^\s=!,()]*)")
_EXISTENCE = re.compile(r"(?P<not>!?)\s*(?P<key>[^\s=!,()]+)")
_FIELD = re.compile(r"(?P<path>[^=!]+)(?P<word>==|=|!=)(?P<value>.*)")
_STEP = re.compile(
    r"""\.(?P<name>[\w/-]+(?:\\\.[\w/-]+)*)|\[(?P<index>\d+)\]|\['(?P<quoted>[^']+)'\]"""
    r"""|\[\?\(@\.(?P<key>\w+)\s*==\s*["'](?P<value>[^"']*)["']\)\]""",
)


def label_keeper(text: str) -> Keep:
    """Parse ``a=b,c in (d,e),!f``.

    Raises:
        ApiError: 400 if a requirement cannot be parsed.
    """
    tests = [_label_test(part.strip()) for part in re.split(r",(?![^(]*\))", text) if part.strip()]
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


def _label_test(part: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _EXPRESSION.fullmatch(part):
        key, wanted = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["word"] == "in":
            return lambda labels: labels.get(key) in wanted
        return lambda labels: labels.get(key) not in wanted
    if match := _COMPARISON.fullmatch(part):
        key, value = match["key"], match["value"]
        if match["word"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTENCE.fullmatch(part):
        key, absent = match["key"], bool(match["not"])
        return lambda labels: (key in labels) != absent
    message = f"unable to parse requirement: {part!r} is not a label requirement"
    raise bad_request(message)


def labels_match(selector: Obj | None, labels: Mapping[str, str]) -> bool:
    """Whether labels fit a LabelSelector object; an empty selector fits everything."""
    if any(labels.get(key) != value for key, value in ((selector or {}).get("matchLabels") or {}).items()):
        return False
    for term in (selector or {}).get("matchExpressions") or ():
        key, values = term["key"], term.get("values") or ()
        fits = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,  # codespell:ignore
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not fits.get(term["operator"], False):
            return False
    return True


def field_keeper(text: str, kind: Kind) -> Keep:
    """Parse ``metadata.name=x,type!=Normal``; only the fields the real server supports for the kind.

    Raises:
        ApiError: 400 for a field that cannot be selected by.
    """
    allowed = {"metadata.name", "metadata.namespace", *(path.lstrip(".") for path in kind.selectable_fields)}
    if kind.storage == ("", "events"):
        allowed |= _EVENT_FIELDS
    if kind.plural == "namespaces":
        allowed |= {"status.phase"}
    if kind.plural == "secrets":
        allowed |= {"type"}
    tests: list[Keep] = []
    for part in filter(None, text.split(",")):
        match = _FIELD.fullmatch(part)
        if match is None:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        path = match["path"].strip()
        if kind.storage == ("", "events"):
            path = re.sub(r"^regarding\.", "involvedObject.", path)
        if path not in allowed:
            raise bad_request(f"field label not supported: {path}")
        tests.append(_field_test(path, match["value"], wanted=match["word"] != "!="))
    return lambda obj: all(test(obj) for test in tests)


def _field_test(path: str, value: str, *, wanted: bool) -> Keep:
    def test(obj: Obj) -> bool:
        found: Any = obj
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return (("" if found is None else str(found)) == value) == wanted

    return test


def json_path(obj: Any, path: str) -> Any:
    """Follow ``.a.b``, ``.a[0]``, ``.a['k']`` and ``.a[?(@.type=="Ready")].b``; None where nothing is."""
    for step in _STEP.finditer(path):
        if (name := step["name"] or step["quoted"]) is not None:
            obj = obj.get(name.replace("\\.", ".")) if isinstance(obj, dict) else None
        elif step["index"] is not None:
            index = int(step["index"])
            obj = obj[index] if isinstance(obj, list) and len(obj) > index else None
        else:
            candidates = obj if isinstance(obj, list) else []
            obj = next((c for c in candidates if isinstance(c, dict) and c.get(step["key"]) == step["value"]), None)
    return obj
