"""One line for each vote and decision, with everything that an operator on call searches for."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from tests.integration.operator_core.test_operator_progress import reporter_of
from tests.integration.operator_core.test_operator_standing import TWO
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import Parts
from tests.support.scan_samples import account, policy

from finops.domain.decision import State
from finops.k8s.kinds import aws_accounts
from finops.ports.act import ActProgress
from finops_operator.rules.votes import request_reference

FIELDS = ("request", "policy", "account", "resource", "person")


def test_each_vote_and_the_decision_are_one_line_with_request_policy_account_resource_and_person(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    parts.policies.create(policy(approval=TWO))
    aws_accounts(parts.connection).create(account())
    made = parts.propose(1, approval=TWO)
    with caplog.at_level(logging.INFO, "finops_operator"):
        for person in ("alice", "bob"):
            parts.vote(made, person)
            made = parts.decider.look(parts.requests.fresh(made))
        made = parts.decider.look(made)

    lines = [one for one in caplog.records if one.message.startswith(("vote ", "decided: "))]
    assert [one.message.partition(",")[0] for one in lines] == [
        "vote counted: Approve",
        "decided: Approved",
        "vote refused: Approve",
    ]
    assert {one.levelno for one in lines} == {logging.INFO}
    about = (request_reference(made), made.spec.policy, made.spec.account, made.spec.resource.id)
    persons = []
    for one in lines:
        *named, person = (getattr(one, field) for field in FIELDS)
        assert tuple(named) == about
        persons.append(person)
    assert persons == ["k8s.alice", "k8s.alice", "k8s.bob"]


def test_a_step_is_one_line_and_what_needs_a_person_is_a_warning(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    made = parts.propose(1, State.SCHEDULED)
    act, reporter = replace(act_of(made), deciders=("k8s.alice",)), reporter_of(parts)
    with caplog.at_level(logging.INFO, "finops_operator"):
        reporter.report(act, ActProgress(state=State.EXECUTING, step="stop", called=True))
        reporter.report(act, ActProgress(state=State.NEEDS_HUMAN, message="It does not start.", called=True))

    lines = [one for one in caplog.records if one.message.startswith("act: ")]
    assert [(one.levelname, one.message) for one in lines] == [
        ("INFO", "act: Executing stop"),
        ("WARNING", "act: NeedsHuman It does not start."),
    ]
    for one in lines:
        assert [getattr(one, field) for field in FIELDS] == [
            request_reference(made),
            made.spec.policy,
            act.access.name,
            made.spec.resource.id,
            "k8s.alice",
        ]
