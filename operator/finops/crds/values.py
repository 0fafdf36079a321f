"""The field types that several kinds share: ids, money, times, places.

Each carries its bound and its rule, so that the schema and the parser agree. Patterns are written in the part of the
syntax that RE2 (the API server) and Python read alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from finops.crds.rule import Distinct, Rule, broken_rule, key_rule, pattern_rule

_RULE_ID = "[a-z][a-z0-9]*(_[a-z0-9]+)*"
CheckId = Annotated[
    str,
    Field(max_length=63),
    pattern_rule(_RULE_ID, "is not the id of a check", "write lower-case words joined by _, as docs/checks.md does"),
]
"""The id of a check. Which ids exist is known to the release that runs, not to the schema."""

ActionId = Annotated[
    str,
    Field(max_length=63),
    pattern_rule(_RULE_ID, "is not the id of an action", "write lower-case words joined by _, as docs/actions.md does"),
]
"""The id of an action, open like CheckId."""

KindId = Annotated[
    str,
    Field(max_length=63),
    pattern_rule(
        "[a-z][a-z0-9]*(-[a-z0-9]+)*",
        "is not the id of a kind of resource",
        "write lower-case words joined by -, such as those that finops resources shows",
    ),
]
"""The id of a kind of AWS resource, open like CheckId."""


def plain_number(value: Decimal) -> int | float:
    """A decimal as JSON writes it: a whole number without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def _money_text(value: Decimal) -> str:
    return f"{value:f}"


