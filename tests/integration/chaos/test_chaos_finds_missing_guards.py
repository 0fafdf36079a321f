"""Chaos runs on operators from which one guard was taken out: each must break the promise that the guard keeps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from tests.chaos.chaos_cases import Case
from tests.chaos.chaos_checker import Broken
from tests.chaos.chaos_run import Run
from tests.chaos.chaos_world import ChaosWorld, running_world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def chaos_world() -> Iterator[ChaosWorld]:
    before = dict(os.environ)
    with running_world() as world:
        # Votes made in the five seconds after the admission policies were installed do not count.
        time.sleep(6.1)
        yield world
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("without", "case", "broken"),
    [
        ("votes", "ec2_instance_stop/forward//", Broken.UNAPPROVED),
        ("lease", "ec2_instance_resize/forward/aws.before:1/pause", Broken.TWICE),
        ("deadline", "ec2_instance_resize/forward/aws.sending:1/pause", Broken.TWICE),
        ("rollback", "ec2_instance_resize/turned-back//", Broken.STOPPED),
    ],
)
def test_without_a_guard_the_promise_that_it_keeps_is_broken_and_with_it_kept(
    without: str, case: str, broken: Broken, chaos_world: ChaosWorld
) -> None:
    # With this seed the process that stood still wakes when the other one has ended the act.
    unguarded = Run(chaos_world, Case.of(case), 2, without=without).carry_out()
    assert unguarded.reached
    assert broken in {one.broken for one in unguarded.violations}, unguarded

    guarded = Run(chaos_world, Case.of(case), 2).carry_out()

    assert (guarded.reached, guarded.violations) == (True, ())
