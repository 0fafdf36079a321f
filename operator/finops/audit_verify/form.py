"""Reads one line of an export and checks its form and its hash, by rules written down here a second time on purpose.

A line is `{"hash": H, "record": R, "signature": S}` in canonical JSON: keys sorted by code point, no white space, no
escape that is not needed, whole numbers only. H is the SHA-256 of R's canonical bytes, in lower-case hexadecimal. S is
the Ed25519 signature, in hexadecimal, over the text `finops.dev ledger record v1`, a line feed, and H.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

_TEXTS = ("previousHash", "time", "actor", "request", "step", "kind", "planHash", "result", "operationId", "key")
_NUMBERS = ("sequence", "attempt", "fence", "requestPrevious")
_PARTS = frozenset({"hash", "record", "signature"})
_FIELDS = frozenset({*_TEXTS, *_NUMBERS, "detail"})
_KINDS = frozenset(
    {
        *("proposed", "posted", "voted", "decided", "intent", "outcome"),
        *("verified", "undone", "frozen", "policy changed", "checkpoint", "key changed", "acquired", "corrected"),
        *("protected", "acts paused", "acts resumed", "snoozed", "woken", "act denied", "watched"),
    }
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_HEX = re.compile(r"[0-9a-f]{64}")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_LEVELS = 100
"""So deep may lists and objects stand in each other; deeper ones are no record's, and would exhaust the stack."""
_KEYS = 512
"""How many keys are remembered with their quotes: a ledger has the same few everywhere."""
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_FIRST_PRINTABLE = 0x20


class NotARecord(ValueError):
    """The line is not what a writer of this ledger writes."""


def canonical(value: Any, levels: int = _LEVELS) -> str:
    """Return the canonical text of a parsed JSON value.

    Raises:
        NotARecord: a float, something that JSON does not know, or more than `levels` levels of lists and objects.
    """
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict) and levels:
        return "{" + ",".join([f"{_key(key)}:{canonical(value[key], levels - 1)}" for key in sorted(value)]) + "}"
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list) and levels:
        return "[" + ",".join([canonical(item, levels - 1) for item in value]) + "]"
    if not levels:
        raise NotARecord(f"it has more than {_LEVELS} levels")
    raise NotARecord(f"{type(value).__name__} has no canonical form")


def _quoted(text: str) -> str:
    # Nearly every text needs no escape, and this is asked seventy times for each record.
    return f'"{text}"' if _PLAIN.fullmatch(text) else f'"{"".join(map(_escaped, text))}"'


_key = lru_cache(_KEYS)(_quoted)


