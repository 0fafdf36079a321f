"""The SDK's descriptions of services are kept without their texts for people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.session import Session

from finops_operator.aws.counting import CallCounter
from finops_operator.aws.session import SdkSessions, read_config


def test_a_service_description_is_kept_without_its_documentation_and_still_works() -> None:
    sdk = SdkSessions(CallCounter())
    session = sdk.with_keys("AKIAEXAMPLE", "secret", "")
    client = sdk.client(session, "logs", "us-east-1", read_config())

    kept = session.get_component("data_loader").load_service_model("logs", "service-2")

    assert all(not shape.get("documentation") for shape in kept["shapes"].values())
    assert len(json.dumps(kept)) < 250_000
    # The SDK reads into ordered ones, which need twice the memory.
    assert {type(kept), type(kept["shapes"]), type(kept["shapes"]["LogGroup"])} == {dict}
    assert client.meta.service_model.operation_model("DescribeLogGroups").input_shape.members


def without_documentation(read: Any) -> Any:
    """Return what the SDK has read as this project keeps it, in the same order."""
    if isinstance(read, list):
        return [without_documentation(one) for one in read]
    if not isinstance(read, dict):
        return read
    return {
        name: "" if name == "documentation" and isinstance(one, str) else without_documentation(one)
        for name, one in read.items()
    }


@pytest.mark.parametrize(
    "name", ["endpoints", "partitions", "cloudwatch/2010-08-01/service-2", "s3/2006-03-01/service-2"]
)
def test_all_else_is_as_the_sdk_reads_it(name: str) -> None:
    theirs = Session().get_component("data_loader").load_data(name)
    session = SdkSessions(CallCounter()).with_keys("AKIAEXAMPLE", "secret", "")
    kept = session.get_component("data_loader").load_data(name)
    assert json.dumps(kept) == json.dumps(without_documentation(theirs))


def test_a_file_that_is_not_there_is_none_as_the_sdk_expects() -> None:
    session = SdkSessions(CallCounter()).with_keys("AKIAEXAMPLE", "secret", "")
    loader = session.get_component("data_loader")
    assert loader.file_loader.load_file("/no/such/file") is None
