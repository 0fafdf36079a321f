"""One log line for each proposal, vote, decision, step and end, with all that an operator on call searches by."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_progress import reporter_of
from tests.integration.operator_core.test_operator_tallies import TWO, act_of, delete
from tests.support.operator_parts import NAMESPACE, Parts

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State
from finops.errors import ClusterUnavailable, Conflict, FinopsError, Refused
from finops.ports.act import ActProgress
from finops_operator.decisions.verdicts import VOTES_A_PERSON

FIELDS = ("request", "namespace", "policy", "account", "resource", "action")


@pytest.fixture(autouse=True)
def every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def lines(caplog: pytest.LogCaptureFixture, start: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.getMessage().startswith(start)]


def fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name in {*FIELDS, "person", "step", "attempt"}}


def about(request: ActionRequest) -> dict[str, Any]:
    return {
        "request": f"{NAMESPACE}/{request.metadata.name}/{request.metadata.uid}",
        "namespace": NAMESPACE,
        "policy": request.spec.policy,
        "account": request.spec.resource.account_id,
        "resource": request.spec.resource.id,
        "action": request.spec.action,
    }


def test_a_proposal_is_one_line_whoever_takes_the_request_in(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    made = parts.propose(1)
    parts.decider.advance(made)
    parts.decider.start_again()
    parts.decider.advance(parts.requests.fresh(made))
    (line,) = lines(caplog, "request proposed")
    assert line.getMessage() == f"request proposed, it saves {made.spec.estimate.monthly_savings} USD a month"
    assert (line.levelno, fields(line)) == (logging.INFO, about(made))


def test_a_vote_that_counts_and_one_that_is_refused_are_one_line_each_with_person_and_verdict(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    made = parts.propose(1, approval={**TWO, "required": 2})
    parts.vote(made)
    parts.vote(made, person="mallory")
    for _ in range(2):
        parts.decider.advance(made)
        parts.decider.start_again()
    counted, refused = sorted(lines(caplog, "vote "), key=lambda line: line.getMessage())
    assert counted.getMessage() == "vote counted: Approve"
    assert refused.getMessage() == "vote refused: Approve, NotEligible"
    assert fields(counted) == {**about(made), "person": "k8s.alice"}
    assert fields(refused) == {**about(made), "person": "k8s.mallory"}
    assert {counted.levelno, refused.levelno} == {logging.INFO}


def test_a_flood_of_votes_adds_no_lines_beyond_the_one_that_says_so(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    made = parts.propose(1, approval=TWO)
    for _ in range(VOTES_A_PERSON + 5):
        parts.vote(made, person="mallory")
    parts.decider.advance(made)
    assert len(lines(caplog, "vote refused")) == VOTES_A_PERSON + 1


def test_a_decision_is_one_line_with_those_who_made_it(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    made = parts.propose(1, approval={**TWO, "required": 2})
    votes = [parts.vote(made), parts.vote(made, person="bob")]
    approved = parts.decider.advance(made)
    parts.decider.start_again()
    parts.decider.advance(approved)
    (line,) = lines(caplog, "request decided")
    assert line.getMessage().startswith("request decided, Approved: Approved by k8s.")
    assert set(fields(line).pop("person").split(", ")) == {"k8s.alice", "k8s.bob"}
    assert fields(line).items() >= about(made).items()
    delete(parts, votes[0])
    parts.decider.advance(approved)
    withdrawn = lines(caplog, "request decided")[1]
    assert withdrawn.getMessage().startswith("request decided, Withdrawn: No longer approved")
    assert fields(withdrawn)["person"] == "k8s.bob"


def test_each_step_and_the_end_are_one_line_however_often_the_status_is_written(
    parts: Parts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, State.SCHEDULED)
    act, reporter = act_of(made), reporter_of(parts)
    step = ActProgress(state=State.EXECUTING, step="stop", attempt=1, message="Stopping", called=True)
    with monkeypatch.context() as patched:
        patched.setattr(parts.requests, "write_status", _raising(ClusterUnavailable("it does not answer")))
        for _ in range(3):
            with pytest.raises(ClusterUnavailable):
                reporter.report(act, step)
    reporter.report(act, step)
    reporter.report(act, ActProgress(state=State.EXECUTING, step="stop", attempt=2, message="Stopping", called=True))
    reporter.report(act, ActProgress(state=State.SUCCEEDED, message="The instance is stopped."))
    steps, (end,) = lines(caplog, "act step: Stopping"), lines(caplog, "act ended")
    assert [fields(line) for line in steps] == [
        {**about(made), "person": "", "step": "stop", "attempt": attempt} for attempt in (1, 2)
    ]
    assert end.getMessage() == "act ended, Succeeded: The instance is stopped."
    assert fields(end) == {**about(made), "person": ""}
    assert {line.levelno for line in caplog.records if line.getMessage().startswith("act ")} == {logging.INFO}


def test_an_act_that_needs_a_person_is_a_warning(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    made = parts.propose(1, State.SCHEDULED)
    reporter_of(parts).report(
        act_of(made), ActProgress(state=State.NEEDS_HUMAN, step="stop", message="It does not stop", called=True)
    )
    (line,) = lines(caplog, "act needs a person: It does not stop")
    assert (line.levelno, fields(line)["resource"]) == (logging.WARNING, made.spec.resource.id)


def test_the_way_from_proposal_to_approval_logs_no_warning(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    assert parts.decider.advance(made).status.state is State.APPROVED
    assert [line.getMessage() for line in caplog.records if line.levelno >= logging.WARNING] == []


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (Conflict("the vote was deleted", code="Gone"), logging.INFO),
        (ClusterUnavailable("it does not answer"), logging.INFO),
        (Refused("may not patch approvals/status", code="Forbidden"), logging.WARNING),
    ],
)
def test_a_vote_that_is_answered_later_by_itself_is_no_warning_and_a_missing_right_is(
    parts: Parts,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: FinopsError,
    level: int,
) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    monkeypatch.setattr(parts.approvals, "write_status", _raising(error))
    assert parts.decider.advance(made).status.state is State.APPROVED
    (line,) = lines(caplog, "vote is answered later") + lines(caplog, "vote not answered")
    assert line.levelno == level


def _raising(error: FinopsError) -> Any:
    def refuse(*_: Any) -> None:
        raise error

    return refuse
