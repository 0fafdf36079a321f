"""Which act goes first among those of one kind: never two ahead of each other, never an undo or a dry run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sample_requests import resize_request

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.crds.request_status import UndoStatus, WatchStatus
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops_operator.rules.canary import begun_without_request, ended_well, goes_first, is_of_kind, may_prove

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_STATES = ("Pending", "Approved", "Scheduled", "Executing", "Verifying", "Succeeded", "RolledBack", "NeedsHuman")


def act(name: str, state: str, minute: int | None = None, *, dry_run: bool = False) -> ActionRequest:
    status: dict[str, object] = {"state": state}
    if minute is not None:
        at = (NOW + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")
        status |= {"scheduledFor": at, "execution": {"startedAt": at}}
    return resize_request(name=name, uid=name, status=status, dry_run=dry_run)


def undo(of: ActionRequest) -> ActionRequest:
    spec = of.spec.model_copy(update={"undoes": UndoneAct(name="a", uid="a", required=1)})
    return of.model_copy(update={"spec": spec})


@given(
    st.lists(st.tuples(st.sampled_from(_STATES), st.integers(0, 3)), min_size=1, max_size=4).map(
        lambda found: [act(f"r-{place}", state, minute) for place, (state, minute) in enumerate(found)]
    )
)
def test_of_those_under_way_exactly_one_waits_for_nobody(acts: list[ActionRequest]) -> None:
    under_way = [one for one in acts if (one.status.state or "") in {"Scheduled", "Executing", "Verifying"}]
    free = [one for one in under_way if goes_first(one, acts) is None]
    assert len(free) == min(1, len(under_way))
    assert not any(goes_first(one, [other]) and goes_first(other, [one]) for one, other in permutations(acts, 2))


def test_what_is_only_approved_waits_for_whatever_is_under_way() -> None:
    running = act("r-1", "Executing", 5)
    assert goes_first(act("r-2", "Approved"), [running]) == running
    assert goes_first(act("r-2", "Approved"), [act("r-1", "Approved"), act("r-0", "RolledBack", 1)]) is None


def test_an_undo_and_a_dry_run_neither_wait_nor_go_first() -> None:
    running, waiting = act("r-1", "Executing", 5), act("r-2", "Approved")
    assert goes_first(undo(waiting), [running]) is None
    assert goes_first(act("r-2", "Approved", dry_run=True), [running]) is None
    assert goes_first(waiting, [undo(running), act("r-3", "Executing", 1, dry_run=True)]) is None


def test_only_acts_that_ended_well_within_a_day_may_prove_the_kind_the_latest_first() -> None:
    acts = [
        act("old", "Succeeded", -24 * 60),
        act("good", "Succeeded", -60),
        act("better", "Succeeded", -30),
        undo(act("undo", "Succeeded", -5)),
    ]
    assert [one.metadata.name for one in may_prove(acts, NOW)] == ["better", "good"]


def test_what_ended_well_before_another_failed_proves_nothing() -> None:
    acts = [act("before", "Succeeded", -60), act("after", "Succeeded", -10)]
    for state in ("RolledBack", "NeedsHuman"):
        assert [one.metadata.name for one in may_prove([*acts, act("bad", state, -30)], NOW)] == ["after"]
    assert len(may_prove([*acts, undo(act("bad", "RolledBack", -30)), act("bad", "Stale", -30)], NOW)) == 2


@pytest.mark.parametrize("undo_state", [None, "Succeeded", "Denied"])
def test_an_act_that_did_worse_than_promised_failed_whether_it_was_undone_or_not(undo_state: str | None) -> None:
    at = (NOW + timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    shown = {"state": "Worse", "until": at, "worse": "Its CPU is full."}
    bad = act("bad", "Succeeded", -30)
    undone = None if undo_state is None else UndoStatus(request="u", state=State(undo_state))
    status = bad.status.model_copy(update={"watch": WatchStatus.model_validate(shown), "undo": undone})
    bad = bad.model_copy(update={"status": status})

    acts = [act("before", "Succeeded", -60), bad, act("after", "Succeeded", -10)]

    assert [one.metadata.name for one in may_prove(acts, NOW)] == ["after"]


def test_only_what_the_ledger_knows_as_verified_and_not_as_worse_ended_well() -> None:
    def ended(*entries: Entry) -> bool:
        return ended_well([Record(number, "0" * 64, NOW, 1, one) for number, one in enumerate(entries, start=1)])

    verified = recorded("u", RecordKind.VERIFIED, "Succeeded")
    assert ended(verified)
    assert ended(verified, recorded("u", RecordKind.WATCHED, "unknown"))
    assert not ended(verified, recorded("u", RecordKind.WATCHED, "worse"))
    assert not ended(recorded("u"))


def test_a_kind_is_one_action_of_one_policy() -> None:
    raw = {"spec": {"policy": "p", "action": "ec2_instance_stop"}}
    assert is_of_kind(raw, "p", "ec2_instance_stop")
    assert not is_of_kind(raw, "q", "ec2_instance_stop")
    assert not is_of_kind(raw, "p", "ec2_instance_resize")
    assert not is_of_kind({"spec": None}, "p", "ec2_instance_stop")


_KIND = ("team-a", "savings", "ec2_instance_stop")


def recorded(uid: str, kind: RecordKind = RecordKind.OUTCOME, result: str = "started", **detail: Json) -> Entry:
    found: dict[str, Json] = {"policy": "savings", "plan": {"action": "ec2_instance_stop"}, **detail}
    return Entry(f"{uid}:{result}", "operator", kind, f"team-a/r-{uid}/{uid}", result=result, detail=found)


def ahead(*entries: Entry, seen: tuple[str, ...] = ("me",)) -> str:
    records = [Record(number, "0" * 64, NOW, 1, one) for number, one in enumerate(entries, start=1)]
    return begun_without_request(records, _KIND, seen, "me")


def test_an_act_whose_request_was_deleted_goes_first_until_it_has_ended() -> None:
    assert ahead(recorded("gone")) == "r-gone"
    assert ahead(recorded("gone"), seen=("me", "gone")) == "", "its request says how it stands"
    assert ahead(recorded("gone"), recorded("gone", RecordKind.VERIFIED, "Succeeded")) == ""
    assert ahead(recorded("gone"), recorded("gone", result="RolledBack")) == ""
    assert ahead(recorded("gone"), recorded("gone", result="NeedsHuman")) == "r-gone"


def test_acts_of_another_kind_undos_and_what_began_later_are_not_ahead() -> None:
    assert ahead(recorded("gone", policy="other")) == ""
    assert ahead(recorded("gone", plan={"action": "ebs_volume_delete"})) == ""
    assert ahead(recorded("gone", RecordKind.PROPOSED, "created", undoes="team-a/a/a"), recorded("gone")) == ""
    assert ahead(recorded("me"), recorded("gone")) == ""
