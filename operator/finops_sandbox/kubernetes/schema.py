"""Structural schemas: default, prune and validate objects as the API server does for custom resources.

Causes are worded as Kubernetes 1.36 words them, because people and tests read them. Called by ``writes`` before
admission; CEL rules are ``schema_rules``.
"""

import copy
import datetime as dt
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

from celpy import celtypes
from celpy.evaluation import function_matches

from finops_sandbox.kubernetes.objects import Cause, Obj

_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_ROOT_FIELDS = ("apiVersion", "kind", "metadata")


def join(path: str, name: str) -> str:
    """A field path one step deeper."""
    return f"{path}.{name}" if path else name


def children(schema: Obj, value: Any, path: str) -> Iterator[tuple[Obj, Any, str]]:
    """The schema, value and path of every present child that has a schema."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        for name, child in value.items():
            if name in properties:
                yield properties[name], child, join(path, name)
            elif isinstance(extra, dict):
                yield extra, child, f"{path}[{name}]" if path else name
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, child in enumerate(value):
            yield schema["items"], child, f"{path}[{index}]"


def apply_defaults(schema: Obj, value: Any) -> None:
    """Fill absent (and forbidden null) fields with their defaults, in place."""
    if isinstance(value, dict):
        for name, sub in (schema.get("properties") or {}).items():
            absent = name not in value or (value[name] is None and not sub.get("nullable"))
            if absent and "default" in sub:
                value[name] = copy.deepcopy(sub["default"])
            elif absent:
                value.pop(name, None)
    for sub, child, _ in children(schema, value, ""):
        apply_defaults(sub, child)


def prune(schema: Obj, value: Any, path: str = "", *, root: bool = True) -> list[str]:
    """Drop fields the schema does not know, in place, and return their paths."""
    gone: list[str] = []
    known = schema.get("properties") or {}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("additionalProperties")
    if isinstance(value, dict) and not keeps:
        for name in [n for n in value if n not in known and not (root and n in _ROOT_FIELDS)]:
            gone.append(join(path, name))
            del value[name]
    for sub, child, where in children(schema, value, path):
        if not (root and where in _ROOT_FIELDS):
            gone += prune(sub, child, where, root=False)
    return gone


def validate(schema: Obj, value: Any, path: str = "") -> list[Cause]:
    """Every reason why a value does not fit its schema, without CEL rules."""
    if value is None and schema.get("nullable"):
        return []
    if schema.get("x-kubernetes-int-or-string"):
        fits = isinstance(value, int | str) and not isinstance(value, bool)
        return [] if fits else [_wrong_type(path, value, "integer,string")]
    wanted = schema.get("type")
    if wanted and not _is(value, wanted):
        return [_wrong_type(path, value, wanted)]
    causes: list[Cause] = []
    if isinstance(value, dict):
        causes += [
            Cause(join(path, name), "Required value", "FieldValueRequired")
            for name in schema.get("required") or ()
            if name not in value
        ]
    for sub, child, where in children(schema, value, path):
        if path or where not in _ROOT_FIELDS:
            causes += validate(sub, child, where)
    causes += _values(schema, value, path)
    causes += _combinations(schema, value, path)
    return causes


def _is(value: Any, wanted: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match wanted:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "number":
            return number
        case _:
            return number and float(value).is_integer()


def _type_of(value: Any) -> str:
    names: list[tuple[type, str]] = [(bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")]
    names += [(dict, "object"), (list, "array")]
    return next((name for cls, name in names if isinstance(value, cls)), "null")


def _wrong_type(path: str, value: Any, wanted: str) -> Cause:
    got = json.dumps(_type_of(value))
    message = f"Invalid value: {got}: {path} in body must be of type {wanted}: {got}"
    return Cause(path, message, "FieldValueTypeInvalid")


def _values(schema: Obj, value: Any, path: str) -> Iterator[Cause]:
    if "enum" in schema and value not in schema["enum"]:
        options = ", ".join(json.dumps(option) for option in schema["enum"])
        message = f"Unsupported value: {json.dumps(value)}: supported values: {options}"
        yield Cause(path, message, "FieldValueNotSupported")
    if isinstance(value, str):
        yield from _strings(schema, value, path)
    elif isinstance(value, list):
        yield from _lists(schema, value, path)
    elif isinstance(value, dict):
        yield from _count(schema, value, path, "Properties", "properties")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _numbers(schema, value, path)


def _plain(path: str, value: Any, text: str) -> Cause:
    return Cause(path, f"Invalid value: {json.dumps(value)}: {path} in body {text}")


def _strings(schema: Obj, value: str, path: str) -> Iterator[Cause]:
    # Length and pattern are one validator that stops at its first error; the format is another. Patterns are RE2, whose
    # `$` is the end of the text: Python's would let a trailing newline through.
    most, least, pattern = schema.get("maxLength"), schema.get("minLength", 0), schema.get("pattern")
    if most is not None and len(value) > most:
        unit = "byte" if most == 1 else "bytes"
        yield Cause(path, f"Too long: may not be more than {most} {unit}", "FieldValueTooLong")
    elif len(value) < least:
        yield _plain(path, value, f"should be at least {least} chars long")
    elif pattern and function_matches(value, pattern) != celtypes.BoolType(
        source=True
    ):  # a broken pattern fits nothing
        yield _plain(path, value, f"should match '{pattern}'")
    checks: dict[str, Callable[[str], bool]] = {
        "date-time": _is_date_time,
        "micro-time": lambda text: bool(_MICRO_TIME.fullmatch(text)),
        "date": lambda text: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)),
        "duration": lambda text: bool(re.fullmatch(r"[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))+|0", text)),
    }
    wanted = schema.get("format", "")
    if wanted in checks and not checks[wanted](value):
        got = json.dumps(value)
        message = f"Invalid value: {got}: {path} in body must be of type {wanted}: {got}"
        yield Cause(path, message, "FieldValueTypeInvalid")


def _is_date_time(text: str) -> bool:
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _count(schema: Obj, value: Obj | list[Any], path: str, word: str, plural: str) -> Iterator[Cause]:
    most, least = schema.get(f"max{word}"), schema.get(f"min{word}", 0)
    if most is not None and len(value) > most:
        unit = "item" if most == 1 else "items"
        yield Cause(path, f"Too many: {len(value)}: must have at most {most} {unit}", "FieldValueTooMany")
    if len(value) < least:
        yield _plain(path, len(value), f"should have at least {least} {plural}")


def _lists(schema: Obj, value: list[Any], path: str) -> Iterator[Cause]:
    yield from _count(schema, value, path, "Items", "items")
    list_type = schema.get("x-kubernetes-list-type")
    if list_type not in ("set", "map"):
        return
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    seen: list[Any] = []
    for index, item in enumerate(value):
        mark = {key: item.get(key) for key in keys} if list_type == "map" and isinstance(item, dict) else item
        if mark in seen:
            text = json.dumps(mark, separators=(",", ":"))
            yield Cause(f"{path}[{index}]", f"Duplicate value: {text}", "FieldValueDuplicate")
        seen.append(mark)


def _numbers(schema: Obj, value: float, path: str) -> Iterator[Cause]:
    if (least := schema.get("minimum")) is not None:
        if schema.get("exclusiveMinimum") and value <= least:
            yield _plain(path, value, f"should be greater than {least}")
        elif value < least:
            yield _plain(path, value, f"should be greater than or equal to {least}")
    if (most := schema.get("maximum")) is not None:
        if schema.get("exclusiveMaximum") and value >= most:
            yield _plain(path, value, f"should be less than {most}")
        elif value > most:
            yield _plain(path, value, f"should be less than or equal to {most}")
    if (step := schema.get("multipleOf")) and not math.isclose(value / step, round(value / step)):
        yield _plain(path, value, f"should be a multiple of {step}")


def _combinations(schema: Obj, value: Any, path: str) -> Iterator[Cause]:
    for sub in schema.get("allOf") or ():
        yield from validate({k: v for k, v in sub.items() if k != "type"}, value, path)
    for word, most, shape in (("anyOf", None, "at least one schema"), ("oneOf", 1, "one and only one schema")):
        if subs := schema.get(word):
            fits = sum(not validate(sub, value, path) for sub in subs)
            if fits < 1 or (most is not None and fits > most):
                yield Cause(path, f'Invalid value: "": "{path}" must validate {shape} ({word})')
    if (negated := schema.get("not")) is not None and not validate(negated, value, path):
        yield Cause(path, f'Invalid value: "": "{path}" must not validate the schema (not)')
