"""The operator's process answers what-ifs beside its acts; killed in the middle it loses nothing but the answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.operator_rig import Case, Rig, eventually, running_rig

from finops.store.connection import open_store
from finops.store.what_if import Answer, Question, State, WhatIfs

OFF: dict[str, Any] = {"checks": [{"id": "ec2_instance_idle", "enabled": False}]}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("what-ifs")) as rig:
        yield rig


def question(case: Case) -> Question:
    spec = {**case.policy()["spec"], **OFF}
    return Question(uuid.uuid4().hex, case.name, "p", "alice", datetime.now(UTC), spec)


def ended(desk: WhatIfs, one: Question) -> Answer:
    def found() -> Answer | None:
        answer = desk.of(one.id)
        return answer if answer is not None and answer.state not in {State.WAITING, State.RUNNING} else None

    answer: Answer = eventually(found)
    return answer


def test_it_is_answered_without_a_call_to_aws_and_changes_nothing(rig: Rig) -> None:
    desk = WhatIfs(open_store(rig.valkey.url))
    case = rig.case()
    case.apply()
    names = {one["spec"]["resource"]["id"] for one in case.proposed()}
    calls, requests = len(rig.aws.calls), case.requests()
    one = question(case)
    desk.ask(one)

    answer = ended(desk, one)

    assert answer.outcome is not None, answer
    assert {line.resource for line in answer.outcome.lines if line.check == "ec2_instance_idle"} == names
    assert {line.change for line in answer.outcome.lines if line.check == "ec2_instance_idle"} == {"Gone"}
    assert answer.outcome.before.actionable.count == len(names)
    assert answer.outcome.now.actionable.count == 0
    assert len(rig.aws.calls) == calls
    assert case.requests() == requests
    assert {one.id for one in desk.checks()} >= {"ec2_instance_idle"}
    case.check()


def test_killed_in_the_middle_it_loses_the_answer_and_no_act(rig: Rig) -> None:
    desk = WhatIfs(open_store(rig.valkey.url))
    case = rig.case()
    case.apply()
    first, _ = case.proposed()
    rig.kill()
    one = question(case)
    desk.ask(one)
    desk.put(Answer(one, State.RUNNING))
    case.vote(first)

    rig.start()

    answer = ended(desk, one)
    assert (answer.state, answer.message) == (State.FAILED, "the operator ended while it worked on this question")
    case.wait_state(first, "Succeeded")
    again = question(case)
    desk.ask(again)
    assert ended(desk, again).state is State.ANSWERED
    case.check(StopInstances=1)
