"""A vote on its way into the cluster: what repeats, what is asked anew, and what a stranger's object cannot stop."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import pytest
from tests.contract.k8s_client.conftest import Place
from tests.support.manifests import manifest

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.domain.decision import Choice
from finops.errors import Refused
from finops.k8s.ballots import NAMES, Ballot, SentVote
from finops.k8s.kinds import KindApi, action_requests, approvals


@pytest.fixture
def api(place: Place) -> KindApi[Approval]:
    return approvals(place.connection)


@pytest.fixture
def request_(place: Place) -> ActionRequest:
    raw = manifest("ActionRequest", {"metadata": {"namespace": place.namespace}}, name=f"r-{uuid.uuid4().hex[:8]}")
    return action_requests(place.connection).create(ActionRequest.from_object(raw))


def vote(on: ActionRequest, choice: Choice = Choice.APPROVE, who: str = "alice", **changes: Any) -> Approval:
    spec = ApprovalSpec(
        request=RequestReference(name=on.metadata.name, uid=on.metadata.uid or ""),
        plan_hash=changes.pop("plan_hash", on.spec.plan_hash),
        decision=choice,
        approver=Voter(source=Source.KUBERNETES, username=who),
        **changes,
    )
    return Approval.of(on.metadata.namespace or "", spec)


def send(api: KindApi[Approval], one: Approval, *, readable: bool = True) -> SentVote:
    def others() -> Iterable[Approval] | None:
        return api.list(one.metadata.namespace) if readable else None

    return Ballot(api, one, others).cast()


def answer(api: KindApi[Approval], sent: SentVote, result: str = "Counted", reason: str = "Approve") -> None:
    api.replace_status(sent.approval, {"result": result, "reason": reason, "message": f"{reason}."})


def stand_in_the_way(api: KindApi[Approval], foreign: Approval, name: str) -> None:
    api.create(foreign.model_copy(update={"metadata": foreign.metadata.model_copy(update={"name": name})}))


@pytest.mark.parametrize("result", [None, "Counted"])
def test_the_same_vote_twice_is_one_object(api: KindApi[Approval], request_: ActionRequest, result: str | None) -> None:
    first = send(api, vote(request_))
    if result:
        answer(api, first, result)

    again = send(api, vote(request_, reason="to be sure"))

    assert (first.earlier, again.earlier) == (False, True)
    assert again.approval.metadata.uid == first.approval.metadata.uid


def test_a_refused_vote_is_asked_anew_and_the_new_one_then_found(
    api: KindApi[Approval], request_: ActionRequest
) -> None:
    answer(api, first := send(api, vote(request_)), "Refused", "ReasonMissing")

    second = send(api, vote(request_, reason="it idles"))
    third = send(api, vote(request_, reason="it idles"))

    assert second.approval.metadata.name == f"{first.approval.metadata.name}-2"
    assert second.approval.spec.reason == "it idles"
    assert (third.earlier, third.approval.metadata.uid) == (True, second.approval.metadata.uid)


@pytest.mark.parametrize("withdraws_as", ["alice", "another handle of alice"])
def test_who_took_a_vote_back_may_give_it_again_and_take_it_back_again(
    api: KindApi[Approval], request_: ActionRequest, withdraws_as: str
) -> None:
    names = set()
    for choice, who in ((Choice.APPROVE, "alice"), (Choice.WITHDRAW, withdraws_as)) * 2:
        sent = send(api, vote(request_, choice, who))
        assert not sent.earlier, choice
        answer(api, sent, reason=choice.value)
        names.add(sent.approval.metadata.name)

    assert len(names) == 4


def test_another_persons_approval_does_not_make_a_standing_one_doubtful(
    api: KindApi[Approval], request_: ActionRequest
) -> None:
    answer(api, send(api, vote(request_)))
    answer(api, send(api, vote(request_, who="bob")))
    answer(api, send(api, vote(request_, Choice.WITHDRAW, "carol")), "Refused", "NothingToWithdraw")

    assert send(api, vote(request_)).earlier


def test_where_other_votes_cannot_be_read_the_operator_is_asked(
    api: KindApi[Approval], request_: ActionRequest
) -> None:
    answer(api, send(api, vote(request_)))

    assert not send(api, vote(request_), readable=False).earlier


@pytest.mark.parametrize("foreign", [{"who": "mallory"}, {"choice": Choice.APPROVE}, {"plan_hash": "f" * 64}], ids=str)
def test_an_object_that_says_something_else_is_not_taken_for_the_vote(
    api: KindApi[Approval], request_: ActionRequest, foreign: dict[str, Any]
) -> None:
    denial = vote(request_, Choice.DENY)
    stand_in_the_way(api, vote(request_, **{"choice": Choice.DENY, **foreign}), denial.metadata.name)

    sent = send(api, denial)

    assert (sent.earlier, sent.approval.spec) == (False, denial.spec)
    assert send(api, denial).approval.metadata.uid == sent.approval.metadata.uid


def test_a_stranger_on_every_number_does_not_stop_a_vote(api: KindApi[Approval], request_: ActionRequest) -> None:
    denial = vote(request_, Choice.DENY)
    for number in range(1, NAMES + 1):
        name = denial.metadata.name + (f"-{number}" if number > 1 else "")
        stand_in_the_way(api, vote(request_, who="mallory"), name)

    sent = send(api, denial)

    assert (sent.earlier, sent.approval.spec) == (False, denial.spec)


def test_who_was_refused_too_often_learns_so(api: KindApi[Approval], request_: ActionRequest) -> None:
    for _ in range(NAMES):
        answer(api, send(api, vote(request_)), "Refused", "NotEligible")

    with pytest.raises(Refused, match="10 times"):
        send(api, vote(request_))


def test_a_vote_whose_creation_was_not_answered_is_found_and_a_foreign_one_is_not(
    api: KindApi[Approval], request_: ActionRequest
) -> None:
    ballot = Ballot(api, vote(request_), others=lambda: None)
    assert ballot.recorded() is None
    made = ballot.cast().approval
    found = ballot.recorded()
    assert found is not None
    assert found.metadata.uid == made.metadata.uid

    taken = vote(request_, Choice.DENY)
    stand_in_the_way(api, vote(request_, who="mallory"), taken.metadata.name)
    other = Ballot(api, taken, others=lambda: None)
    other.tried = taken
    assert other.recorded() is None