def _escaped(character: str) -> str:
    short = _SHORT.get(character)
    if short is not None:
        return short
    return f"\\u{ord(character):04x}" if ord(character) < _FIRST_PRINTABLE else character


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical bytes of a value that `parse` has read."""
    # Without floats, which it never reads, the standard library writes the same text many times as fast.
    return _digest_of(_written(value))


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def parse(line: str) -> tuple[str, dict[str, Any], str]:
    """Return the hash written on the line, the record and the signature, which is not checked here.

    Raises:
        NotARecord: wrong JSON, fields, types or hash, or a text that is not canonical.
    """
    return _usual(line) or _any(line)


def _usual(line: str) -> tuple[str, dict[str, Any], str] | None:
    """Return what `parse` does of a line as writers write it; None leaves the line to `_any`.

    One expression holds the rules for everything but `detail`, which the standard library reads and writes again: a key
    that stands twice, a float or white space never come out of it as they went in. That is many times as fast as the
    rules in their own words (`test_audit_verify_form.py` holds both together).
    """
    found = _LINE.fullmatch(line)
    if found is None or line.count("[") + line.count("{") > _LEVELS:
        return None
    written, text, *values, signature = found.groups()
    record: dict[str, Any] = dict(zip(_ORDER, values, strict=True))
    detail = _usual_detail(record["detail"])
    if detail is None or _digest_of(text) != written:
        return None
    try:
        datetime.fromisoformat(record["time"])
    except ValueError:
        return None
    record["detail"] = detail
    for name in _NUMBERS:
        record[name] = int(record[name])
    return written, record, signature


def _usual_detail(text: str) -> dict[str, Any] | None:
    if text == "{}":
        return {}
    try:
        detail, end = _SCAN(text, 0)
        return detail if end == len(text) and isinstance(detail, dict) and _written(detail) == text else None
    except (ValueError, RecursionError, StopIteration):  # The last one is what `scan_once` says where no value begins.
        return None


def _any(line: str) -> tuple[str, dict[str, Any], str]:
    """Return what `parse` does, by the rules in their own words; says of every line what is wrong with it."""
    try:
        document = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        raise NotARecord(f"not canonical JSON: {error}") from error
    if not isinstance(document, dict) or set(document) != _PARTS:
        raise NotARecord("a line holds exactly hash, record and signature")
    if not isinstance(document["signature"], str):
        raise NotARecord("the signature is not a string")
    written, record = document["hash"], document["record"]
    _check_fields(record)
    text = canonical(record)
    if f'{{"hash":{canonical(written)},"record":{text},"signature":{canonical(document["signature"])}}}' != line:
        raise NotARecord("the text is not in canonical form")
    if _digest_of(text) != written:
        raise NotARecord("the record does not have the hash written beside it")
    return written, record, document["signature"]


def _check_fields(record: Any) -> None:
    if not isinstance(record, dict) or set(record) != _FIELDS:
        raise NotARecord("the record does not have exactly the fields of the format")
    if not all(isinstance(record[name], str) for name in _TEXTS) or not isinstance(record["detail"], dict):
        raise NotARecord("a field has the wrong type")
    if not all(type(record[name]) is int and record[name] >= 0 for name in _NUMBERS):
        raise NotARecord("sequence, attempt, fence and requestPrevious are whole numbers from 0 on")
    if record["kind"] not in _KINDS:
        raise NotARecord(f"unknown kind {record['kind']!r}")
    if not _TIME.fullmatch(record["time"]) or not _HEX.fullmatch(record["previousHash"]):
        raise NotARecord("time or previousHash is malformed")
    try:
        datetime.fromisoformat(record["time"])
    except ValueError as error:
        raise NotARecord(f"no such time: {record['time']}") from error
    if not record["operationId"]:
        raise NotARecord("the operation id is empty")


def _without_duplicates(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise NotARecord(f"key {key!r} stands twice")
        result[key] = value
    return result


def _no_float(text: str) -> NoReturn:
    raise NotARecord(f"{text} is not a whole number")


def _line_expression() -> re.Pattern[str]:
    """Return the form of a line whose texts need no escapes, but for what stands in `detail`."""
    forms = dict.fromkeys(_TEXTS, r'"(?P<{}>[^"\\\x00-\x1f]*)"') | dict.fromkeys(
        _NUMBERS, "(?P<{}>0|[1-9][0-9]{{0,17}})"
    )
    forms |= {
        "detail": r"(?P<{}>\{{.*\}})",
        "kind": f'"(?P<{{}}>{"|".join(sorted(_KINDS))})"',
        "operationId": r'"(?P<{}>[^"\\\x00-\x1f]+)"',
        "previousHash": '"(?P<{}>[0-9a-f]{{64}})"',
        "time": r'"(?P<{}>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}\.[0-9]{{6}}Z)"',
    }
    record = ",".join(f'"{name}":{forms[name].format(name)}' for name in _ORDER)
    hashed = '"hash":"(?P<hash>[0-9a-f]{64})"'
    signed = r'"signature":"(?P<signature>[^"\\\x00-\x1f]*)"'
    return re.compile(rf'\{{{hashed},"record":(?P<record>\{{{record}\}}),{signed}\}}')


_ORDER = tuple(sorted(_FIELDS))
_LINE = _line_expression()
_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_float=_no_float, parse_constant=_no_float)
_FAST = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_READER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
_SCAN: Callable[[str, int], tuple[Any, int]] = getattr(_READER, "scan_once", _READER.raw_decode)


def _made() -> Callable[[Any, int], Iterable[str]]:
    """Return what `_FAST.encode` makes anew for each value, where the library is the one in C.

    Nothing that was parsed holds itself: nobody has to watch for that.
    """
    make, quote = (getattr(json.encoder, name, None) for name in ("c_make_encoder", "c_encode_basestring"))
    if make is None or quote is None:
        return lambda value, _level: (_FAST.encode(value),)
    made: Callable[[Any, int], Iterable[str]] = make(None, _FAST.default, quote, None, ":", ",", True, False, True)
    return made


_ENCODE = _made()


def _written(value: Any) -> str:
    """Return what `_FAST.encode` does."""
    return "".join(_ENCODE(value, 0))
