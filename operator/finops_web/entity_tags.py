"""ETags of the API's answers: who has an answer already is answered 304 without it (RFC 9110, 8.8.3 and 13.1.2)."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any, Final

from fastapi import Response

_TAGS: Final = re.compile(r'(?:W/)?("[^"]*")')
_DIGITS: Final = 32


def tag_of(body: bytes) -> str:
    """Return the strong validator of an answer: what it says, in other words."""
    return f'"{sha256(body).hexdigest()[:_DIGITS]}"'


def same_as_before(answer: Response, said: Any) -> None:
    """Give an answer a weak validator over what it says, where when it was found out is in it as well."""
    answer.headers["ETag"] = f"W/{tag_of(json.dumps(said, sort_keys=True, default=str).encode())}"


def is_known(if_none_match: str, tag: str) -> bool:
    """Return whether a client has the answer of `tag`, by its header If-None-Match; compared weakly."""
    return if_none_match.strip() == "*" or tag.removeprefix("W/") in _TAGS.findall(if_none_match)
