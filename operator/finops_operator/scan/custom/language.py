"""Conditions in CEL: compiled once with the type of every name, evaluated for each resource in bounded time.

The only module that imports the CEL library (`cel-expr-python`, Google's C++ implementation). Used by the custom
checks. What bounds an evaluation: the text's length (the schema), 32 levels of nesting and 10,000 steps of a loop (the
library), and here that no loop stands in another one, that none of them makes new values (`map`), and that patterns are
short literals. The cost of one evaluation so grows with the text and the resource's own lists and no faster.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from cel_expr_python import cel

from finops.errors import FinopsError
from finops_operator.scan.custom.finite import CONVERSION, PAIRS, InfiniteLiteralError, UnknownTypeError, finite

Value: TypeAlias = bool | int | float | str | datetime | list["Value"] | dict[str, "Value"]

MOST_PATTERN_SIGNS: Final = 64
"""Of all patterns of a condition: the library compiles them anew for every value, up to 40 µs for each eight."""
HEAVY_SIGN: Final = 8
"""What a sign counts that stands for most of Unicode."""
NAMES: Final = "docs/conditions.md lists what a condition may name"

_LOOPS: Final = frozenset({"all", "exists", "exists_one", "filter"})
_COMPARED: Final = {"_<_": "less", "_<=_": "less_equals", "_>_": "greater", "_>=_": "greater_equals"}
_LEFT_OUT: Final = ("dyn", "type", "bytes")
"""Functions that would take a value out of the type check, or serve nothing here."""
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<raw>(?:[rR][bB]?|[bB][rR])(?:"[^"\n\r]*"|'[^'\n\r]*'))
    |(?P<string>[bB]?(?:"(?:\\.|[^"\\\n\r])*"|'(?:\\.|[^'\\\n\r])*'))
    |(?P<quoted>`[^`\n]*`)
    |(?P<name>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_PROBLEM: Final = re.compile(r"<input>:(\d+):(\d+): (.*?)(?: \(in container '.*?'\))?(?: \[[A-Z_]+\])?$", re.MULTILINE)
_UNDECLARED: Final = re.compile(r"undeclared reference to '(.+)'")
_MIXED: Final = re.compile(r"\((?:int, double|double, int)\)")
_ATOM: Final = re.compile(r"(\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\\.|.)(?:\{(\d*),?(\d*)\})?", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\([\\'\"])")
_FOLDED: Final = re.compile(r"\(\?[A-Za-z]*i")
_UNICODE: Final = re.compile(r"\\[pP]")
_NEGATED: Final = re.compile(r"^\[\^|\\[WDS]|\[:\^")
_CLASSES: Final = frozenset({"\\w", "\\d", "\\s"})
_KEY: Final = re.compile(r'Key not found in map : "(.*)"')


class InvalidExpression(FinopsError):
    """A condition cannot be used; says where (line and column, from 1) and why, and what to write instead."""

    def __init__(self, reason: str, *, line: int = 1, column: int = 1, hint: str = "") -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.hint = hint


class NotJudged(FinopsError):
    """A condition has no answer for these values."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition; may be used by several threads.

    Attributes:
        names: every declared name that the condition contains.
    """

    names: tuple[str, ...]
    _environment: cel.Env
    _compiled: cel.Expression

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Return whether the condition is true; a name without a value decides nothing that depends on it.

        Raises:
            NotJudged: it depends on a name without a value, or a calculation failed.
        """
        try:
            answer = self._compiled.eval(self._environment.Activation(values)).value()
        except RuntimeError as error:  # a string that is no Unicode; the library knows no other error
            raise NotJudged(f"a value cannot be read: {error}") from None
        if answer is True or answer is False:
            return answer
        problem = str(answer).partition(": ")[2] or str(answer)
        missing = _KEY.search(problem)
        if missing:
            raise NotJudged(f"there is no key {missing[1]!r}; ask first whether it is there: {missing[1]!r} in tags")
        raise NotJudged(problem)


