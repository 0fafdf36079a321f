"""Why AWS refused a call, in a sentence where people would not know the code."""

from __future__ import annotations

import pytest
from tests.support.action_cases import INSTANCE

from finops.domain.execution import Observation
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

PLAN = RESIZE.plan(
    INSTANCE, {"instanceType": "m5.large"}, {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0"}
)


@pytest.mark.parametrize(
    ("step", "kind", "code", "sentence"),
    [
        ("start", "m5.large", "InsufficientInstanceCapacity", "AWS had no m5.large capacity in us-east-1a."),
        ("start_again", "m5.xlarge", "InsufficientInstanceCapacity", "AWS had no m5.xlarge capacity in us-east-1a."),
        ("start", "m5.large", "VcpuLimitExceeded", "The account's vCPU limit leaves no room for m5.large."),
        ("start", "m5.large", "UnauthorizedOperation", ""),
        ("stop", "m5.large", "InsufficientInstanceCapacity", ""),
    ],
)
def test_a_start_that_finds_no_room_is_said_in_words(step: str, kind: str, code: str, sentence: str) -> None:
    now = Observation(True, {}, {"instanceType": kind, "zone": "us-east-1a"})
    assert RESIZE.procedure.refused(PLAN, now, step, code) == sentence
    assert STOP.procedure.refused(PLAN, now, step, code) == sentence


def test_without_a_zone_the_sentence_still_reads() -> None:
    said = RESIZE.procedure.refused(PLAN, Observation(True), "start", "InsufficientInstanceCapacity")
    assert said == "AWS had no such capacity in its availability zone."