def _read_number(value: Any) -> Any:
    """A JSON number as the decimal its digits say; a number in quotes is a text to the API server, which refuses it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    if isinstance(value, Decimal):
        return value
    raise broken_rule("has the wrong type", "write a number without quotes")


def _read_money(value: Any) -> Any:
    """Money travels as text: a JSON number has been a binary fraction on its way."""
    if isinstance(value, str) and _MONEY.fullmatch(value) is not None:
        return Decimal(value)
    if isinstance(value, Decimal):
        return value
    raise broken_rule(_MONEY_PROBLEM, _MONEY_FIX)


def _is_plain_amount(value: Decimal) -> bool:
    return value.is_finite() and value >= 0 and _MONEY.fullmatch(_money_text(value)) is not None


_MONEY_PROBLEM = "is not an amount of money"
_MONEY_FIX = 'write a decimal number of zero or more as text, such as "66.82"'
_MONEY_PATTERN = r"[0-9]{1,15}([.][0-9]{1,28})?"
_MONEY = re.compile(_MONEY_PATTERN)
MONEY_CHARACTERS = 44


@dataclass(frozen=True, slots=True)
class NumberBetween:
    """Marks a Decimal that is a JSON number, bounds included: `Annotated[Decimal, NumberBetween(0, 100)]`."""

    minimum: int
    maximum: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(
            _read_number,
            core_schema.decimal_schema(ge=Decimal(self.minimum), le=Decimal(self.maximum), allow_inf_nan=False),
            serialization=core_schema.plain_serializer_function_ser_schema(plain_number),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}


Money = Annotated[
    Decimal,
    BeforeValidator(_read_money),
    PlainSerializer(_money_text, return_type=str),
    WithJsonSchema({"type": "string", "maxLength": MONEY_CHARACTERS}),
    Rule(
        f"self.matches(r'^{_MONEY_PATTERN}$')",
        _MONEY_PROBLEM,
        _MONEY_FIX,
        _is_plain_amount,
    ),
]
"""An amount of money as a decimal string, never negative, never a float."""

Count = Annotated[int, Field(ge=0, le=2_000_000_000)]
"""A number of things."""

Time = Annotated[AwareDatetime, WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64})]
"""A moment with its zone, RFC 3339."""

Sentence = Annotated[str, Field(max_length=4096)]
"""Text for people, written by the operator."""

Word = Annotated[str, Field(max_length=256)]
"""A short text without a form of its own."""

ObjectName = Annotated[str, Field(min_length=1, max_length=253)]
"""The name of a Kubernetes object."""

_NUMBERS = {
    "minute": "[0-5]?[0-9]",
    "hour": "(?:[01]?[0-9]|2[0-3])",
    "day": "(?:0?[1-9]|[12][0-9]|3[01])",
    "month": "(?:0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)",
    "weekday": "(?:[0-7]|SUN|MON|TUE|WED|THU|FRI|SAT)",
}


def _cron_field(number: str) -> str:
    item = f"(?:[*]|{number}(?:-{number})?)(?:/[1-9][0-9]?)?"
    return f"{item}(?:,{item})*"


CRON_PATTERN = " ".join(_cron_field(number) for number in _NUMBERS.values())

Cron = Annotated[
    str,
    Field(min_length=9, max_length=100),
    pattern_rule(
        CRON_PATTERN,
        "is not a cron schedule",
        'write five fields "minute hour day month weekday" within their ranges, such as "0 * * * *" or "30 22 * * 1-5"',
    ),
]
"""When something happens: five cron fields, one space between."""

_ZONE_PATTERN = "[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}"


def _is_zone(name: str) -> bool:
    if re.fullmatch(_ZONE_PATTERN, name) is None or name == "Local":
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Rule(
        f"self != 'Local' && self.matches('^{_ZONE_PATTERN}$') && "
        "timestamp('2026-01-01T00:00:00Z').getFullYear(self) > 0",
        "is not a time zone",
        "write a name of the IANA database, such as UTC or Europe/Berlin",
        _is_zone,
    ),
]
"""A time zone by its IANA name."""

AccountId = Annotated[
    str,
    Field(max_length=12),
    pattern_rule("[0-9]{12}", "is not an AWS account id", 'write the 12 digits in quotes, such as "123456789012"'),
]
"""The 12 digits of an AWS account."""

Region = Annotated[
    str,
    Field(max_length=25),
    pattern_rule(
        "[a-z]{2,4}(-[a-z]{2,12}){1,2}-[0-9]{1,2}", "is not an AWS region", "write its code, such as eu-west-1"
    ),
]
"""The code of an AWS region."""

InstanceFamily = Annotated[
    str,
    Field(max_length=20),
    pattern_rule(
        "[a-z][a-z0-9]*(-[a-z0-9]+)?",
        "is not an instance family",
        "write what stands before the dot of an instance type, such as m5 or t3a",
    ),
]
"""A family of EC2 instance types."""

Sha256 = Annotated[
    str,
    Field(max_length=64),
    pattern_rule("[0-9a-f]{64}", "is not a SHA-256 in hexadecimal", "copy the 64 characters 0-9a-f of spec.planHash"),
]
"""A hash as 64 hexadecimal characters."""

SlackUser = Annotated[
    str,
    Field(max_length=24),
    pattern_rule("[UW][A-Z0-9]{2,22}", "is not a Slack user id", "copy the member id from the profile, such as U0123"),
]
"""The id of a person in Slack."""

SLACK_USER_GROUP_PATTERN = "S[A-Z0-9]{2,22}"

SlackUserGroup = Annotated[
    str,
    Field(max_length=24),
    pattern_rule(SLACK_USER_GROUP_PATTERN, "is not a Slack user group id", "copy the id of the group, such as S0123"),
]
"""The id of a user group in Slack."""

SlackTeam = Annotated[
    str,
    Field(max_length=24),
    pattern_rule("(E|T)[A-Z0-9]{2,22}", "is not a Slack workspace id", "copy the id of the workspace, such as T0123"),
]
"""The id of a workspace or of an Enterprise Grid organisation."""

SlackChannel = Annotated[
    str,
    Field(max_length=24),
    pattern_rule(
        "[CG][A-Z0-9]{2,22}",
        "is not a Slack channel id",
        "copy the id at the end of the channel's details, such as C0123456789, not its #name",
    ),
]
"""The id of a channel in Slack."""

_tag_keys = key_rule(".{1,128}", "has a tag key that AWS does not know", "keep keys to 1 to 128 characters")
TagValues = Annotated[
    tuple[Annotated[str, Field(max_length=256)], ...],
    Field(min_length=1, max_length=50),
    Distinct(),
]
Tags = Annotated[Mapping[str, TagValues], Field(max_length=50), _tag_keys]
"""Tag keys, each with the values that match it (exactly, case matters)."""