class Language:
    """CEL with the names that conditions on one kind of resource may contain."""

    def __init__(self, types: Mapping[str, str]) -> None:
        """Declare the names; `types` is name → CEL type, such as `list(string)`."""
        self._names = frozenset(types)
        self._environment = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_without((*_LEFT_OUT, *_COMPARED))),
            variables={name: _type(signature) for name, signature in types.items()},
            functions=[*(_comparison(operator, name) for operator, name in _COMPARED.items()), *_calculations()],
        )

    def compile(self, text: str) -> Condition:
        """Return the condition that `text` says.

        Raises:
            InvalidExpression: it does not parse, names what does not exist, mixes types, is no yes or no, or could
                take long.
        """
        tokens = tuple(_tokens(text))
        _require_bounded(tokens)
        compiled = self._compiled(text)
        if compiled.return_type() != cel.Type.BOOL:
            found = compiled.return_type().name().lower()
            raise InvalidExpression(f"the result is of type {found}, not bool", hint="compare it with something")
        for place, pattern in _patterns(tokens):
            self._require_pattern(place, pattern)
        names = tuple(sorted(set(_named(tokens, self._names))))
        return Condition(names, self._environment, self._finite(text, compiled))

    def _compiled(self, text: str) -> cel.Expression:
        try:
            return self._environment.compile(text)
        except RuntimeError as error:  # the library knows no other
            raise self._explained(str(error)) from None

    def _finite(self, text: str, compiled: cel.Expression) -> cel.Expression:
        try:
            return self._environment.deserialize(finite(compiled.serialize()))
        except UnknownTypeError as error:
            line, start = text.count("\n", 0, error.at) + 1, text.rfind("\n", 0, error.at) + 1
            column = error.at - start + 1
            raise InvalidExpression(str(error), line=line, column=column, hint="write double(value)") from None
        except InfiniteLiteralError as error:
            raise InvalidExpression(str(error), hint="a double holds up to 1.7e308") from None

    def _explained(self, problem: str) -> InvalidExpression:
        found = _PROBLEM.search(problem)
        if found is None:
            return InvalidExpression(
                "it is nested too deeply", hint="at most 32 levels of operators and brackets; make two checks of it"
            )
        line, column, reason = int(found[1]), int(found[2]), found[3]
        unknown = _UNDECLARED.fullmatch(reason)
        if unknown:
            close = difflib.get_close_matches(unknown[1], self._names, n=1)
            hint = f"did you mean {close[0]}?" if close else NAMES
            return InvalidExpression(f"there is no {unknown[1]}", line=line, column=column, hint=hint)
        hint = "give both sides one type: 100.0 is a double, 100 an int" if _MIXED.search(reason) else ""
        return InvalidExpression(reason.partition(" expecting ")[0], line=line, column=column, hint=hint)

    def _require_pattern(self, place: _Token, pattern: str) -> None:
        """Raise InvalidExpression when the library cannot read a pattern; `pattern` is a literal with its quotes."""
        answer = self._compiled(f"''.matches({pattern})").eval(self._environment.Activation({})).value()
        if answer is not True and answer is not False:
            raise place.refused(str(answer).partition(": ")[2], "patterns are those of RE2")


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, text or sign of a condition with its place."""

    sort: str
    text: str
    line: int
    column: int

    def refused(self, reason: str, hint: str) -> InvalidExpression:
        return InvalidExpression(reason, line=self.line, column=self.column, hint=hint)


def _without(functions: Collection[str]) -> str:
    """The library's settings: its standard functions and macros but these and `map`."""
    named = "\n".join(f'    - name: "{name}"' for name in functions)
    return f"stdlib:\n  exclude_macros: [map]\n  exclude_functions:\n{named}\n"


def _type(signature: str) -> cel.Type:
    """Return the type that a signature such as `list(map(string, dyn))` says; the library reads only plain names."""
    outer, bracket, inner = signature.partition("(")
    if not bracket:
        return cel.Type(signature)
    if outer == "list":
        return cel.Type.List(_type(inner[:-1]))
    key, _, value = inner[:-1].partition(", ")
    return cel.Type.Map(_type(key), _type(value))


def _comparison(operator: str, name: str) -> cel.FunctionDecl:
    """Declare a comparison as the standard does, and between whole and other numbers too."""
    alike = {
        "bool": cel.Type.BOOL,
        "int64": cel.Type.INT,
        "uint64": cel.Type.UINT,
        "double": cel.Type.DOUBLE,
        "string": cel.Type.STRING,
        "timestamp": cel.Type.TIMESTAMP,
        "duration": cel.Type.DURATION,
    }
    pairs = {sort: (type_, type_) for sort, type_ in alike.items()}
    pairs["int64_double"], pairs["double_int64"] = (alike["int64"], alike["double"]), (alike["double"], alike["int64"])
    overloads = [cel.Overload(f"{name}_{sort}", cel.Type.BOOL, list(pair), False) for sort, pair in pairs.items()]
    return cel.FunctionDecl(operator, overloads)


def _calculations() -> Iterator[cel.FunctionDecl]:
    """Declare the calculations that fail where CEL's own give no finite number; no text can name them."""
    double = cel.Type.DOUBLE
    for one in PAIRS.values():
        yield cel.FunctionDecl(
            one.name, [cel.Overload(f"finite_{one.overload}", double, [double, double], False, one.calculate)]
        )
    taken = {"double": double, "int64": cel.Type.INT, "uint64": cel.Type.UINT, "string": cel.Type.STRING}
    conversions = [
        cel.Overload(f"finite_{sort}_to_double", double, [type_], False, CONVERSION.calculate)
        for sort, type_ in taken.items()
    ]
    yield cel.FunctionDecl(CONVERSION.name, conversions)


