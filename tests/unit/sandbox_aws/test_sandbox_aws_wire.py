"""CBOR bodies as the SDK writes and reads them."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from hypothesis import given
from hypothesis import strategies as st

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Timestamps, decode_cbor, operation_model, parse_document, write_document

MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


def sdk_decode(data: bytes) -> Any:
    return RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(data)))


@given(st.lists(st.floats(allow_nan=False), max_size=50), st.text(max_size=50), st.integers(0, 2**40))
def test_the_sdk_reads_numbers_texts_and_times_of_an_answer(values: list[float], text: str, second: int) -> None:
    second %= 4_000_000_000
    answer = write_document("cbor", {"Values": values, "Label": text, "Timestamps": Timestamps((second,)), "No": None})
    assert sdk_decode(answer.body) == {
        "Values": values,
        "Label": text,
        "Timestamps": [datetime.fromtimestamp(second, UTC)],
    }


def test_a_request_that_the_sdk_wrote_is_read_with_its_times() -> None:
    operation = operation_model("monitoring", "GetMetricData")
    sent = {"MetricDataQueries": [{"Id": "a"}], "StartTime": MOMENT, "EndTime": MOMENT, "MaxDatapoints": 5}
    body = RpcV2CBORSerializer().serialize_to_request(sent, operation)["body"]
    assert parse_document(operation, decode_cbor(body)) == sent


@pytest.mark.parametrize("data", [b"\x83\x01", b"\x01\x02", b"\xfe", b"\x7f\x61", b"\x62\xff\xff"])
def test_malformed_cbor_is_a_serialization_error(data: bytes) -> None:
    with pytest.raises(AwsError, match="SerializationException"):
        decode_cbor(data)


def test_a_value_that_cbor_has_no_form_for_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        write_document("cbor", {"Values": object()})
