"""What is shown of an undo follows from the ledger alone, and an undo ends only what its own policy asks people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.integration.operator_core.test_operator_pictures import intent, restarted
from tests.integration.operator_core.test_operator_tallies import TWO, act_of, delete
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import APPROVE, account, policy, recommendation, reference, request

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.crds.approval import Approval
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import RecordKind
from finops.domain.decision import State, Vote
from finops.domain.execution import Observation, StopKind
from finops.domain.plan import Plan
from finops.errors import InvalidInput, Refused
from finops.k8s.kinds import KindApi, aws_accounts
from finops.ports.aws_access import Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops_operator.acts.conclusion import Conclusion
from finops_operator.acts.journal import entry
from finops_operator.acts.memory import Act
from finops_operator.acts.progress import ActSettings
from finops_operator.acts.trail import Trail
from finops_operator.acts.undos import RecordedUndos
from finops_operator.background import Background
from finops_operator.cli.asking import facts_of
from finops_operator.cluster.freeze import Freeze
from finops_operator.decisions.pauses import Failure, Pauses
from finops_operator.decisions.spoken import scope_of
from finops_operator.plugins.loaded import plugins
from finops_operator.requests.making import RequestMaker
from finops_operator.requests.undo_proposals import UndoProposals
from finops_operator.requests.undoing import Undoing
from finops_operator.rules import request_status
from finops_operator.rules.undoing import UNDONE, unanswered_asks, undone_reference
from finops_operator.rules.votes import request_reference
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card
from finops_slackbot.views.status import status

STOPPED = Observation(
    exists=True,
    fingerprint={"state": "stopped", "launchTime": "2026-01-01T00:00:00Z"},
    facts={"state": "stopped", "launchTime": "2026-01-01T00:00:00Z"},
)


def carried_out(parts: Parts, made: ActionRequest) -> ActionRequest:
    """Let people approve a request and its act succeed, in the ledger and in its status."""
    parts.vote(made, "alice")
    made = parts.decider.advance(made)
    intent(parts, made)
    verified = entry(act_of(made), "verified", RecordKind.VERIFIED, result="Succeeded", detail={"reason": "Stopped."})
    parts.ledger.append(verified)
    return parts.requests.write_status(
        made, lambda now: request_status.moved(now.status, State.SUCCEEDED, fence=parts.fence)
    )


@pytest.fixture(autouse=True)
def granted(parts: Parts) -> Iterator[None]:
    """A policy and an account that allow acts and their undo."""
    made = aws_accounts(parts.connection).create(account())
    parts.policies.create(policy(approval=TWO))
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def succeeded(parts: Parts, number: int = 1) -> ActionRequest:
    return carried_out(parts, parts.propose(number, approval=TWO))


def ask(parts: Parts, act: ActionRequest, person: str = "bob") -> Approval:
    """Ask for the undo; the operator judges it and answers nothing yet."""
    asked = parts.vote(act, person, decision="Undo")
    parts.decider.advance(parts.requests.fresh(act))
    return asked


def undo_request(parts: Parts, act: ActionRequest, number: int, by: str = "k8s.bob") -> ActionRequest:
    """Make a request that undoes the act, as `UndoProposals` does but with a plan of its own."""
    item = recommendation(number, resource=reference(1), id=f"undo-{number}", parameters={"n": str(number)})
    spec = request(item, None, by=policy(approval=TWO)).spec
    undoes = UndoneAct(name=act.metadata.name, uid=act.metadata.uid or "", required=1)
    spec = spec.model_copy(update={"undoes": undoes, "expires_at": act.spec.expires_at})
    further = {"undoes": undone_reference(NAMESPACE, spec), "askedBy": by}
    maker = RequestMaker(parts.requests, parts.ledger, parts.decider)
    (owner,) = parts.policies.cache.all()
    return maker.create(owner, f"{act.metadata.name}-undo-{number}", spec, further)


@dataclass
class Following:
    """Undoing, one thing at a time; `made` is what it proposes for each ask."""

    parts: Parts
    made: list[ActionRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts, undos = self.parts, RecordedUndos(self.parts.ledger, plugins().actions, self.parts.requests.api.get)
        self.undoing = Undoing(
            parts.cache,
            parts.requests,
            parts.decider,
            parts.ledger,
            parts.clock,
            lambda: parts.fence,
            self._propose,
            undos.of,
            Background(parts.telemetry, parts.clock),
        )

    def _propose(self, act: ActionRequest, _ask: Vote) -> ActionRequest:
        if not self.made:
            raise Refused(f"nothing of {act.metadata.name} is undone here")
        return self.made[-1]

    def follow(self, *requests: ActionRequest) -> None:
        for one in requests:
            self.undoing.follow(self.parts.requests.fresh(one))
        self.undoing._pool.submit(lambda: None).result()

    def shown(self, act: ActionRequest) -> tuple[str | None, str | None, str | None]:
        undo = self.parts.requests.fresh(act).status.undo
        assert undo is not None
        return undo.request, undo.state and undo.state.value, undo.message


def denied(parts: Parts, undo: ActionRequest) -> ActionRequest:
    parts.vote(undo, "alice", decision="Deny", reason="Not now.")
    return parts.decider.advance(undo)


def wiped(parts: Parts, act: ActionRequest) -> None:
    """Leave the status as a process does that died before it showed anything of the undo."""
    parts.requests.write_status(
        act, lambda now: request_status.moved(now.status, State.SUCCEEDED, fence=parts.fence, undo=None)
    )


def test_after_a_start_the_status_shows_the_latest_undo_and_not_the_one_that_was_asked_for_first(parts: Parts) -> None:
    act, before = succeeded(parts), Following(parts)
    ask(parts, act)
    before.made.append(undo_request(parts, act, 2))
    before.follow(act)
    first = denied(parts, before.made[-1])
    before.follow(first)
    assert before.shown(act)[1] == "Denied"
    ask(parts, act)
    before.made.append(undo_request(parts, act, 3))
    before.follow(act)
    second = denied(parts, before.made[-1])
    before.follow(second)
    expected = (second.metadata.name, "Denied", f"Not undone: request {second.metadata.name} is Denied.")
    assert before.shown(act) == expected

    for order in ((act, first, second), (second, first, act)):
        wiped(parts, act)
        Following(parts).follow(*order)
        assert before.shown(act) == expected


def test_an_undo_that_ended_before_its_answer_was_written_is_shown_with_its_end(parts: Parts) -> None:
    act, following = succeeded(parts), Following(parts)
    ask(parts, act)
    undo = denied(parts, undo_request(parts, act, 2))
    following.made.append(undo)

    following.follow(undo, act)

    assert following.shown(act)[:2] == (undo.metadata.name, "Denied")


def test_whoever_asked_is_answered_though_the_vote_was_deleted_since(parts: Parts) -> None:
    act = succeeded(parts)
    delete(parts, ask(parts, act))

    following = Following(restarted(parts))
    following.parts.cache.requests.put(parts.requests.fresh(act))
    following.follow(act)

    assert following.shown(act) == (None, None, f"Not undone: nothing of {act.metadata.name} is undone here")
    following.follow(act)
    assert [one for one in parts.kinds_of_records() if one[0] == "undone"] == [("undone", "refused")]


def test_a_report_of_the_act_that_is_repeated_late_takes_nothing_back(parts: Parts) -> None:
    act, following = succeeded(parts), Following(parts)
    ask(parts, act)
    undo = undo_request(parts, act, 2)
    following.made.append(undo)
    following.follow(act)
    assert following.shown(act)[:2] == (undo.metadata.name, None)

    undos = RecordedUndos(parts.ledger, plugins().actions, parts.requests.api.get)
    wiped(parts, act)
    reported = undos.of(parts.requests.fresh(act))

    assert reported is not None
    assert (reported.request, reported.is_open) == (undo.metadata.name, True)


# ---- what an undo ends, and who may ask


@dataclass(frozen=True)
class Given:
    """Sessions that read nothing: the action's `observe` is the test's."""

    def reader(self, *_: Any, tenant: Tenant) -> object:
        return tenant


@dataclass(frozen=True)
class OnePolicy:
    """A policy that was edited: a request goes with the policy that owns it, so the object itself must stay."""

    policy: ScanPolicy

    def get(self, *_: str) -> ScanPolicy:
        return self.policy


def as_it_is_now(edited: ScanPolicy) -> KindApi[ScanPolicy]:
    return cast("KindApi[ScanPolicy]", OnePolicy(edited))


def proposals(parts: Parts, observed: Observation = STOPPED, changed: str = "") -> UndoProposals:
    found = plugins()
    stop = found.actions["ec2_instance_stop"]
    assert stop.undo is not None
    undo = replace(stop.undo, changed=lambda _plan, _now: changed)
    actions = {"ec2_instance_stop": replace(stop, observe=lambda _reader, _target: observed, undo=undo)}
    return UndoProposals(
        requests=parts.requests,
        policies=parts.policies.api,
        accounts=aws_accounts(parts.connection),
        kinds=found.kinds,
        actions=actions,
        sessions=cast("ExecutorSessions", Given()),
        ledger=parts.ledger,
        decider=parts.decider,
        people=parts.people,
        freeze=Freeze(parts.maps, "r-freeze"),
        clock=parts.clock,
    )


def wish(parts: Parts, act: ActionRequest, person: str = "bob") -> Vote:
    """Ask for the undo, and return the ask as the ledger holds it."""
    ask(parts, act, person)
    return unanswered_asks(parts.ledger.of_request(act.metadata.uid or ""))[-1]


def pending(parts: Parts, number: int, **changes: Any) -> ActionRequest:
    """Return a request of the policy for the resource of act 1 that waits for votes."""
    item = recommendation(number, resource=reference(1), id=f"other-{number}", parameters={"n": str(number)})
    by = policy(approval=TWO, name=changes.get("policy", "p"))
    spec = request(item, None, by=by).spec.model_copy(update={"expires_at": parts.clock.now() + timedelta(hours=72)})
    (owner,) = parts.policies.cache.all()
    owner = owner.model_copy(update={"metadata": owner.metadata.model_copy(update={"namespace": NAMESPACE})})
    maker = RequestMaker(parts.requests, parts.ledger, parts.decider)
    return maker.create(owner, f"other-{id(parts):x}-{number}", spec)


def state(parts: Parts, of: ActionRequest) -> State | None:
    return parts.requests.fresh(of).status.state


def test_an_undo_ends_what_its_policy_asks_about_the_resource_and_leaves_other_policies_alone(parts: Parts) -> None:
    act = succeeded(parts)
    own, others = pending(parts, 2), pending(parts, 3, policy="q")

    made = proposals(parts).make(act, wish(parts, act))

    assert made.spec.undoes is not None
    assert made.spec.undoes.outside_windows
    assert state(parts, own) is State.SUPERSEDED
    assert state(parts, others) is State.PENDING


@pytest.mark.parametrize(
    ("observed", "changed"),
    [(STOPPED, "It was started since the act stopped it."), (replace(STOPPED, exists=False), "")],
)
def test_an_undo_that_is_refused_ends_nothing(parts: Parts, observed: Observation, changed: str) -> None:
    act = succeeded(parts)
    own = pending(parts, 2)

    with pytest.raises(Refused):
        proposals(parts, observed, changed).make(act, wish(parts, act))

    assert state(parts, own) is State.PENDING


def test_an_undo_whose_request_cannot_be_made_ends_nothing(parts: Parts) -> None:
    act = succeeded(parts)
    own = pending(parts, 2)
    unplannable = proposals(parts)

    def fails(*_: object) -> Plan:
        raise InvalidInput("nothing leads back", field="parameters")

    (stop,) = unplannable.actions.values()
    with pytest.raises(InvalidInput):
        replace(unplannable, actions={stop.id: replace(stop, plan=fails)}).make(act, wish(parts, act))

    assert state(parts, own) is State.PENDING


def test_whoever_is_no_approver_of_the_policy_any_more_has_nothing_undone(parts: Parts) -> None:
    act = succeeded(parts)
    asked = wish(parts, act)
    own = pending(parts, 2)
    narrowed = as_it_is_now(policy(approval={"approvers": [{"kubernetesUser": "alice"}]}))

    with pytest.raises(Refused, match=r"k8s\.bob is not an approver of policy p as it is now"):
        replace(proposals(parts), policies=narrowed).make(act, asked)

    assert state(parts, own) is State.PENDING


def test_an_undo_that_people_approved_does_not_wait_for_acts_of_its_kind_to_be_resumed(parts: Parts) -> None:
    act = succeeded(parts)
    ask(parts, act)
    undo, other, failed = undo_request(parts, act, 2), pending(parts, 3), pending(parts, 4)
    for one in (undo, other):
        parts.vote(one, "alice")
        assert parts.decider.advance(one).status.state is State.APPROVED
    failure = Failure(State.ROLLED_BACK, "AWS had no capacity")
    Pauses(parts.ledger).pause(scope_of(failed), request_reference(failed), failed.spec.plan_hash, failure)

    waits = parts.gate.may_start(act_of(other))
    assert waits is not None
    assert "Paused" in str(waits)
    assert parts.gate.may_start(act_of(parts.requests.fresh(undo))) is None


def test_an_act_of_which_the_ledger_knows_nothing_to_undo_has_no_undo_proposed(parts: Parts) -> None:
    asked = wish(parts, succeeded(parts))
    waiting = pending(parts, 2)

    with pytest.raises(Refused, match="There is nothing to undo any more"):
        proposals(parts).make(waiting, asked)


def test_an_approved_request_of_another_policy_is_not_named(parts: Parts) -> None:
    act = succeeded(parts)
    others = pending(parts, 3, policy="q")
    parts.vote(others, "alice")
    assert parts.decider.advance(others).status.state is State.APPROVED

    with pytest.raises(Refused, match=r"^A request of another policy for this resource is approved"):
        proposals(parts).make(act, wish(parts, act))


def test_people_read_that_the_start_waits_for_no_window_before_they_vote(parts: Parts) -> None:
    act = succeeded(parts)
    made = proposals(parts).make(act, wish(parts, act))

    assert made.spec.presentation is not None
    assert made.spec.presentation.warnings[0] == (
        "It starts as soon as it is approved, also outside the policy's windows."
    )
    assert ("Warning", made.spec.presentation.warnings[0]) in list(
        facts_of(made, made.to_object()["spec"], made.to_object()["spec"]["presentation"])
    )
    facts = card_facts(made, (), demo=False)
    assert made.spec.presentation.warnings[0] in str(card(facts, Buttons(b"a key for tests only")).blocks)
    approved = replace(facts, state=State.APPROVED)
    assert status(approved).endswith("It starts as soon as limits and freeze switch allow.")
    assert "window" in status(replace(approved, outside_windows=False))


def approved(parts: Parts, made: ActionRequest) -> ActionRequest:
    parts.vote(made, "alice")
    return parts.decider.advance(made)


def concluded(parts: Parts, undo: ActionRequest, result: str = "Succeeded") -> None:
    """Let the act of an undo end in the ledger, and the executor conclude it."""
    intent(parts, undo)
    kind, name = (RecordKind.VERIFIED, "verified") if result == "Succeeded" else (RecordKind.OUTCOME, "ended")
    parts.ledger.append(entry(act_of(undo), name, kind, result=result, detail={"reason": "It ended."}))
    stop = plugins().actions["ec2_instance_stop"]
    ignore = cast("Any", Ignoring())
    trail = Trail(parts.ledger, ignore, ignore, lambda _name: None)
    conclusion = Conclusion(parts.ledger, ignore, ignore, ignore, ActSettings(), lambda _name: None, trail)
    for _ in range(2):
        conclusion.draw(Act(act_of(undo), stop), State(result), "It ended.")


@dataclass
class Ignoring:
    """Takes whatever is reported, released or noted."""

    fence: int = 1

    def report(self, *_: object) -> None: ...

    def release(self, *_: object, counted: bool) -> None: ...

    def append(self, *_: object) -> None: ...


def undone(parts: Parts, act: ActionRequest) -> list[tuple[str, object]]:
    found = parts.ledger.of_request(act.metadata.uid or "")
    return [
        (one.entry.result, one.entry.detail["undoRequest"])
        for one in found
        if one.entry.kind is RecordKind.UNDONE and one.entry.result == UNDONE
    ]


def test_that_an_act_was_undone_is_recorded_once_by_whoever_carried_the_undo_out(parts: Parts) -> None:
    act, following = succeeded(parts), Following(parts)
    undo = approved(parts, proposals(parts).make(act, wish(parts, act)))
    lying = parts.requests.write_status(
        undo, lambda now: request_status.moved(now.status, State.SUCCEEDED, fence=parts.fence)
    )
    following.follow(lying)
    assert undone(parts, act) == []

    concluded(parts, undo)

    assert undone(parts, act) == [("ok", request_reference(undo))]
    Following(parts).follow(lying, act)
    assert following.shown(act) == (undo.metadata.name, "Succeeded", f"Undone by request {undo.metadata.name}.")


def test_an_undo_that_was_turned_back_has_undone_nothing(parts: Parts) -> None:
    act = succeeded(parts)
    undo = approved(parts, proposals(parts).make(act, wish(parts, act)))

    concluded(parts, undo, "RolledBack")

    assert undone(parts, act) == []


def test_nothing_is_called_to_undo_what_was_undone_already(parts: Parts) -> None:
    act = succeeded(parts)
    undo = approved(parts, proposals(parts).make(act, wish(parts, act)))
    second = approved(parts, undo_request(parts, act, 2))
    assert parts.gate.may_start(act_of(second)) is None

    concluded(parts, undo)

    stop = parts.gate.still_allowed(act_of(second))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "NothingToUndo")


def test_a_closed_window_holds_every_undo_but_one_that_people_read_does_not_wait(parts: Parts) -> None:
    act = succeeded(parts)
    at_once = approved(parts, proposals(parts).make(act, wish(parts, act)))
    waits = approved(parts, undo_request(parts, act, 2))
    never = {"schedule": "0 3 1 1 *", "duration": "1h", "timeZone": "UTC"}
    closed = policy(approval=TWO, actions={**APPROVE, "windows": [never]})
    gate = replace(parts.gate, policies=as_it_is_now(closed))

    assert gate.may_start(act_of(at_once)) is None
    stop = gate.may_start(act_of(waits))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.HOLD, "OutsideWindow")
