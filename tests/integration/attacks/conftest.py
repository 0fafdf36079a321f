"""Doubles, a store with the chart's users, and how many sequences are tried."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from tests.chaos.chaos_world import Doubles, running_doubles
from tests.support.valkey import running_guarded_valkey

from finops_sandbox.kubernetes import User

EDITOR = "mallory"
RUN, LOOSE = 2, 1
"""Records of a packed run, and at the end that are not packed: a request has few."""


@pytest.fixture(scope="module", autouse=True)
def short_runs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("finops.ledger.sinks.LOOSE", LOOSE)
        for module in ("packed_records", "ledger"):
            patched.setattr(f"finops.store.{module}.RECORDS", RUN)
        yield


@pytest.fixture(scope="module")
def world() -> Iterator[Doubles]:
    before = dict(os.environ)
    with (
        running_guarded_valkey() as valkey,
        # Slow enough for a list of members to be fresh from a step to the next but one.
        running_doubles(valkey, prefix="finops:", speed=5.0, strangers=[User(EDITOR)]) as made,
    ):
        os.environ.update(made.aws.environment())
        # Votes made in the five seconds after the admission policies were installed do not count.
        time.sleep(6.1)
        yield made
    os.environ.clear()
    os.environ.update(before)
