"""Fixtures of the act tests: one AWS double for the folder, its estate fresh for every test, and a world on it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.act_world import ESTATE, FastClock, World

from finops_sandbox.aws.double import AwsDouble, Delays

_DELAYS = Delays(
    state_seconds=0.03,
    status_check_seconds=0.03,
    snapshot_seconds=0.03,
    modification_seconds=0.03,
    database_seconds=0.03,
)


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=_DELAYS) as double:
        yield double


@pytest.fixture
def aws(aws_double: AwsDouble, monkeypatch: pytest.MonkeyPatch) -> AwsDouble:
    aws_double.control.reset()
    for name, value in aws_double.environment().items():
        monkeypatch.setenv(name, value)
    return aws_double


@pytest.fixture
def world(aws: AwsDouble, valkey_url: str, tmp_path: Path) -> World:
    return World(valkey_url, f"act-{uuid.uuid4().hex}:", tmp_path / "ledger.jsonl", FastClock(time.time()))
