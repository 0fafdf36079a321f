"""One rule in two forms: as CEL for the API server and as Python for files that never meet one.

Used by every model of this package; the schema generator copies the CEL into the CRDs, and parsing runs the Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

VALIDATIONS = "x-kubernetes-validations"


def broken_rule(problem: str, fix: str, field: str = "") -> PydanticCustomError:
    """The error that parsing turns into an InvalidField: problem and fix, at a child field when it is named."""
    return PydanticCustomError("rule", "{problem}", {"problem": problem, "fix": fix, "at": field})


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a value, with what is wrong when it does not hold and what to do about it.

    Attributes:
        cel: the expression the API server evaluates, `self` being the value.
        problem: what is wrong, continuing a sentence that starts with the field's path.
        fix: what to write instead.
        holds: the same condition in Python; None for rules about a change, which only the API server can see.
        field: path of the child the rule is about (`.destructive.required`), empty for the value itself.
    """

    cel: str
    problem: str
    fix: str
    holds: Callable[[Any], bool] | None = None
    field: str = ""

    @property
    def message(self) -> str:
        """The text the API server shows: problem and fix."""
        return f"{self.problem}; {self.fix}"

    def as_validation(self) -> dict[str, str]:
        """One entry of `x-kubernetes-validations`."""
        entry = {"rule": self.cel, "message": self.message}
        if self.field:
            entry["fieldPath"] = self.field
        return entry

    def check(self, value: Any) -> Any:
        """Return the value unchanged, or raise the error that parsing turns into an InvalidField."""
        if self.holds is not None and not self.holds(value):
            raise broken_rule(self.problem, self.fix, self.field)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return with_rules(handler(schema), (self,))


def with_rules(schema: JsonSchemaValue, rules: tuple[Rule, ...]) -> JsonSchemaValue:
    """A copy of a JSON schema that carries the rules behind those it has already."""
    if not rules:
        return schema
    return {**schema, VALIDATIONS: [*schema.get(VALIDATIONS, []), *(rule.as_validation() for rule in rules)]}


def pattern_rule(pattern: str, problem: str, fix: str) -> Rule:
    """A rule that a whole string matches a pattern, written in the common part of RE2 and Python's syntax."""
    compiled = re.compile(pattern, re.ASCII)
    return Rule(f"self.matches(r'^{pattern}$')", problem, fix, lambda text: compiled.fullmatch(text) is not None)


def key_rule(pattern: str, problem: str, fix: str) -> Rule:
    """A rule that every key of a map matches a pattern as a whole."""
    compiled = re.compile(pattern, re.ASCII)
    return Rule(
        f"self.all(key, key.matches(r'^{pattern}$'))",
        problem,
        fix,
        lambda mapping: all(compiled.fullmatch(key) for key in mapping),
    )


def unique_rule(key: str, attribute: str) -> Rule:
    """A rule that no two objects of a list share the value of a field."""
    return Rule(
        f"self.all(one, self.exists_one(other, other.{key} == one.{key}))",
        f"names the same {key} twice",
        "merge the two entries into one",
        lambda items: len({getattr(item, attribute) for item in items}) == len(items),
    )


@dataclass(frozen=True, slots=True)
class Distinct:
    """Marks a list of scalars as a set: the API server refuses duplicates by itself, the parser by this."""

    def check(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the values unchanged, or raise the error that parsing turns into an InvalidField."""
        if len(set(values)) != len(values):
            raise broken_rule("contains duplicates", "remove the second one")
        return values

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "x-kubernetes-list-type": "set"}
