"""The double's price list refuses what AWS refuses: endpoints, parameters, filters, tokens of other requests."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.price_list import HANDLERS

WORD = {"Type": "TERM_MATCH", "Field": "group", "Value": "AWSTransitGateway"}


def asked(region: str = "us-east-1", **parameters: Any) -> dict[str, Any]:
    """Return the double's answer; it reads no estate, since the list is the same for all accounts."""
    nothing = cast("Any", None)
    given = {"ServiceCode": "AmazonVPC", **parameters}
    call = Call("pricing", "GetProducts", "111111111111", region, nothing, given, nothing)
    answer: dict[str, Any] = json.loads(HANDLERS["pricing", "GetProducts"](call).body)
    return answer


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "ap-south-1"])
def test_three_regions_have_an_endpoint_and_answer_alike(region: str) -> None:
    assert asked(region) == asked()
    assert len(asked(region, Filters=[WORD])["PriceList"]) == 4


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "cn-north-1"])
def test_no_other_region_has_one(region: str) -> None:
    with pytest.raises(AwsError) as refused:
        asked(region)
    assert refused.value.code == "UnrecognizedClientException"


@pytest.mark.parametrize(
    "parameters",
    [
        {"ServiceCode": "AmazonFax"},
        {"ServiceCode": None},
        {"FormatVersion": "aws_v2"},
        {"MaxResults": 0},
        {"MaxResults": 101},
        {"MaxResults": "100"},
        {"Region": "us-east-1"},
        {"Filters": [{**WORD, "Type": "CONTAINS"}]},
        {"Filters": [{**WORD, "Type": "term_match"}]},
        {"Filters": [{**WORD, "Field": "colour"}]},
        {"Filters": [{**WORD, "Value": ""}]},
        {"Filters": [{**WORD, "Value": "x" * 1025}]},
        {"Filters": [{"Field": "group", "Value": "AWSTransitGateway"}]},
        {"Filters": [WORD] * 51},
    ],
)
def test_what_the_reference_does_not_allow_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(AwsError) as refused:
        asked(**parameters)
    assert refused.value.code == "InvalidParameterException"


def test_pages_are_read_to_the_end_by_the_token_of_the_same_request_alone() -> None:
    first = asked(Filters=[WORD], MaxResults=3)
    second = asked(Filters=[WORD], MaxResults=3, NextToken=first["NextToken"])
    assert [len(page["PriceList"]) for page in (first, second)] == [3, 1]
    assert "NextToken" not in second
    assert first["PriceList"] + second["PriceList"] == asked(Filters=[WORD])["PriceList"]
    for other in ({"MaxResults": 3}, {"Filters": [WORD], "MaxResults": 2}):
        with pytest.raises(AwsError) as refused:
            asked(**other, NextToken=first["NextToken"])
        assert refused.value.code == "InvalidNextTokenException"
