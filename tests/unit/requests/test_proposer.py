"""The proposer ends within a second, and asks with what the action declares, not with what the store says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, policy, recommendation, reference, request

from finops.crds.action_request import ActionRequest
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import Observation
from finops.domain.recommendation import ActionType, Recommendation
from finops.domain.report import ScanSummary
from finops.errors import Conflict, InvalidInput
from finops_operator.plugins.action import Action
from finops_operator.plugins.loaded import load_kinds
from finops_operator.requests.proposer import Proposer
from finops_operator.rules.access import access_of
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP


def test_after_a_stop_no_further_resource_is_read_and_nothing_is_proposed() -> None:
    """Every loop heeds the stop within a second, so that the Lease is given up on SIGTERM."""
    asked: list[str] = []

    def observe(_reader: Any, target: Any) -> Observation:
        asked.append(target.resource.id)
        return Observation(exists=False)

    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]})
    items = [recommendation(number, resource=reference(number)) for number in range(5)]
    proposer = _proposer(by, items, replace(STOP, observe=observe), stopping=lambda: bool(asked))

    proposer.follow_up(by, _SCAN)
    proposer.follow_up(by, _SCAN)

    assert len(asked) == 1


def test_a_stop_while_requests_are_made_leaves_it_unsaid_how_many_nobody_is_asked_about() -> None:
    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]})
    running = Observation(exists=True, fingerprint={"state": "running"})
    action = replace(STOP, observe=lambda *_: running, preflight=lambda *_: ())
    items = [recommendation(number, resource=reference(number)) for number in range(3)]
    made: list[ActionRequest] = []
    proposer = _proposer(by, items, action, stopping=lambda: bool(made), create=made.append)

    followed = proposer.follow_up(by, _SCAN)

    assert (len(made), followed.unproposed) == (1, None)


def test_a_resource_is_read_with_the_time_so_that_what_is_judged_up_to_now_is_known() -> None:
    """Without it the use of a NAT gateway is unknown, and its deletion was never proposed."""
    seen: list[object] = []

    def observe(_reader: Any, target: Any) -> Observation:
        seen.append(target.now)
        return Observation(exists=False)

    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]})
    proposer = _proposer(by, [recommendation(1)], replace(STOP, observe=observe))

    proposer.follow_up(by, _SCAN)

    assert seen == [proposer.clock.now()]


def test_a_destructive_act_needs_its_quorum_although_the_store_calls_it_harmless() -> None:
    """Whether an act is destructive is read from its action, not from Redis."""
    by = policy(actions={"mode": "Approve", "allowed": ["ebs_volume_delete"]}, approval={"approvers": _TWO})
    item = recommendation(1, action="ebs_volume_delete", action_type=ActionType.DELETE, destructive=False)
    action = replace(
        DELETE, observe=lambda *_: Observation(exists=True, fingerprint={"state": "available"}), preflight=lambda *_: ()
    )
    made: list[ActionRequest] = []

    _proposer(by, [item], action, create=made.append).follow_up(by, _SCAN)

    (request,) = made
    assert (request.spec.destructive, request.spec.approval.required) == (True, 2)
    assert request.spec.rollback_possible is DELETE.rollback_possible


def test_a_request_that_the_loop_took_in_first_counts_as_proposed() -> None:
    """Not proposed, it would be shown as waiting and not be asked again for a day, while its card is open."""
    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]}, approval={"approvers": _TWO})
    item = recommendation(1, action="ec2_instance_stop")
    action = replace(
        STOP, observe=lambda *_: Observation(exists=True, fingerprint={"state": "running"}), preflight=lambda *_: ()
    )
    corrected: list[Recommendation] = []

    def take_in(_request: object) -> None:
        raise Conflict("the request was taken in already", code="StateChanged")

    _proposer(by, [item], action, create=lambda request: request, corrected=corrected, take_in=take_in).follow_up(
        by, _SCAN
    )

    (asked,) = corrected
    assert asked.note.endswith("for this resource is open.")


def test_a_request_that_cannot_be_reviewed_keeps_nothing_else_from_being_reviewed_or_proposed() -> None:
    """A setting that the SDK cannot use is raised where a reader is made or asked, not as an answer of AWS."""
    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]}, approval={"approvers": _TWO})
    items = [recommendation(number, resource=reference(number)) for number in (1, 2)]
    action = replace(STOP, observe=lambda *_: Observation(exists=False))
    closed: list[str] = []
    regions: list[str] = []

    def reader(_access: object, region: str, **_named: object) -> object:
        regions.append(region)
        if len(regions) == 1:
            raise InvalidInput("is not a URL", field="AWS_ENDPOINT_URL_EC2")
        return object()

    proposer = _proposer(by, items, action)
    pending = [request(item, State.PENDING, by=by) for item in items]
    requests = SimpleNamespace(
        found=lambda: pending, cache=SimpleNamespace(all=lambda: pending), api=SimpleNamespace(get=lambda *_: None)
    )
    decider = SimpleNamespace(
        is_ours=lambda _request: True,
        close=lambda one, *_what: closed.append(one.metadata.name),
        advance=lambda one: one,
    )
    proposer = replace(
        proposer,
        requests=cast("Any", requests),
        decider=cast("Any", decider),
        sessions=cast("Any", SimpleNamespace(reader=reader)),
    )

    proposer.follow_up(by, _SCAN)

    assert closed == [pending[1].metadata.name]


def test_a_snoozed_resource_is_neither_read_nor_asked_about_and_the_note_says_until_when() -> None:
    """Whatever the action and whichever policy of the namespace: the snooze is of the resource."""
    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]}, approval={"approvers": _TWO})
    item = recommendation(1, action="ec2_instance_stop")
    digest = hashlib.sha256(f"team-a\n{item.resource.arn}".encode()).hexdigest()[:32]
    until = FakeClock().now() + timedelta(days=3)
    detail: dict[str, Json] = {
        "until": until.isoformat(),
        "reason": "closing",
        "resource": item.resource.arn,
        "policy": "p",
        "policyUid": "uid-of-p",
    }
    entry = Entry(f"snoozed:{digest}:1", "k8s.bob", RecordKind.SNOOZED, request="team-a/other/u1", detail=detail)
    snoozed = {entry.operation_id: Record(1, "", FakeClock().now(), 1, entry)}
    made: list[ActionRequest] = []
    corrected: list[Recommendation] = []
    seen = Observation(exists=True, fingerprint={"state": "running"})
    action = replace(STOP, observe=lambda *_: seen, preflight=lambda *_: ())

    _proposer(by, [item], action, create=made.append, corrected=corrected, find=snoozed.get).follow_up(by, _SCAN)

    assert made == []
    (kept,) = corrected
    assert kept.note.startswith("Snoozed until 2026-03-13 12:00 UTC by k8s.bob (team-a/other). closing ")

    entry = replace(entry, detail={**detail, "until": FakeClock().now().isoformat()})
    snoozed = {entry.operation_id: Record(1, "", FakeClock().now(), 1, entry)}
    _proposer(by, [item], action, create=made.append, find=snoozed.get).follow_up(by, _SCAN)
    assert len(made) == 1, "on the date it is asked about again"

    entry = replace(entry, detail={**detail, "policyUid": "uid-of-an-earlier-p"})
    snoozed = {entry.operation_id: Record(1, "", FakeClock().now(), 1, entry)}
    _proposer(by, [item], action, create=made.append, find=snoozed.get).follow_up(by, _SCAN)
    assert len(made) == 2, "the policy that snoozed is gone, and nobody could end it"


def test_a_denied_act_is_neither_read_nor_asked_for_although_no_request_is_left() -> None:
    by = policy(actions={"mode": "Approve", "allowed": ["ec2_instance_stop"]}, approval={"approvers": _TWO})
    item = recommendation(1, action="ec2_instance_stop")
    digest = hashlib.sha256(f"{item.resource.arn}\nec2_instance_stop\nact".encode()).hexdigest()[:32]
    until = FakeClock().now() + timedelta(days=3)
    detail: dict[str, Json] = {"until": until.isoformat(), "resource": item.resource.arn}
    entry = Entry(f"act denied:{digest}:1", "k8s.bob", RecordKind.ACT_DENIED, request="gone/other/u1", detail=detail)
    records = {entry.operation_id: Record(1, "", FakeClock().now(), 1, entry)}
    made: list[ActionRequest] = []
    corrected: list[Recommendation] = []
    action = replace(STOP, observe=lambda *_: pytest.fail("its resource was read"), preflight=lambda *_: ())

    _proposer(by, [item], action, create=made.append, corrected=corrected, find=records.get).follow_up(by, _SCAN)

    assert made == []
    (kept,) = corrected
    assert kept.note == "k8s.bob denied the same act in gone/other; it is asked again on 2026-03-13."


_TWO = [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}]
_SCAN = cast("ScanSummary", SimpleNamespace(complete_failure="", gaps=()))


def _proposer(
    by: ScanPolicy,
    items: list[Recommendation],
    action: Action,
    *,
    stopping: Callable[[], bool] = lambda: False,
    create: Callable[[ActionRequest], object] = lambda _request: None,
    corrected: list[Recommendation] | None = None,
    take_in: Callable[[ActionRequest], object] = lambda request: request,
    find: Callable[[str], Record | None] = lambda _operation_id: None,
) -> Proposer:
    cache = [] if corrected is None else corrected
    nothing = SimpleNamespace(all=lambda: ())
    requests = SimpleNamespace(found=lambda: (), cache=nothing, api=SimpleNamespace(get=lambda *_: None), create=create)
    return Proposer(
        requests=cast("Any", requests),
        policy_now=lambda _namespace, name: by if name == by.metadata.name else None,
        accounts=lambda: (account(allow=[{"namespaces": ["team-a"], "actions": [action.id]}]),),
        recommendations=lambda _policy: iter(items),
        correct=lambda _policy, changed: cache.extend(changed),
        kinds=load_kinds(),
        actions={action.id: action},
        sessions=cast("Any", SimpleNamespace(reader=lambda *_args, **_named: object())),
        access=access_of,
        ledger=cast("Any", SimpleNamespace(append=lambda _entry: None, find=find)),
        decider=cast("Any", SimpleNamespace(is_ours=lambda _request: True, advance=take_in)),
        clock=FakeClock(),
        may_write=lambda: True,
        stopping=stopping,
    )
