"""A dry run says what AWS would say: refused is no success, and no answer is asked for again."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.act.act_checker import effects, records
from tests.integration.act.act_story import prepare, run_to_end
from tests.support.act_world import World

from finops.audit_verify import verify
from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.store.connection import open_store
from finops.store.realized import StoredSavings
from finops_sandbox.aws.double import AwsDouble


def asked(aws: AwsDouble) -> Counter[str]:
    return Counter(call.action for call in aws.calls if call.dry_run)


def test_a_dry_run_that_aws_refuses_is_no_success_and_says_what_each_call_met(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "ModifyInstanceAttribute"})
    result = run_to_end(world, replace(request, dry_run=True), ledger)
    assert result.state is State.ROLLED_BACK
    assert result.message == (
        "Dry run, nothing was changed: ec2:StopInstances is permitted, "
        "ec2:ModifyInstanceAttribute is refused (UnauthorizedOperation), ec2:StartInstances is permitted."
    )
    assert [(report.state, report.message) for report in world.status.reports] == [(result.state, result.message)]
    assert effects(aws.calls) == {}
    assert verify(world.ledger_path.read_text(encoding="utf-8").splitlines()).problems == ()
    assert list(StoredSavings(open_store(world.redis_url, prefix=world.prefix)).read()) == []


@pytest.mark.parametrize(
    "fault",
    [{"kind": "throttle"}, {"kind": "http_error", "status": 503}, {"kind": "drop_before"}, {"kind": "drop_after"}],
)
def test_a_dry_run_without_a_clear_answer_is_asked_again_and_the_other_calls_are_not(
    fault: dict[str, Any], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    dry = replace(request, dry_run=True)
    aws.control.inject({"service": "ec2", "action": "ModifyInstanceAttribute", "count": 1, **fault})
    waiting = world.executor(ledger).run(dry)
    assert waiting.state is None
    assert waiting.message.startswith("Waiting: the dry run of ec2:ModifyInstanceAttribute had no clear answer: ")
    assert [record["step"] for record in records(world.ledger_path) if record["result"] == "dry-run"] == ["stop"]
    assert run_to_end(world, dry, ledger).state is State.SUCCEEDED
    assert asked(aws) == {"StopInstances": 1, "ModifyInstanceAttribute": 2, "StartInstances": 1}
    codes = [record["detail"]["code"] for record in records(world.ledger_path) if record["result"] == "dry-run"]
    assert codes == ["DryRunOperation"] * 3


def test_a_dry_run_that_never_gets_an_answer_expires(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ec2_instance_stop")
    dry = replace(request, dry_run=True)
    aws.control.inject({"kind": "throttle", "service": "ec2", "action": "StopInstances"})
    assert world.executor(ledger).run(dry).state is None
    world.gate.stop = Stop(StopKind.EXPIRED, "Expired", "Expired before it was carried out.")
    assert run_to_end(world, dry, ledger).state is State.EXPIRED
