"""An approved act that cannot begin ends or says why; one that has begun and lost its account calls a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_pictures import decisions, intent, silent
from tests.integration.operator_core.test_operator_tallies import TWO
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State, Vote
from finops.errors import Refused, Unavailable
from finops.k8s.kinds import aws_accounts
from finops.ports.act import ActRequest
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.cluster.freeze import Freeze
from finops_operator.decisions.decider import Decider
from finops_operator.requests.loop import RequestLoop
from finops_operator.requests.undoing import Undoing
from finops_operator.rules.access import access_of
from finops_operator.telemetry import Telemetry
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card

NOT_BEGUN = [State.APPROVED, State.SCHEDULED, State.EXECUTING]


def _no_undo(act: ActionRequest, _ask: Vote) -> ActionRequest:
    raise Refused(f"nothing of {act.metadata.name} is undone here")


@dataclass
class Looking:
    """The request loop, one look at a time; `ran` are the acts it handed to the executor."""

    parts: Parts
    answer: ActResult = field(default_factory=lambda: ActResult(None, "Waiting: no role", 3600.0))
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = self.parts
        self.accounts = aws_accounts(parts.connection)
        self.loop = RequestLoop(
            cache=parts.cache,
            requests=parts.requests,
            decider=parts.decider,
            gate=parts.gate,
            act=self._act,
            acts=ActRequests(
                parts.requests.api,
                parts.policies.api,
                self.accounts,
                parts.decider.counted_approvals,
                access_of,
                lambda _policy, _kind: 10,
            ),
            freeze=Freeze(parts.maps, "r-freeze"),
            telemetry=Telemetry(),
            clock=parts.clock,
            may_write=lambda: True,
            fence=lambda: parts.fence,
            poll_seconds=1.0,
            undoing=Undoing(
                parts.cache,
                parts.requests,
                parts.decider,
                parts.ledger,
                parts.clock,
                lambda: parts.fence,
                _no_undo,
                lambda _act: None,
                Background(Telemetry(), parts.clock),
            ),
        )

    def _act(self, request: ActRequest, _: Callable[[], bool]) -> ActResult:
        self.ran.append(request.uid)
        return self.answer

    def look(self) -> None:
        with ThreadPoolExecutor(1) as pool:
            self.loop._refresh_all(pool)

    def approved(self, shown: State, *, begun: bool = False) -> ActionRequest:
        made = self.parts.propose(1, approval=TWO)
        self.parts.vote(made)
        approved = self.parts.decider.advance(made)
        if begun:
            intent(self.parts, approved)
        return self.parts.requests.write_status(approved, lambda now: {**now.status.to_dict(), "state": shown.value})

    def now(self, request: ActionRequest) -> tuple[State | None, str]:
        status = self.parts.requests.fresh(request).status
        return status.state, (status.outcome.error or "") if status.outcome is not None else ""


@pytest.fixture
def looking(parts: Parts) -> Iterator[Looking]:
    parts.policies.create(policy(approval=TWO))
    looking = Looking(parts)
    yield looking
    looking.accounts.delete("", "production")


def _card(looking: Looking, request: ActionRequest) -> str:
    now = looking.parts.requests.fresh(request)
    return str(card(card_facts(now, (), demo=False), Buttons(b"a key for tests only")).blocks)


def test_the_card_of_an_open_request_says_that_nothing_is_decided_without_protection_and_why(
    looking: Looking,
) -> None:
    """And no longer once it is there again; an approved one waits for the same."""
    looking.accounts.create(account())
    open_ = looking.parts.propose(2, approval=TWO)
    approved = looking.approved(State.APPROVED)
    looking.parts.protection.why = "ValidatingAdmissionPolicyBinding x does not exist: votes could be forged"

    looking.look()
    before = looking.parts.requests.fresh(open_)
    looking.look()

    said = "ValidatingAdmissionPolicyBinding x does not exist: votes could be forged"
    assert f"*Nothing is decided now:* {said} 0 of 1 approval." in _card(looking, open_)
    assert f"*Approved, and waits:* {said}" in _card(looking, approved)
    assert looking.parts.requests.fresh(open_) == before, "it is written once"
    looking.parts.protection.why = ""
    looking.look()
    assert "*Waiting for a decision.*" in _card(looking, open_)


def test_the_card_of_an_open_request_says_that_the_ledger_cannot_be_taken_over(looking: Looking) -> None:
    """The process that holds the lease says so, though it may not decide."""
    open_ = looking.parts.propose(2, approval=TWO)
    loop = replace(looking.loop, may_write=lambda: False, held_back=lambda: "the store hides record 3")
    with ThreadPoolExecutor(1) as pool:
        loop._pass(pool)

    assert "*Nothing is decided now:* the store hides record 3" in _card(looking, open_)
    looking.look()
    assert "*Waiting for a decision.*" in _card(looking, open_)


def test_an_api_server_that_does_not_answer_is_asked_once_in_a_pass(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (2, 3, 4):
        looking.parts.propose(number, approval=TWO)
    looking.parts.protection.why = "the API server does not answer"
    asked: list[str] = []

    def no_answer(request: ActionRequest, _change: object) -> None:
        asked.append(request.metadata.name)
        raise Unavailable("no answer")

    monkeypatch.setattr(looking.parts.requests, "write_status", no_answer)
    looking.look()
    assert len(asked) == 1


def test_the_card_says_that_the_votes_of_its_namespace_cannot_be_read(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = looking.parts.propose(2, approval=TWO)
    monkeypatch.setattr(Decider, "see_all", lambda _self: frozenset({open_.metadata.namespace}))
    looking.look()
    assert "*Nothing is decided now:* the votes cannot be read from the API server" in _card(looking, open_)


@pytest.mark.parametrize("shown", NOT_BEGUN)
def test_without_its_account_an_act_that_has_not_begun_is_ended(looking: Looking, shown: State) -> None:
    request = looking.approved(shown)

    looking.look()

    assert looking.now(request) == (State.WITHDRAWN, "Account production is no longer the same.")
    assert decisions(looking.parts) == ["Approved", "Withdrawn"]
    assert looking.ran == []


@pytest.mark.parametrize("shown", [*NOT_BEGUN, State.VERIFYING])
def test_without_its_account_an_act_that_has_begun_calls_a_person_and_goes_on_with_the_account(
    looking: Looking, shown: State
) -> None:
    request = looking.approved(shown, begun=True)

    looking.look()

    state, why = looking.now(request)
    assert state is State.NEEDS_HUMAN
    assert "AwsAccount production is gone" in why
    version = looking.parts.requests.fresh(request).metadata.resource_version
    looking.look()
    assert looking.parts.requests.fresh(request).metadata.resource_version == version
    assert decisions(looking.parts) == ["Approved"]

    looking.accounts.create(account())
    looking.look()
    assert looking.ran == [request.metadata.uid]


@pytest.mark.parametrize("shown", NOT_BEGUN)
def test_whatever_the_status_shows_it_says_why_an_act_has_not_begun(looking: Looking, shown: State) -> None:
    looking.accounts.create(account())
    request = looking.approved(shown)

    looking.look()

    state, why = looking.now(request)
    assert why == "Waiting: no role"
    assert state is (State.SCHEDULED if shown is State.APPROVED else shown)


def test_an_act_that_has_begun_is_not_said_to_wait(looking: Looking) -> None:
    looking.accounts.create(account())
    request = looking.approved(State.EXECUTING, begun=True)

    looking.look()

    assert looking.ran == [request.metadata.uid]
    assert looking.now(request) == (State.EXECUTING, "")


@pytest.mark.parametrize("shown", NOT_BEGUN)
def test_an_account_that_cannot_be_read_is_a_reason_to_wait_and_reported(
    looking: Looking, monkeypatch: pytest.MonkeyPatch, shown: State
) -> None:
    request = looking.approved(shown)

    def refuses(*_: Any) -> Any:
        raise Refused("no right to read accounts", code="Forbidden")

    monkeypatch.setattr(looking.accounts, "get", refuses)
    looking.look()

    assert looking.now(request) == (shown, "Waiting: no right to read accounts")


def test_before_every_vote_is_known_no_request_is_judged(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    request = looking.approved(State.APPROVED)
    vote = looking.parts.cache.approvals.all()[0]
    looking.parts.cache.approvals.saw(vote.to_object(), listed=True)

    with monkeypatch.context() as patched:
        silent(patched, looking.parts.approvals.api, "list")
        looking.look()
        why = "Waiting: the votes cannot be read from the API server"
        assert looking.now(request) == (State.APPROVED, why)

    looking.look()
    assert looking.now(request)[0] is State.WITHDRAWN
    assert looking.parts.requests.api.get(NAMESPACE, request.metadata.name) is not None


@pytest.mark.parametrize("unread", ["team-b", NAMESPACE])
def test_only_requests_of_a_namespace_whose_votes_are_unknown_are_held_back(
    looking: Looking, monkeypatch: pytest.MonkeyPatch, unread: str
) -> None:
    request = looking.approved(State.APPROVED)
    looking.parts.cache.watches([NAMESPACE, "team-b"])
    readable = looking.parts.approvals.api.list

    def refused(where: str | None) -> Any:
        if where == unread:
            raise Refused("forbidden", code="Forbidden")
        return readable(where)

    monkeypatch.setattr(looking.parts.approvals.api, "list", refused)
    looking.look()

    assert looking.now(request)[0] is (State.APPROVED if unread == NAMESPACE else State.WITHDRAWN)
