"""Calculations of a condition that give a number or fail, never an infinity: CEL's own give one. Pure.

CEL calculates with doubles by IEEE 754, so a division by zero is an infinity, which is above every limit. Such a rule
would find what it could not calculate. Here each calculation that may leave the finite numbers is sent, within the
compiled condition, to a function under another name, which fails instead. Source: the CEL specification, "Numeric
Values", and its `cel/expr/checked.proto` and `syntax.proto`, whose field numbers stand below.
"""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from finops.errors import FinopsError

NOT_FINITE: Final = "a calculation gives no finite number"


class UnknownTypeError(FinopsError):
    """A calculation may be one with doubles and may be another; `at` is its place in the text, from 0."""

    def __init__(self, at: int) -> None:
        super().__init__("a calculation with a value whose type is not known")
        self.at = at


class InfiniteLiteralError(FinopsError):
    """A number is written that a double cannot hold."""


@dataclass(frozen=True, slots=True)
class Calculation:
    """A function of CEL that may leave the finite numbers.

    Attributes:
        name: of the one that fails instead, as long as CEL's.
        overload: CEL's id of the one with doubles.
        calculate: what it gives. Raises ValueError where that is no finite number.
    """

    name: str
    overload: str
    calculate: Callable[..., float]


def _checked(calculate: Callable[[float, float], float]) -> Callable[[float, float], float]:
    def checked(left: float, right: float) -> float:
        try:
            value = calculate(left, right)
        except ZeroDivisionError:
            raise ValueError("divide by zero") from None
        if not math.isfinite(value):
            raise ValueError(NOT_FINITE)
        return value

    return checked


def _number(value: float | str) -> float:
    if isinstance(value, str) and "_" in value:
        raise ValueError("cannot convert string to double")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(NOT_FINITE)
    return number


PAIRS: Final[Mapping[str, Calculation]] = {
    "_/_": Calculation("@/@", "divide_double", _checked(operator.truediv)),
    "_*_": Calculation("@*@", "multiply_double", _checked(operator.mul)),
    "_+_": Calculation("@+@", "add_double", _checked(operator.add)),
    "_-_": Calculation("@-@", "subtract_double", _checked(operator.sub)),
}
"""CEL's name → the calculation with two doubles."""
CONVERSION: Final = Calculation("@finit", "string_to_double", _number)
"""Of `double`, for a value of every type that it takes."""

_ANY_VALUE: Final = 2
_REFERENCES, _EXPRESSION, _SOURCE = 2, 4, 5
_POSITIONS: Final = 4
_KEY, _VALUE = 1, 2
_OVERLOADS: Final = 3
_ID, _CONSTANT, _CALL = 2, 3, 6
_FUNCTION: Final = 2
_DOUBLE: Final = 5
_INSIDE: Final[Mapping[str, Mapping[int, str]]] = {
    "expression": {5: "select", _CALL: "call", 7: "list", 8: "struct", 9: "loop"},
    "select": {1: "expression"},
    "call": {1: "expression", 3: "expression"},
    "list": {1: "expression"},
    "struct": {2: "entry"},
    "entry": {3: "expression", 4: "expression"},
    "loop": {2: "expression", 4: "expression", 5: "expression", 6: "expression", 7: "expression"},
}
"""Message → field → the message in it that may hold an expression."""


def finite(serialized: bytes) -> bytes:
    """Return a compiled condition with its calculations sent to those of `PAIRS` and `CONVERSION`.

    Args:
        serialized: `google.protobuf.Any` with a `cel.expr.CheckedExpr`, as the library writes it.

    Raises:
        UnknownTypeError, InfiniteLiteralError: a calculation or a number cannot be judged so.
    """
    checked = next(one for one in _fields(serialized, 0, len(serialized)) if one.number == _ANY_VALUE)
    overloads: dict[int, frozenset[str]] = {}
    positions: dict[int, int] = {}
    expression = checked
    for part in _fields(serialized, checked.start, checked.end):
        if part.number == _REFERENCES:
            overloads |= _overloads(serialized, part)
        elif part.number == _EXPRESSION:
            expression = part
        elif part.number == _SOURCE:
            positions = _positions(serialized, part)
    changed = bytearray(serialized)
    for call in _calls(serialized, "expression", expression, 0):
        name = serialized[call.start : call.end].decode()
        better = _instead(name, overloads.get(call.number, frozenset()), positions.get(call.number, 0))
        if better:
            changed[call.start : call.end] = better.encode()
    return bytes(changed)


def _instead(name: str, overloads: Collection[str], at: int) -> str:
    """Return the name of the function to call instead, empty when CEL's own gives finite numbers."""
    if name == "double":
        return CONVERSION.name if CONVERSION.overload in overloads else ""
    calculation = PAIRS.get(name)
    if calculation is None or calculation.overload not in overloads:
        return ""
    if len(overloads) > 1:
        raise UnknownTypeError(at)
    return calculation.name


# -- the wire format of Protocol Buffers -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Part:
    """A field of a message: its number, and where its content stands, or its value if it is a varint."""

    number: int
    start: int
    end: int
    value: int = 0


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1


def _fields(message: bytes, at: int, end: int) -> Iterator[_Part]:
    while at < end:
        tag, at = _varint(message, at)
        sort, start, value = tag & 7, at, 0
        if sort == 0:
            value, at = _varint(message, at)
        elif sort == 1:
            at += 8
        elif sort == 5:
            at += 4
        else:
            length, start = _varint(message, at)
            at = start + length
        yield _Part(tag >> 3, start, at, value)


def _overloads(message: bytes, entry: _Part) -> dict[int, frozenset[str]]:
    """Return expression id → overload ids of one entry of the reference map."""
    parts = {one.number: one for one in _fields(message, entry.start, entry.end)}
    inner = _fields(message, parts[_VALUE].start, parts[_VALUE].end)
    return {parts[_KEY].value: frozenset(message[i.start : i.end].decode() for i in inner if i.number == _OVERLOADS)}


def _positions(message: bytes, source: _Part) -> dict[int, int]:
    """Return expression id → its place in the text."""
    found: dict[int, int] = {}
    for entry in _fields(message, source.start, source.end):
        if entry.number == _POSITIONS:
            parts = {one.number: one.value for one in _fields(message, entry.start, entry.end)}
            found[parts[_KEY]] = parts.get(_VALUE, 0)
    return found


def _calls(message: bytes, sort: str, part: _Part, expression: int) -> Iterator[_Part]:
    """Yield for each call within a message its id as the number, and where its function's name stands."""
    inside = _INSIDE[sort]
    for one in _fields(message, part.start, part.end):
        if sort == "expression" and one.number == _ID:
            expression = one.value
        elif sort == "expression" and one.number == _CONSTANT:
            _require_finite(message, one)
        elif sort == "call" and one.number == _FUNCTION:
            yield _Part(expression, one.start, one.end)
        elif one.number in inside:
            yield from _calls(message, inside[one.number], one, expression)


def _require_finite(message: bytes, constant: _Part) -> None:
    for one in _fields(message, constant.start, constant.end):
        if one.number == _DOUBLE and not math.isfinite(struct.unpack("<d", message[one.start : one.end])[0]):
            raise InfiniteLiteralError("a number is too large")
