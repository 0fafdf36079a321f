"""An AWS double with a person who may do everything to buckets; and one who may write the ledger and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.support.locked_buckets import ESTATE, OWNER_ARN, Buckets

from finops_sandbox.aws.double import AwsDouble


@pytest.fixture(scope="module")
def _buckets() -> Iterator[Buckets]:
    with AwsDouble(ESTATE) as double, pytest.MonkeyPatch.context() as patch:
        for name in [one for one in os.environ if one.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in double.environment().items():
            patch.setenv(name, value)
        yield Buckets(double, double.client("s3", user_arn=OWNER_ARN))


@pytest.fixture
def buckets(_buckets: Buckets) -> Iterator[Buckets]:
    """What the operator's own identity in the environment may write, and a person with all rights owns."""
    yield _buckets
    _buckets.double.control.clear_faults()
    _buckets.close()
