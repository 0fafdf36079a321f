"""`finops prices lookup --price-list` against the double: source and number of a figure, or why there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.integration.cli.aws_process import AwsProcess
from tests.integration.cli.conftest import Ended, Finops
from tests.support.own_credentials import reading_credentials

ASKED = ("prices", "lookup", "--region", "us-east-1", "--price-list", "-o", "json", "--figure")


@pytest.fixture
def reader(aws: AwsProcess, shell: pytest.MonkeyPatch) -> AwsProcess:
    """A shell with credentials that may read one account, GetProducts among it."""
    for name, value in reading_credentials(aws.environment(), "111111111111").items():
        shell.setenv(name, value)
    return aws


def figures(ended: Ended) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


@pytest.mark.usefixtures("reader")
def test_a_figure_of_the_price_list_has_its_number_and_the_day_it_was_asked(finops: Finops) -> None:
    ended = finops(*ASKED, "kinesis/shard_hour")
    assert ended.code == 0, ended.err
    (figure,) = figures(ended)
    assert (figure["source"], figure["sku"], figure["amount"]) == ("price-list", "SANDBOXSHARDHOUR", "0.0150000000")
    assert figure["asOf"]


@pytest.mark.usefixtures("reader")
def test_a_figure_of_one_type_is_asked_for_with_the_type(finops: Finops) -> None:
    ended = finops(*ASKED, "sagemaker/notebook_hour/ml.t3.medium")
    assert ended.code == 0, ended.err
    (figure,) = figures(ended)
    assert (figure["sku"], figure["amount"]) == ("SANDBOXNOTEBKMLT3", "0.0500000000")
    for wrong, right in (
        ("sagemaker/notebook_hour", "sagemaker/notebook_hour/INSTANCE_TYPE"),
        ("sagemaker/notebook_hour/", "sagemaker/notebook_hour/INSTANCE_TYPE"),
        ("kinesis/shard_hour/more", "kinesis/shard_hour,"),
    ):
        refused = finops(*ASKED, wrong)
        assert refused.code == 2
        assert right in refused.err


@pytest.mark.usefixtures("aws")
def test_without_the_right_the_figure_is_unknown_and_the_right_is_named(finops: Finops) -> None:
    # The operator's own identity may assume roles and nothing else.
    ended = finops(*ASKED, "kinesis/shard_hour")
    assert (ended.code, ended.out) == (1, "")
    assert "allow pricing:GetProducts" in ended.err


@pytest.mark.usefixtures("reader")
def test_a_region_in_which_the_list_has_no_product_has_no_price_and_says_so(finops: Finops) -> None:
    ended = finops("prices", "lookup", "--region", "eu-west-3", "--price-list", "--figure", "kinesis/shard_hour")
    assert (ended.code, ended.out) == (1, "")
    assert "AWS's price list has no product for it" in ended.err
