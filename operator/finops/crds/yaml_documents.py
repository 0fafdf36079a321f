"""Reads YAML that strangers may have written: plain JSON values only, in bounded time, and nothing said twice.

Read by the command line from files, by the dashboard from what people paste. Like kubectl it knows no dates: what has
the form of one stays text. Aliases are refused, because a few lines of them can stand for gigabytes; a key written
twice is refused, because one of the two would vanish without an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from finops.crds.invalid import path_of
from finops.errors import InvalidInput

_DEEPEST: Final = 50
_MOST_VALUES: Final = 50_000
"""Of one file; some seconds of reading, and far more than any policies and accounts hold."""
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN: Final = frozenset(f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map"))
_SYNTAX: Final = "check indentation, quotes and colons there"


class MalformedYaml(InvalidInput):
    """Text that is no YAML, or YAML that is not accepted; `place` is its line and column."""

    def __init__(self, message: str, *, place: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.place = place


def yaml_documents(text: str) -> Iterator[Any]:
    """Yield the documents of `text`: None, bool, int, float, str, lists and dicts.

    Raises:
        MalformedYaml: at the first place that is not accepted; the documents before it were yielded.
    """
    try:
        yield from yaml.load_all(text, Loader=_PlainLoader)
    except _UnacceptedError as error:
        raise MalformedYaml(str(error.problem), place=_place(error), hint=error.hint) from error
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        raise MalformedYaml(f"is not YAML: {problem}", place=_place(error), hint=_SYNTAX) from error


def lines_of(text: str) -> dict[str, int]:
    """Return where the fields of the first document stand: path, as kubectl writes it, → line, from 1.

    Raises:
        MalformedYaml: as `yaml_documents`.
    """
    try:
        root = next(iter(yaml.compose_all(text, Loader=_PlainLoader)), None)
    except _UnacceptedError as error:
        raise MalformedYaml(str(error.problem), place=_place(error), hint=error.hint) from error
    except yaml.YAMLError as error:
        raise MalformedYaml("is not YAML", place=_place(error), hint=_SYNTAX) from error
    return dict(_lines_in(root, ()))


def _lines_in(node: yaml.Node | None, place: tuple[int | str, ...]) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            yield path_of(inner), key.start_mark.line + 1
            yield from _lines_in(value, inner)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield path_of((*place, number)), value.start_mark.line + 1
            yield from _lines_in(value, (*place, number))


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _UnacceptedError(yaml.MarkedYAMLError):
    """YAML that we do not take."""

    def __init__(self, problem: str, hint: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)
        self.hint = hint


class _PlainLoader(yaml.SafeLoader):
    """The safe loader without dates, tags, aliases and repeated keys, and with limits."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own way to configure a loader
        sign: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN]
        for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012 - as above; None stands for every other tag
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag in _PLAIN or tag is None
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the library's stubs leave it out
        if self.check_event(yaml.AliasEvent):
            raise _UnacceptedError("is an alias, which is not taken here", "write the value out in this place", mark)
        if self._depth == _DEEPEST:
            raise _UnacceptedError(f"is nested more than {_DEEPEST} deep", "write it as kubectl explain shows it", mark)
        if self._values == _MOST_VALUES:
            problem = f"is value number {_MOST_VALUES + 1} of this file"
            raise _UnacceptedError(problem, "name files that hold policies and accounts, or split it", mark)
        self._depth += 1
        self._values += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _UnacceptedError(
                    "is a key that is not a string", "write a plain word before the colon", key.start_mark
                )
            if key.value in seen:
                raise _UnacceptedError(f"repeats the key {key.value!r}", "keep one of the two", key.start_mark)
            seen.add(key.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made

    def construct_figure(self, node: yaml.ScalarNode) -> Any:
        """Construct what has the form of a number or a truth value, or was tagged as one and is none."""
        try:
            return yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        except (ValueError, LookupError, OverflowError) as error:
            problem = f"is no {node.tag.removeprefix(_TAG)} that can be read"
            raise _UnacceptedError(problem, "write a plain value, or a string in quotes", node.start_mark) from error


for _name in ("bool", "int", "float"):
    _PlainLoader.add_constructor(f"{_TAG}{_name}", _PlainLoader.construct_figure)
