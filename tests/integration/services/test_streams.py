"""Kinesis streams on moto's servers: a scan lists them with their shards."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_streams_are_listed_with_their_shards(aws: AwsDouble, scanned: Scan) -> None:
    kinesis = aws.client("kinesis", role=MAKER)
    for name in ("events", "clicks"):
        kinesis.create_stream(StreamName=name, ShardCount=2)
    outcome = scanned("kinesis-stream")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == ["clicks", "events"]
    assert (found["events"]["state"], found["events"]["monthlyCost"]) == ("active", None)
    assert (found["events"]["attributes"]["shards"], found["events"]["attributes"]["retention_hours"]) == (2, 24)


def test_the_price_list_is_asked_once_a_day_where_the_policy_wants_it(aws: AwsDouble, scanned: Scan) -> None:
    aws.client("kinesis", role=MAKER).create_stream(StreamName="events", ShardCount=2)
    asked = {"pricing": {"priceList": True}}
    outcome = scanned("kinesis-stream", **asked)
    assert outcome.summary.gaps == ()
    assert outcome.summary.api_calls["pricing:GetProducts"] == aws.counts["pricing:GetProducts"] == 1
    (stream,) = report_of(outcome)["resources"]
    assert (stream["monthlyCost"], stream["price"]["source"]) == ("21.90", "price-list")
    again = scanned("kinesis-stream", **asked)
    assert again.summary.monthly_cost == outcome.summary.monthly_cost == Decimal("21.90")
    assert aws.counts["pricing:GetProducts"] == 1


def test_what_the_list_could_not_be_asked_for_has_no_price_and_is_one_gap(aws: AwsDouble, scanned: Scan) -> None:
    aws.client("kinesis", role=MAKER).create_stream(StreamName="events", ShardCount=2)
    aws.control.inject({"kind": "deny", "service": "pricing", "action": "GetProducts"})
    outcome = scanned("kinesis-stream", pricing={"priceList": True})
    (gap,) = outcome.summary.gaps
    assert gap.message == "AWS's price list could not be asked: allow pricing:GetProducts"
    assert [one["monthlyCost"] for one in report_of(outcome)["resources"]] == [None]


def test_the_double_pages_and_refuses_what_aws_does_not_filter_by(aws: AwsDouble) -> None:
    pricing = aws.client("pricing", role=MAKER)
    pages = pricing.get_paginator("get_products").paginate(ServiceCode="AmazonKinesis", MaxResults=1)
    found = [json.loads(text)["product"]["sku"] for page in pages for text in page["PriceList"]]
    assert len(found) == len(set(found)) == 3
    word = {"Type": "TERM_MATCH", "Value": "x"}
    for request in (
        {"ServiceCode": "AmazonFax"},
        {"ServiceCode": "AmazonVPC", "Filters": [{**word, "Field": "colour"}]},
        {"ServiceCode": "AmazonVPC", "Filters": [{**word, "Field": "group", "Type": "CONTAINS"}]},
        {"ServiceCode": "AmazonVPC", "FormatVersion": "aws_v2"},
        {"ServiceCode": "AmazonVPC", "MaxResults": 101},
    ):
        with pytest.raises(pricing.exceptions.InvalidParameterException):
            pricing.get_products(**request)
    token = pricing.get_products(ServiceCode="AmazonKinesis", MaxResults=1)["NextToken"]
    for request in ({"NextToken": "sandbox-99"}, {"NextToken": token, "MaxResults": 2}):
        with pytest.raises(pricing.exceptions.InvalidNextTokenException):
            pricing.get_products(ServiceCode="AmazonKinesis", **request)


def test_the_double_slows_down_as_the_price_list_does(aws: AwsDouble) -> None:
    pricing = aws.client("pricing", role=MAKER)
    aws.control.inject({"kind": "throttle", "service": "pricing", "action": "GetProducts"})
    with pytest.raises(pricing.exceptions.ClientError) as slowed:
        pricing.get_products(ServiceCode="AmazonKinesis")
    assert slowed.value.response["Error"]["Code"] == "ThrottlingException"
