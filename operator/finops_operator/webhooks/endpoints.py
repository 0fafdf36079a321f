"""Which addresses get events: the administrator's list, as `FINOPS_WEBHOOKS` has it. Pure but for reading a secret."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from finops.errors import InvalidInput

MOST: Final = 20
_NAME: Final = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_KEYS: Final = frozenset({"name", "url", "types"})
_VARIABLE: Final = "FINOPS_WEBHOOKS"
_LEAST_KEY_BYTES: Final = 24
"""Standard Webhooks: keys have 24 to 64 bytes."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address.

    Attributes:
        name: names its queue and the file of its secret; stays while the address changes.
        url: https, without user and password.
        types: prefixes of the types it gets; empty: all.
    """

    name: str
    url: str
    types: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def wants(self, type_: str) -> bool:
        """Return whether events of a type go there."""
        return not self.types or type_.startswith(self.types)


def endpoints_from(text: str, *, allow_internal: bool) -> tuple[Endpoint, ...]:
    """Return the endpoints of a JSON list of `{name, url, types}`; no text, none.

    Args:
        text: of the setting.
        allow_internal: http is taken too.

    Raises:
        InvalidInput: it is no such list; names the entry.
    """
    if not text:
        return ()
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidInput("is not JSON", field=_VARIABLE, hint='write [{"name": "…", "url": "https://…"}]') from error
    if not isinstance(found, list) or len(found) > MOST:
        raise InvalidInput(f"is not a list of at most {MOST} endpoints", field=_VARIABLE, hint="write fewer of them")
    made = tuple(_endpoint(one, number, allow_internal) for number, one in enumerate(found))
    if len({one.name for one in made}) != len(made):
        raise InvalidInput("names two endpoints alike", field=_VARIABLE, hint="a name stands for one queue")
    return made


def _endpoint(given: Any, number: int, allow_internal: bool) -> Endpoint:
    where = f"{_VARIABLE}[{number}]"
    if not isinstance(given, Mapping) or not {"name", "url"} <= given.keys() <= _KEYS:
        raise InvalidInput("has not the fields name, url and types", field=where, hint="see docs/webhooks.md")
    name, url, types = given["name"], given["url"], given.get("types") or []
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise InvalidInput("has no name in lower-case letters, digits and -", field=f"{where}.name", hint="write one")
    if not isinstance(types, list) or not all(isinstance(one, str) and one for one in types):
        raise InvalidInput("is not a list of types", field=f"{where}.types", hint="see docs/webhooks.md")
    if not isinstance(url, str) or not _is_usable(url, allow_internal):
        raise InvalidInput(
            "is not an https address without user and password", field=f"{where}.url", hint="write https://HOST/PATH"
        )
    return Endpoint(name, url, tuple(types))


def _is_usable(url: str, allow_internal: bool) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    schemes = {"https", "http"} if allow_internal else {"https"}
    plain = url.isascii() and url.isprintable() and " " not in url
    named = bool(parts.hostname) and parts.username is None and parts.password is None and port != 0
    return plain and named and parts.scheme in schemes


def key_of(folder: str, name: str) -> bytes:
    """Return the key with which an endpoint's events are signed, read from its file now: it may have been changed.

    Raises:
        InvalidInput: there is no usable key; nothing is sent unsigned.
    """
    field, hint = (
        f"webhooks.{name}",
        f"put whsec_ and 24 to 64 random bytes in base64 under the key {name} of the Secret",
    )
    try:
        text = (Path(folder) / name).read_text(encoding="ascii").strip()
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (OSError, UnicodeDecodeError, binascii.Error) as error:
        raise InvalidInput("has no readable signing secret", field=field, hint=hint, code="NoSecret") from error
    if len(key) < _LEAST_KEY_BYTES:
        raise InvalidInput("has a signing secret that is too short", field=field, hint=hint, code="NoSecret")
    return key
