"""CEL as Kubernetes evaluates it, on top of cel-python.

cel-python evaluates the language; this module adds what Kubernetes has beside it (string, list and authorizer
functions, comparison across number types), converts values by their schema, and refuses at compile time what could
not be evaluated faithfully, so that such a rule is reported instead of being guessed. Used by ``schema_rules`` and
``admission``.
"""

import base64
import logging
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import celpy
import celpy.adapter
import celpy.celparser
import lark
from celpy import celtypes
from celpy.evaluation import CELEvalError, base_functions

from finops_sandbox.kubernetes.cel_functions import FUNCTIONS as _OTHER_FUNCTIONS
from finops_sandbox.kubernetes.cel_time import TIME_FUNCTIONS
from finops_sandbox.kubernetes.objects import Obj

FUNCTIONS = {**_OTHER_FUNCTIONS, **TIME_FUNCTIONS}
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
_MACRO_ARGUMENTS = 2
_RESERVED = frozenset(
    {
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    },
)

logging.getLogger("celpy").setLevel(logging.WARNING)


class NotEvaluable(Exception):
    """The expression uses something this evaluator does not have; the rule must be reported as not evaluated."""


class EvaluationFailed(Exception):
    """The expression was evaluated and failed, for example ``no such key``: the real server refuses then, too."""


class Expression:
    """One compiled expression; compile once, evaluate often."""

    def __init__(self, text: str) -> None:
        """Compile.

        Raises:
            NotEvaluable: syntax or function that cel-python and this module do not have.
        """
        self.text = text
        try:
            tree = _environment().compile(text)
        except celpy.celparser.CELParseError as error:
            raise NotEvaluable(f"cannot be parsed: {str(error).splitlines()[0]}") from error
        _check(tree)
        _rewrite_has(tree)
        self.names = frozenset(str(node.children[0]) for node in tree.find_data("ident"))
        self._runner = _environment().program(tree, functions={**base_functions, **FUNCTIONS})

    def evaluate(self, variables: Mapping[str, Any]) -> Any:
        """The value of the expression.

        Raises:
            EvaluationFailed: a key is missing, a type does not fit, a number overflows.
        """
        try:
            result = self._runner.evaluate(dict(variables))
        except CELEvalError as error:
            raise EvaluationFailed(_reason(error)) from error
        except (TypeError, ValueError, KeyError, IndexError, RecursionError) as error:
            raise EvaluationFailed(str(error)) from error
        if isinstance(result, CELEvalError):
            raise EvaluationFailed(_reason(result))
        return result

    def holds(self, variables: Mapping[str, Any]) -> bool:
        """The value as a boolean; anything else is an error, never a truth.

        Raises:
            EvaluationFailed: as ``evaluate``, or the value is not a boolean.
        """
        result = self.evaluate(variables)
        if not isinstance(result, bool | celtypes.BoolType):
            raise EvaluationFailed("must evaluate to a bool")
        return bool(result)


@lru_cache(maxsize=1024)
def expression_of(text: str) -> Expression:
    """Return the expression of a text, compiled once in a process: the release's rules are loaded by every double.

    Raises:
        NotEvaluable: as ``Expression``; not remembered.
    """
    return Expression(text)


_shared: list[celpy.Environment] = []


def _environment() -> celpy.Environment:
    """One parser for all: building its grammar takes a quarter of a second."""
    if not _shared:
        _shared.append(celpy.Environment())
    return _shared[0]


def _reason(error: CELEvalError) -> str:
    text = str(error.args[0]) if error.args else str(error)
    if match := re.search(r"no such member in mapping: '([^']*)'", text):
        return f"no such key: {match[1]}"
    if "no matching overload" in text or text.startswith("no such overload"):
        return "no such overload"
    inner = error.args[2] if len(error.args) > 2 else None  # the arguments are (text, class, arguments of the cause)
    if text == "return error for overflow" and isinstance(inner, tuple) and inner:
        return str(inner[0])
    return text


