"""Days and times in what is sent to the API: text alone. A number would be taken for seconds since 1970."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

KIND: Final = "written_day"
"""pydantic's type of the error of what is not written as a day or a time."""
PROBLEM: Final = "is not written as a day or a time"
HINT: Final = "write it as text, such as “2026-03-01” or “2026-03-01T12:00:00Z”"
_BEGINS: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _as_text(value: Any) -> Any:
    if value is None or (isinstance(value, str) and _BEGINS.match(value)):
        return value
    raise PydanticCustomError(KIND, PROBLEM)


def _begins(value: Any) -> Any:
    """Return a day as its beginning in UTC: the classic clients send days as well as times."""
    return f"{value}T00:00:00Z" if _BEGINS.fullmatch(value) else value


Day: TypeAlias = Annotated[date, BeforeValidator(_as_text)]
"""A day in UTC."""
Time: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_as_text)]
"""A time with its zone."""
TimeOrDay: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_begins), BeforeValidator(_as_text)]
"""A time with its zone; a day is its beginning in UTC."""
