"""The SDK's descriptions of services are kept without their texts for people."""

from __future__ import annotations

import json

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