def _tokens(text: str) -> Iterator[_Token]:
    line, start = 1, 0
    for found in _TOKEN.finditer(text):
        sort, token = found.lastgroup or "", found[0]
        if sort != "space":
            yield _Token(sort, token, line, found.start() - start + 1)
        if "\n" in token:
            line, start = line + token.count("\n"), found.start() + token.rindex("\n") + 1


def _require_bounded(tokens: tuple[_Token, ...]) -> None:
    """Raise InvalidExpression for what could take long, or would not mean what it says."""
    brackets: list[bool] = []  # for each open one whether it is a loop's
    for at, token in enumerate(tokens):
        before, after = (tokens[at + step].text if 0 <= at + step < len(tokens) else "" for step in (-1, 1))
        if token.text == "(":
            loop = before in _LOOPS and at > 1 and tokens[at - 2].text == "."
            if loop and any(brackets):
                raise tokens[at - 1].refused(f"{before} stands inside another loop", "make two checks of it")
            if before == "map" and at > 1 and tokens[at - 2].text == ".":
                raise tokens[at - 1].refused("map() is not available", "use exists, all, exists_one or filter")
            brackets.append(loop)
        elif token.text == ")" and brackets:
            brackets.pop()
        elif token.text == "has" and after == "(" and tokens[at + 2 : at + 3] and tokens[at + 2].text != "tags":
            raise token.refused(
                "has() is for tags", "leave it out: nothing is found where a value is unknown; has(tags.env) is fine"
            )
        elif token.sort in {"string", "raw"} and after[:1] in {'"', "'"}:
            raise token.refused("a string in three quotes", "write one quote at each end")


def _patterns(tokens: tuple[_Token, ...]) -> Iterator[tuple[_Token, str]]:
    """Yield every pattern with its place.

    Raises:
        InvalidExpression: a pattern is not a literal, or could take long.
    """
    signs = 0
    for at, token in enumerate(tokens):
        if token.text != "matches" or token.sort != "name":
            continue
        method = at > 0 and tokens[at - 1].text == "."
        argument = tokens[at + 1 : at + 4]
        literal = len(argument) > 2 and argument[1].sort in {"string", "raw"} and argument[2].text == ")"
        if not method or not literal:
            raise token.refused("a pattern must be a string literal", "write value.matches('^pattern$')")
        pattern = argument[1].text
        signs += _signs(argument[1])
        if signs > MOST_PATTERN_SIGNS:
            raise argument[1].refused(
                f"the patterns have {signs} signs together, {MOST_PATTERN_SIGNS} are allowed",
                f"a sign with {{n}} counts n times, a dot or [^…] {HEAVY_SIGN}, with (?i) every class {HEAVY_SIGN}",
            )
        yield argument[1], pattern


def _signs(literal: _Token) -> int:
    """Return how many signs a pattern has, by what each costs.

    Raises:
        InvalidExpression: it counts a group or names a class of Unicode, which may cost thousands of signs.
    """
    written = literal.text.lstrip("rRbB")[1:-1]
    pattern = written if literal.sort == "raw" else _ESCAPED.sub(r"\1", written)
    if literal.sort != "raw" and "\\" in _ESCAPED.sub("", written):
        raise literal.refused("a pattern has an escape other than \\\\", "write r'pattern' for patterns with \\")
    folded = _FOLDED.search(pattern) is not None
    signs = 0
    for found in _ATOM.finditer(pattern):
        atom, counts = found[1], [int(count) for count in found.groups()[1:] if count]
        if counts and atom == ")":
            raise literal.refused("a pattern counts a group", "use * or +, or repeat the group")
        if _UNICODE.search(atom):
            raise literal.refused("a pattern names a class of Unicode", "write the letters, such as [a-z]")
        wide = atom == "." or _NEGATED.search(atom) is not None
        wide = wide or (folded and (atom in _CLASSES or (atom.startswith("[") and len(atom) > 1)))
        signs += (HEAVY_SIGN if wide else 1) * max(counts, default=1)
    return signs


def _named(tokens: tuple[_Token, ...], declared: Collection[str]) -> Iterator[str]:
    """Yield the declared names among the words that dots join; the longest one where several fit."""
    at = 0
    while at < len(tokens):
        parts, end = [tokens[at].text], at + 1
        while tokens[at].sort == "name" and end + 1 < len(tokens) and tokens[end].text == ".":
            parts, end = [*parts, tokens[end + 1].text], end + 2
        fitting = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
        yield from (name for name in [next((one for one in fitting if one in declared), "")] if name)
        at = end
