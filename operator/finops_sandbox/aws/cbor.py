"""CBOR (RFC 8949) as far as Smithy's RPC v2 protocol needs it, tuned for long runs of numbers.

boto3 speaks this to CloudWatch. The wire module calls :func:`decode` for requests and :func:`encode` for answers.
"""

import struct
from array import array
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

_DOUBLE = b"\xfb"
_EPOCH_TAG = b"\xc1"
_BREAK = object()


@dataclass(frozen=True, slots=True)
class Timestamps:
    """Epoch seconds that go out as CBOR times; a tuple, so that equal runs are encoded once."""

    seconds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Doubles:
    """Float values that go out as one packed array."""

    values: list[float]


def _head(major: int, value: int) -> bytes:
    prefix = major << 5
    if value < 24:
        return bytes((prefix | value,))
    if value < 0x100:
        return struct.pack(">BB", prefix | 24, value)
    if value < 0x10000:
        return struct.pack(">BH", prefix | 25, value)
    if value < 0x100000000:
        return struct.pack(">BI", prefix | 26, value)
    return struct.pack(">BQ", prefix | 27, value)


@lru_cache(maxsize=256)
def _encode_timestamps(seconds: tuple[int, ...]) -> bytes:
    return _head(4, len(seconds)) + b"".join(_EPOCH_TAG + _head(0, second) for second in seconds)


def _encode_doubles(values: list[float]) -> bytes:
    count = len(values)
    packed = array("d", values)
    if struct.pack("=H", 1) != struct.pack(">H", 1):
        packed.byteswap()
    raw = packed.tobytes()
    body = bytearray(9 * count)
    body[0::9] = _DOUBLE * count
    for offset in range(8):
        body[offset + 1 :: 9] = raw[offset::8]
    return _head(4, count) + bytes(body)


def encode(value: Any) -> bytes:
    """Encode plain Python values, aware datetimes, :class:`Timestamps` and :class:`Doubles`.

    Raises:
        TypeError: for any other type.
    """
    parts: list[bytes] = []
    _encode_into(value, parts)
    return b"".join(parts)


def _encode_into(value: Any, parts: list[bytes]) -> None:
    if isinstance(value, str):
        raw = value.encode()
        parts.append(_head(3, len(raw)) + raw)
    elif value is None or isinstance(value, bool):
        parts.append({None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value])
    elif isinstance(value, int):
        parts.append(_head(0, value) if value >= 0 else _head(1, -1 - value))
    elif isinstance(value, float):
        parts.append(_DOUBLE + struct.pack(">d", value))
    elif isinstance(value, Doubles | Timestamps | datetime):
        parts.append(_encode_ours(value))
    elif isinstance(value, dict):
        parts.append(_head(5, len(value)))
        for key, item in value.items():
            _encode_into(key, parts)
            _encode_into(item, parts)
    elif isinstance(value, list | tuple):
        parts.append(_head(4, len(value)))
        for item in value:
            _encode_into(item, parts)
    elif isinstance(value, bytes):
        parts.append(_head(2, len(value)) + value)
    else:
        raise TypeError(f"cannot encode {type(value).__name__} as CBOR")


def _encode_ours(value: Doubles | Timestamps | datetime) -> bytes:
    if isinstance(value, Doubles):
        return _encode_doubles(value.values)
    if isinstance(value, Timestamps):
        return _encode_timestamps(value.seconds)
    return _EPOCH_TAG + _DOUBLE + struct.pack(">d", value.timestamp())


def decode(data: bytes) -> Any:
    """Decode one CBOR item; tag 1 becomes its epoch number.

    Raises:
        ValueError: when the data is truncated, followed by rubbish, or uses a feature Smithy does not.
    """
    try:
        value, end = _decode_at(data, 0)
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise ValueError("truncated or malformed CBOR") from error
    if end != len(data):
        raise ValueError("data after the CBOR item")
    return value


def _argument(data: bytes, info: int, at: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    widths = {24: ("B", 1), 25: (">H", 2), 26: (">I", 4), 27: (">Q", 8)}
    if info not in widths:
        raise ValueError(f"unknown CBOR length {info}")
    code, width = widths[info]
    return int(struct.unpack_from(code, data, at)[0]), at + width


def _decode_at(data: bytes, at: int) -> tuple[Any, int]:
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _decode_simple(data, info, at)
    if info == 31:
        return _decode_indefinite(data, major, at)
    number, at = _argument(data, info, at)
    if major in {0, 1}:
        return (number if major == 0 else -1 - number), at
    if major in {2, 3}:
        raw = data[at : at + number]
        if len(raw) != number:
            raise ValueError("truncated or malformed CBOR")
        return (raw if major == 2 else raw.decode()), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _decode_at(data, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = {}
        for _ in range(number):
            key, at = _decode_at(data, at)
            pairs[key], at = _decode_at(data, at)
        return pairs, at
    if number != 1:
        raise ValueError(f"unknown CBOR tag {number}")
    return _decode_at(data, at)


def _decode_simple(data: bytes, info: int, at: int) -> tuple[Any, int]:
    constants = {20: False, 21: True, 22: None, 23: None, 31: _BREAK}
    if info in constants:
        return constants[info], at
    floats = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
    if info not in floats:
        raise ValueError(f"unknown CBOR simple value {info}")
    code, width = floats[info]
    return float(struct.unpack_from(code, data, at)[0]), at + width


def _decode_indefinite(data: bytes, major: int, at: int) -> tuple[Any, int]:
    items = []
    while True:
        item, at = _decode_at(data, at)
        if item is _BREAK:
            break
        items.append(item)
    if major == 4:
        return items, at
    if major == 5:
        return dict(zip(items[0::2], items[1::2], strict=True)), at
    if major == 3:
        return "".join(items), at
    if major == 2:
        return b"".join(items), at
    raise ValueError("unknown indefinite CBOR item")
