"""One canonical JSON for everything that is hashed: plans, fingerprints, ledger records.

Keys sorted, no white space, UTF-8, no floats (a float's text differs between languages, so an offline verifier in
another language could disagree): numbers are integers, everything finer is a decimal string.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"


def canonical_json(value: Json) -> bytes:
    """Return the canonical bytes of `value`.

    Raises:
        TypeError: a float, or a type JSON does not know, is somewhere in `value`.
    """
    _refuse_floats(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", errors="surrogatepass")


def sha256_hex(value: Json) -> str:
    """Return the lower-case hexadecimal SHA-256 of the canonical bytes of `value`."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _refuse_floats(value: Json) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float cannot be hashed reproducibly: {value!r}; use a decimal string")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys of canonical JSON are strings, not {key!r}")
            _refuse_floats(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_floats(item)
