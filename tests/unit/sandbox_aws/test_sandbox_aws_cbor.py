"""The CBOR codec: round trips, and both directions against the SDK's own implementation."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from hypothesis import given
from hypothesis import strategies as st

from finops_sandbox.aws.cbor import Doubles, Timestamps, decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=20,
)


def sdk_decode(data: bytes) -> Any:
    return RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(data)))


@given(VALUES)
def test_what_is_encoded_is_decoded_again(value: Any) -> None:
    assert decode(encode(value)) == value


def without_nulls(value: Any) -> Any:
    """The SDK leaves null members of a map out, as Smithy wants it."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_the_sdk_reads_what_is_encoded(value: Any) -> None:
    assert sdk_decode(encode(value)) == without_nulls(value)


@given(st.text(max_size=300), st.floats(allow_nan=False), st.integers(-(2**63), 2**64 - 1))
def test_what_the_sdk_writes_is_decoded(text: str, number: float, whole: int) -> None:
    serializer = RpcV2CBORSerializer()
    for value, write in (
        (text, serializer._serialize_type_string),
        (number, serializer._serialize_type_double),
        (whole, serializer._serialize_type_integer),
    ):
        written = bytearray()
        write(written, value, None, None)
        assert decode(bytes(written)) == value


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=300))
def test_packed_doubles_are_an_ordinary_array(values: list[float]) -> None:
    assert encode(Doubles(values)) == encode(values)


def test_timestamps_carry_the_epoch_tag() -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)
    seconds = int(moment.timestamp())
    assert sdk_decode(encode(Timestamps((seconds, seconds + 300))))[0] == moment
    assert decode(encode(moment)) == float(seconds)


@pytest.mark.parametrize("data", [b"", b"\x83\x01", b"\x01\x02", b"\xfe", b"\xc2\x01", b"\x7f\x61", b"\x62\xff\xff"])
def test_malformed_data_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"CBOR"):
        decode(data)


def test_items_of_unknown_length_are_read() -> None:
    assert decode(b"\xbf\x61a\x9f\x01\x02\xff\x61b\x7f\x61x\x61y\xff\xff") == {"a": [1, 2], "b": "xy"}


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        encode({1, 2})
