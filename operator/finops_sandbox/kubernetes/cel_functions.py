"""The functions Kubernetes adds to CEL, and the comparisons cel-python is stricter about than Kubernetes.

Sources: kubernetes.io "Common Expression Language in Kubernetes" (lists, regex, URL, authorizer libraries) and the
CEL strings extension. A function that is not here makes a rule "not evaluated"; none is approximated.
"""

import datetime as dt
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from celpy import celtypes
from celpy.evaluation import CELEvalError

_GO_DURATION = re.compile(r"[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+|[+-]?0")
_NUMBERS = (celtypes.IntType, celtypes.UintType, celtypes.DoubleType, int, float)


class Allows(Protocol):
    """Answers one authorization question; ``rbac.Authorizer`` bound to the user of the request."""

    def __call__(self, question: dict[str, str]) -> tuple[bool, str]: ...


class AuthorizerValue(celtypes.MapType):
    """The ``authorizer`` variable and each step of its chain; a step is a new value, so chains can be shared."""

    def __init__(
        self, allows: Allows, question: dict[str, str] | None = None, *, own: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        if own is not None:
            self[celtypes.StringType("requestResource")] = AuthorizerValue(allows, own)
        self.allows = allows
        self.question = question or {}

    def with_word(self, word: str, value: Any) -> "AuthorizerValue":
        return AuthorizerValue(self.allows, {**self.question, word: str(value)})


@dataclass(frozen=True)
class Optional:
    """An optional value: ``oldSelf`` under ``optionalOldSelf``."""

    value: Any = None
    present: bool = False


class DecisionValue(celtypes.MapType):
    """What ``check`` returns."""

    def __init__(self, allowed: bool, reason: str) -> None:
        super().__init__()
        self.allowed = allowed
        self.reason = reason


def _step(word: str) -> Callable[..., Any]:
    def step(receiver: Any, value: Any) -> Any:
        if not isinstance(receiver, AuthorizerValue):
            message = f"{word} belongs to the authorizer"
            raise TypeError(message)
        return receiver.with_word(word, value)

    return step


def _check(receiver: Any, verb: Any) -> DecisionValue:
    question = {**receiver.question, "verb": str(verb)}
    return DecisionValue(*receiver.allows(question))


def _present(holder: Any, name: Any) -> Any:
    if not isinstance(holder, dict):
        message = f"{type(holder).__name__} has no fields"
        raise TypeError(message)
    return celtypes.BoolType(name in holder)


# ---------------------------------------------------------------- equality and order
def _is_number(value: Any) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool | celtypes.BoolType)


def _family(value: Any) -> type:
    """The CEL type: the library mixes its own types with the Python types they extend."""
    families = (celtypes.BoolType, bool, str, bytes, dict, list, dt.datetime, dt.timedelta)
    found = next((family for family in families if isinstance(value, family)), type(value))
    return bool if found is celtypes.BoolType else found


def equal(left: Any, right: Any) -> bool:
    """CEL's runtime equality: numbers by value whatever their type, different types are simply unequal."""
    if left is None or right is None:
        return left is right
    if _is_number(left) and _is_number(right):
        return (
            float(left) == float(right)
            if isinstance(left, float) or isinstance(right, float)
            else int(left) == int(right)
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Optional) and isinstance(right, Optional):
        return left.present == right.present and (not left.present or equal(left.value, right.value))
    return _family(left) is _family(right) and bool(left == right)


