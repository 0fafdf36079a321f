"""Durations as the kinds write them: hours and minutes, `72h`, `90m`, `1h30m`.

Used by ScanPolicy; days and seconds are left out because a day is not always 24 hours long and no window here is
shorter than a minute.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from finops.crds.rule import Rule

DURATION_PATTERN = "([1-9][0-9]{0,3}h(([1-9]|[1-5][0-9])m)?|[1-9][0-9]{0,4}m)"
_COMPILED = re.compile(DURATION_PATTERN)
_PARTS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?")
MAXIMUM_CHARACTERS = 8


class Duration(str):
    """A duration as text that still equals the text in the object; `delta` is its length."""

    __slots__ = ()

    @property
    def delta(self) -> timedelta:
        """The length of time the text says; ValueError when the text is not a duration."""
        return parse_duration(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(max_length=MAXIMUM_CHARACTERS),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "maxLength": MAXIMUM_CHARACTERS}


def parse_duration(text: str) -> timedelta:
    """The length of `72h`, `90m` or `1h30m`; ValueError for anything else."""
    if _COMPILED.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a duration in hours and minutes such as 72h, 90m or 1h30m")
    parts = _PARTS.fullmatch(text)
    assert parts is not None
    return timedelta(hours=int(parts[1] or 0), minutes=int(parts[2] or 0))


def duration_rule(maximum: str) -> Rule:
    """A rule that a text is a duration not longer than `maximum`."""
    longest = parse_duration(maximum)

    def holds(text: str) -> bool:
        return _COMPILED.fullmatch(text) is not None and parse_duration(text) <= longest

    return Rule(
        f"self.matches(r'^{DURATION_PATTERN}$') && duration(self) <= duration('{maximum}')",
        f"is not a duration of at most {maximum}",
        "write hours and minutes, such as 72h, 90m or 1h30m",
        holds,
    )
