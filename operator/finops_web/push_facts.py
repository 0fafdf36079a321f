"""Whether what somebody pushed can be: sizes as AWS allows them, and an ARN that names the same resource.

A figure that AWS never sells would price as a cost that nobody pays, and stand in every sum. Bounded is what the kinds
declare of it, most of what is billed by its size; what was used (requests, bytes, hours) and counts of nodes are not.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from pydantic import Field

from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_web.kind_facts import arn_pattern, limits_of, may_name_another_account

_GLOBAL: Final = "global"
_ARN_PARTS: Final = 6
_BREAKS: Final = re.compile(r"[/:]")


def at_most(kind: str, fact: str) -> Any:
    """Return the field of a fact that has a limit: its description and its schema name the most that AWS allows.

    What is more is refused by `require_possible`, with the limit and its source.
    """
    limit = limits_of(kind)[fact]
    described = f"{limit.unit}, at most {limit.most:,}: {limit.source}."
    return Field(default=None, description=described, json_schema_extra={"maximum": limit.most})


def require_possible(sent: Resource, place: str = "") -> None:
    """Raise InvalidInput unless a resource can be; `place` is where it stands in what was sent: `[1].` of a list."""
    for fact, limit in limits_of(sent.kind).items():
        value: Any = sent.attributes.get(fact)
        if isinstance(value, int | float | Decimal) and not 0 <= value <= limit.most:
            raise InvalidInput(
                f"is {value}, and AWS allows 0 to {limit.most:,} {limit.unit}",
                field=f"{place}{fact}",
                hint=f"send it in {limit.unit}, as AWS says it; {limit.source}",
            )
    if sent.arn:
        problem = arn_problem(sent)
        if problem:
            raise InvalidInput(
                problem,
                field=f"{place}arn",
                hint="send the ARN that AWS gives the resource, or none",
            )


def arn_problem(sent: Resource) -> str:
    """Return what an ARN names otherwise than the resource that has it; empty where they agree."""
    parts = sent.arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return "is no ARN"
    _, _, _, region, account, named = parts
    if not fnmatchcase(sent.arn, arn_pattern(sent.kind)):
        return f"names no resource of kind {sent.kind}"
    if account and account != sent.account and not may_name_another_account(sent.kind):
        return f"names account {account}, and the resource is of {sent.account}"
    if region and sent.region not in {region, _GLOBAL}:
        return f"names region {region}, and the resource is in {sent.region}"
    if sent.id != sent.arn and not _names(named, sent):
        return f"does not name {sent.id}"
    return ""


def _names(named: str, sent: Resource) -> bool:
    """Return whether every part of an id stands in the last part of an ARN, whatever the case."""
    return set(filter(None, _BREAKS.split(sent.id.lower()))) <= set(_BREAKS.split(named.lower()))