def _lifted(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def lifted(left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, CELEvalError):
                return side
        return function(left, right)

    return lifted


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def compare(left: Any, right: Any) -> celtypes.BoolType:
        if _is_number(left) and _is_number(right):
            floats = isinstance(left, float) or isinstance(right, float)
            return celtypes.BoolType(test(float(left), float(right)) if floats else test(int(left), int(right)))
        if _family(left) is not _family(right) or isinstance(left, dict | list) or left is None:
            message = f"no such overload: {type(left).__name__} and {type(right).__name__} have no order"
            raise TypeError(message)
        return celtypes.BoolType(test(left, right))

    return _lifted(compare)


def _contains(item: Any, container: Any) -> celtypes.BoolType:
    if isinstance(container, dict):
        return celtypes.BoolType(item in container)
    if isinstance(container, list):
        return celtypes.BoolType(any(equal(item, other) for other in container))
    message = f"no such overload: in {type(container).__name__}"
    raise TypeError(message)


# ---------------------------------------------------------------- strings, lists, durations
def _duration(value: Any) -> celtypes.DurationType:
    if isinstance(value, str) and not _GO_DURATION.fullmatch(value):
        message = f'time: invalid duration "{value}"'
        raise ValueError(message)
    return celtypes.DurationType(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        message = f"no such overload: {type(value).__name__} is not a string"
        raise TypeError(message)
    return value


def _texts(values: Sequence[str]) -> celtypes.ListType:
    return celtypes.ListType([celtypes.StringType(value) for value in values])


def _split(text: Any, separator: Any, limit: Any = -1) -> celtypes.ListType:
    if not separator:
        return _texts(list(_text(text)))
    return _texts(_text(text).split(str(separator), -1 if int(limit) < 0 else int(limit) - 1))


def _substring(text: Any, start: Any, end: Any = None) -> celtypes.StringType:
    last = len(_text(text)) if end is None else int(end)
    if not 0 <= int(start) <= last <= len(text):
        message = f"index out of range: {start}"
        raise ValueError(message)
    return celtypes.StringType(text[int(start) : last])


def _index_of(where: Any, what: Any) -> celtypes.IntType:
    if isinstance(where, list):
        return celtypes.IntType(next((i for i, item in enumerate(where) if equal(item, what)), -1))
    return celtypes.IntType(_text(where).find(_text(what)))


def _last_index_of(where: Any, what: Any) -> celtypes.IntType:
    if isinstance(where, list):
        return celtypes.IntType(max((i for i, item in enumerate(where) if equal(item, what)), default=-1))
    return celtypes.IntType(_text(where).rfind(_text(what)))


def _is_sorted(items: Any) -> celtypes.BoolType:
    return celtypes.BoolType(all(not b < a for a, b in itertools.pairwise(items)))


def _sum(items: Any) -> Any:
    total: Any = items[0] if items else celtypes.IntType(0)
    for item in items[1:]:
        total = total + item
    return total


def _is_url(text: Any) -> celtypes.BoolType:
    parts = urlsplit(_text(text))
    return celtypes.BoolType(
        bool(parts.scheme and (parts.netloc or parts.path.startswith("/"))) or text.startswith("/")
    )


def _find(text: Any, pattern: Any) -> celtypes.StringType:
    match = re.search(str(pattern), _text(text))
    return celtypes.StringType(match[0] if match else "")


def _format(template: Any, values: Any) -> celtypes.StringType:
    """The verbs %s and %d of the strings extension; another verb is an error, not a guess."""
    rest = list(values)

    def put(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[0] not in ("%s", "%d") or not rest:
            message = f"format: {match[0]} is not supported here"
            raise ValueError(message)
        value = rest.pop(0)
        if isinstance(value, bool | celtypes.BoolType):
            return "true" if value else "false"
        return json.dumps(value, separators=(", ", ": ")) if isinstance(value, list | dict) else str(value)

    return celtypes.StringType(re.sub(r"%.", put, _text(template)))


def _value(optional: Optional) -> Any:
    if not optional.present:
        message = "optional.none() dereference"
        raise ValueError(message)
    return optional.value


def _bool(value: Any) -> celtypes.BoolType:
    return celtypes.BoolType(bool(value))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{word: _step(word) for word in ("group", "resource", "subresource", "namespace", "name", "path")},
    "check": _check,
    "allowed": lambda decision: _bool(decision.allowed),
    "reason": lambda decision: celtypes.StringType(decision.reason),
    "errored": lambda decision: _bool(decision is None),
    "present": _present,
    "dyn": lambda value: value,
    "_==_": _lifted(lambda left, right: _bool(equal(left, right))),
    "_!=_": _lifted(lambda left, right: _bool(not equal(left, right))),
    "_<_": _ordered(lambda left, right: bool(left < right)),
    "_<=_": _ordered(lambda left, right: bool(left <= right)),
    "_>_": _ordered(lambda left, right: bool(left > right)),
    "_>=_": _ordered(lambda left, right: bool(left >= right)),
    "_in_": _lifted(_contains),
    "duration": _duration,
    "lowerAscii": lambda text: celtypes.StringType(_text(text).lower()),
    "upperAscii": lambda text: celtypes.StringType(_text(text).upper()),
    "trim": lambda text: celtypes.StringType(_text(text).strip()),
    "replace": lambda text, old, new: celtypes.StringType(_text(text).replace(str(old), str(new))),
    "split": _split,
    "join": lambda items, separator="": celtypes.StringType(str(separator).join(items)),
    "substring": _substring,
    "charAt": lambda text, index: celtypes.StringType(_text(text)[int(index) : int(index) + 1]),
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "find": _find,
    "findAll": lambda text, pattern: _texts([m[0] for m in re.finditer(str(pattern), _text(text))]),
    "format": _format,
    "isSorted": _is_sorted,
    "sum": _sum,
    "min": lambda *items: min(items[0] if len(items) == 1 else items),
    "max": lambda *items: max(items[0] if len(items) == 1 else items),
    "isURL": _is_url,
    "hasValue": lambda optional: _bool(optional.present),
    "value": _value,
    "orValue": lambda optional, other: optional.value if optional.present else other,
}
