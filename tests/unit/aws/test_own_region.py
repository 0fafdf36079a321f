"""Where the process is at home in AWS, by its own environment."""

from __future__ import annotations

import pytest

from finops_operator.aws.counting import CallCounter
from finops_operator.aws.own_identity import own_region, region_of
from finops_operator.aws.session import SdkSessions


@pytest.mark.parametrize(
    ("environment", "region"),
    [
        ({"AWS_REGION": "cn-north-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "cn-north-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({}, ""),
    ],
)
def test_the_region_that_aws_gives_its_own_programs_comes_before_the_sdks(
    environment: dict[str, str], region: str
) -> None:
    assert region_of(environment) == region


def test_without_a_region_anywhere_none_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert own_region(SdkSessions(CallCounter()), {}) == ""
    assert own_region(SdkSessions(CallCounter()), {"AWS_REGION": "eusc-de-east-1"}) == "eusc-de-east-1"