def _check(tree: lark.Tree[Any]) -> None:
    known = {*base_functions, *FUNCTIONS}
    for node in tree.iter_subtrees():
        if node.data == "member_dot_arg":
            name, arguments = str(node.children[1]), _arguments(node.children[2:])
            if name in MACROS and len(arguments) != _MACRO_ARGUMENTS:
                raise NotEvaluable(f"macro {name} with {len(arguments)} arguments")
            if name not in known | MACROS:
                raise NotEvaluable(f"function {name} is unknown")
        elif node.data in ("ident_arg", "dot_ident_arg"):
            name = str(node.children[0])
            if name not in known | {"has", "dyn"}:
                raise NotEvaluable(f"function {name} is unknown")
        elif node.data == "member_object":
            raise NotEvaluable("messages cannot be built")


def _arguments(rest: list[Any]) -> list[Any]:
    return [child for expressions in rest if expressions is not None for child in expressions.children]


def _rewrite_has(tree: lark.Tree[Any]) -> None:
    """Turn ``has(a.b)`` into a call that fails when ``a`` is missing: the library would answer false."""
    for node in tree.iter_subtrees():
        if node.data != "ident_arg" or str(node.children[0]) != "has":
            continue
        (argument,) = _arguments(node.children[1:])
        while len(argument.children) == 1 and argument.data != "member_dot":
            argument = argument.children[0]
        if argument.data != "member_dot":
            raise NotEvaluable("has() takes a field selection")
        member, name = argument.children
        field = lark.Tree("literal", [lark.Token("STRING_LIT", f'"{name}"')], node.meta)
        node.children = [
            lark.Token("IDENT", "present"),
            lark.Tree("exprlist", [_as_expression(member), _as_expression(field, "primary", "member")], node.meta),
        ]


def _as_expression(node: lark.Tree[Any], *inner: str) -> lark.Tree[Any]:
    chain = (*inner, "unary", "multiplication", "addition", "relation", "conditionaland", "conditionalor", "expr")
    for name in chain:
        node = lark.Tree(name, [node], node.meta)
    return node


# ---------------------------------------------------------------- values
def plain(value: Any) -> Any:
    """A JSON value without schema: strings stay strings, whole numbers are integers."""
    return celpy.adapter.json_to_cel(value)


def typed(value: Any, schema: Obj, *, root: bool = False) -> Any:
    """A JSON value as its schema types it: number is double, date-time is a timestamp, names are escaped.

    Args:
        value: any JSON value.
        schema: its structural schema.
        root: at the root of a resource only name and generateName of the metadata can be seen.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return _typed_map(value, schema, root=root)
    if isinstance(value, list):
        items = schema.get("items")
        return celtypes.ListType([typed(v, items) if isinstance(items, dict) else plain(v) for v in value])
    make = _MAKERS.get((schema.get("type", ""), schema.get("format", "")), _MAKERS.get((schema.get("type", ""), "")))
    if make is None or schema.get("x-kubernetes-int-or-string"):
        return plain(value)
    return make(value)


_MAKERS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("number", ""): lambda value: celtypes.DoubleType(float(value)),
    ("integer", ""): lambda value: celtypes.IntType(int(value)),
    ("string", "date-time"): celtypes.TimestampType,
    ("string", "date"): lambda value: celtypes.TimestampType(f"{value}T00:00:00Z"),
    ("string", "duration"): celtypes.DurationType,
    ("string", "byte"): lambda value: celtypes.BytesType(base64.b64decode(value)),
}


def _typed_map(value: Obj, schema: Obj, *, root: bool) -> celtypes.MapType:
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    out = celtypes.MapType()
    for name, child in value.items():
        if root and name == "metadata":
            seen = {k: v for k, v in child.items() if k in ("name", "generateName")}
            out[celtypes.StringType(name)] = plain(seen)
        elif name in properties:
            out[celtypes.StringType(escape(name))] = typed(child, properties[name])
        elif isinstance(extra, dict):
            out[celtypes.StringType(name)] = typed(child, extra)
        else:
            out[celtypes.StringType(escape(name))] = plain(child)
    return out


def escape(name: str) -> str:
    """A property name as a CEL identifier (kubernetes.io, CustomResourceDefinitions, "Validation rules")."""
    if name in _RESERVED:
        return f"__{name}__"
    for mark, word in (("__", "underscores"), (".", "dot"), ("-", "dash"), ("/", "slash")):
        name = name.replace(mark, f"\0{word}\0")
    return name.replace("\0", "__")
