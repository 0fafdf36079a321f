"""What AWS refuses for a time only: nothing was changed, and the act waits for a later scan."""

from __future__ import annotations

import pytest
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import prepare, run_to_end
from tests.support.act_world import World

from finops.domain.decision import State
from finops_operator.decisions.pauses import FAILED
from finops_operator.rules.candidates import QUIET_AFTER
from finops_sandbox.aws.double import AwsDouble


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("VolumeModificationRateExceeded", "it allows four in 24 hours. Nothing was changed."),
        ("IncorrectModificationState", "the last one is not completed. Nothing was changed."),
    ],
)
def test_a_volume_that_aws_does_not_change_today_is_no_failure_and_is_not_left_alone_for_a_week(
    world: World, aws: AwsDouble, code: str, said: str
) -> None:
    request, ledger = prepare(world, "ebs_volume_modify")
    aws.control.inject({"kind": "error", "service": "ec2", "action": "ModifyVolume", "code": code, "status": 400})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE, result
    assert result.message.endswith(said)
    assert not effects(aws.calls)
    assert State.STALE not in FAILED
    assert State.STALE not in QUIET_AFTER
    check(aws.calls, world.ledger_path, session=request.name)


def test_another_refusal_of_the_same_call_is_a_failure_as_before(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_modify")
    aws.control.inject(
        {"kind": "error", "service": "ec2", "action": "ModifyVolume", "code": "InvalidParameterValue", "status": 400}
    )
    assert run_to_end(world, request, ledger).state is State.ROLLED_BACK
