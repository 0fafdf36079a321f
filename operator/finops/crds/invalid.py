"""What is wrong with an object, field by field, in words a person can act on.

Raised by the parse functions of the kinds; the command line prints it (exit code 2), the operator puts it into
conditions.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from finops.crds.rule import Rule
from finops.errors import InvalidInput

_LENGTHS = frozenset({"string_too_long", "string_too_short"})
_LONGEST = 60
_PREFIX = re.compile(r"^(?:Value error|Assertion failed), ")
ROOT = "(root)"
"""The path of the object as a whole."""


@dataclass(frozen=True, slots=True)
class InvalidField:
    """One field that is wrong.

    Attributes:
        path: where it is, as kubectl writes it (`spec.checks[0].id`).
        rule: what is wrong with it.
        hint: what to write instead.
    """

    path: str
    rule: str
    hint: str

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}; {self.hint}"


class InvalidObject(InvalidInput):
    """An object that does not fit its kind; `fields` holds everything that is wrong, not only the first."""

    def __init__(self, kind: str, name: str, fields: Sequence[InvalidField]) -> None:
        self.fields = tuple(fields)
        super().__init__(
            " | ".join(str(field) for field in self.fields),
            field=self.fields[0].path if len(self.fields) == 1 else "",
            source=f"{kind}/{name}",
        )

    def __str__(self) -> str:
        return f"{self.source} is invalid: {self.message}"


def invalid_fields(error: ValidationError, model: type[BaseModel]) -> tuple[InvalidField, ...]:
    """Translate pydantic's error about `model` into fields with a path, the rule broken and the fix."""
    details = error.errors(include_url=False)
    return tuple(_translate(detail, model) for detail in details if not _is_echo(detail, details))


def _is_echo(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only called too short because its wrong entries were not counted."""
    path = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(path) and other["loc"][: len(path)] == path for other in details
    )


def _translate(detail: ErrorDetails, model: type[BaseModel]) -> InvalidField:
    path = path_of(detail["loc"])
    context: Mapping[str, Any] = detail.get("ctx", {})
    if detail["type"] == "rule":
        return InvalidField((path + context["at"]).lstrip(".") or ROOT, str(context["problem"]), str(context["fix"]))
    if detail["type"] == "extra_forbidden":
        return InvalidField(path, "is not a field of this kind", _known_fields(detail["loc"], model))
    if detail["type"] == "missing":
        return InvalidField(path, "is missing", "add it: it has no default")
    form = _form(detail["loc"], model) if detail["type"] in _LENGTHS else None
    if form is not None:
        return InvalidField(path, form.problem, form.fix)
    found = explained(detail["type"], context)
    if found is not None:
        return InvalidField(path, *found)
    words = plain_words(str(detail["msg"]))
    return InvalidField(path, f"has the wrong type or form ({words})", "see kubectl explain for the field")


def explained(kind: str, context: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what is wrong and what to write instead, by pydantic's type of the error; None of a type without words."""
    for types, explain in _EXPLANATIONS:
        if kind in types:
            return explain(context)
    return None


def plain_words(message: str) -> str:
    """Return what a validator says without the name of the exception that pydantic puts before it."""
    return _PREFIX.sub("", message)


def _chosen(context: Mapping[str, Any]) -> tuple[str, str]:
    return "is not one of the values allowed", f"write {context['expected']}"


def _bounded(context: Mapping[str, Any]) -> tuple[str, str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    limits = [f"{words[key]} {context[key]}" for key in words if key in context]
    return "is out of range", f"write a number of {' and '.join(limits)}"


def _sized(context: Mapping[str, Any]) -> tuple[str, str]:
    if "max_length" in context:
        return "is too long", f"keep it to at most {context['max_length']} characters or entries"
    least = int(context["min_length"])
    return ("is empty", "give at least one") if least == 1 else ("is too short", f"give at least {least}")


def _form(location: Sequence[int | str], model: type[BaseModel]) -> Rule | None:
    """The rule about a text's whole form, which says more than its length: what the API server adds as well."""
    found: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            continue
        field = None if found is None else _field(found, part)
        found = None if field is None else _model_in(field.annotation)
    if field is None:
        return None
    rules = [one for one in field.metadata if isinstance(one, Rule)] if isinstance(location[-1], str) else []
    return next((one for one in (*rules, *_rules_in(field.annotation)) if not one.field), None)


def _rules_in(annotation: Any) -> list[Rule]:
    """The rules of the entries inside `tuple[Annotated[str, Rule], ...]`."""
    found = [one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, Rule)]
    return found + [one for inner in getattr(annotation, "__args__", ()) for one in _rules_in(inner)]


def _typed(name: str) -> Callable[[Mapping[str, Any]], tuple[str, str]]:
    return lambda _: ("has the wrong type", f"write {name}")


_EXPLANATIONS: tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], tuple[str, str]]], ...] = (
    (frozenset({"enum", "literal_error"}), _chosen),
    (frozenset({"greater_than_equal", "greater_than", "less_than_equal", "less_than"}), _bounded),
    (frozenset({"string_too_long", "string_too_short", "too_long", "too_short"}), _sized),
    (frozenset({"string_type"}), _typed("a string in quotes")),
    (frozenset({"int_type", "int_from_float", "int_parsing"}), _typed("a whole number without quotes")),
    (frozenset({"bool_type", "bool_parsing"}), _typed("true or false without quotes")),
    (
        frozenset({"decimal_type", "decimal_parsing", "float_type", "float_parsing", "finite_number"}),
        _typed("a number without quotes"),
    ),
    (frozenset({"tuple_type", "list_type"}), _typed("a list")),
    (frozenset({"model_type", "model_attributes_type", "dict_type", "mapping_type"}), _typed("an object")),
    (
        frozenset({"date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"}),
        _typed("a day, such as 2026-01-31"),
    ),
    (
        frozenset({"datetime_parsing", "datetime_from_date_parsing", "datetime_type", "timezone_aware"}),
        _typed("a time with its zone, such as 2026-01-31T09:00:00Z"),
    ),
)


def shortened(value: object) -> str:
    """Return a value as messages show it: short, whatever it is."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def path_of(location: Sequence[int | str]) -> str:
    """Return where a value is, as kubectl writes it: `spec.checks[0].id`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif "." in part or "/" in part:
            path += f"[{part!r}]"
        else:
            path += f".{part}" if path else part
    return path


def _known_fields(location: Sequence[int | str], model: type[BaseModel]) -> str:
    """The fields there are where an unknown one was found, the most similar one first."""
    found: type[BaseModel] | None = model
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        found = None if found is None else _child_model(found, part)
    if found is None:
        return "remove it"
    known = [field.alias or name for name, field in found.model_fields.items()]
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    advice = f"did you mean {close[0]}? " if close else "remove it: "
    return f"{advice}the fields here are {', '.join(known)}"


def _child_model(model: type[BaseModel], alias: str) -> type[BaseModel] | None:
    field = _field(model, alias)
    return None if field is None else _model_in(field.annotation)


def _field(model: type[BaseModel], alias: str) -> FieldInfo | None:
    return next((field for name, field in model.model_fields.items() if alias in {field.alias, name}), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `Model | None`, `tuple[Model, ...]` or an annotated form of these."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
