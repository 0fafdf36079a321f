"""The end of an act brings one scan of its policy: soon, once for a burst, and never one after the other for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import NOW, policy, recommendation, request, scanned_status

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import Execution
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import State
from finops_operator.policies.rescan import EndedActs

KEY = ("team-a", "p")
SCANNED = policy(status=scanned_status(NOW))


def act(
    state: State, number: int = 1, *, started: datetime = NOW + timedelta(minutes=5), dry_run: bool = False
) -> ActionRequest:
    by = policy(actions={"mode": "DryRun"}) if dry_run else None
    made = request(recommendation(number), state, by=by)
    status = made.status.model_copy(update={"execution": Execution(step="stop", attempt=1, started_at=started)})
    return made.model_copy(update={"status": status})


def known(_namespace: str, name: str) -> ScanPolicy | None:
    return SCANNED if name == "p" else None


def seeing(clock: FakeClock, *looks: list[ActionRequest]) -> EndedActs:
    ended = EndedActs(clock)
    for look in looks:
        ended.see(look, known)
    return ended


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.ROLLED_BACK])
def test_an_act_that_ends_makes_its_policy_due_within_seconds(state: State) -> None:
    clock = FakeClock()
    ended = seeing(clock, [act(State.EXECUTING)], [act(state)])

    assert ended.wait_seconds(KEY) == 3
    clock.sleep(3)
    assert ended.wait_seconds(KEY) == 0
    assert ended.wait_seconds(("team-a", "other")) is None


def test_the_scan_that_answers_it_is_the_only_one_however_often_the_end_is_seen() -> None:
    clock = FakeClock()
    ended = seeing(clock, [act(State.EXECUTING)], [act(State.SUCCEEDED)])
    clock.sleep(3)
    ended.answered(KEY, ended.count(KEY))

    for _ in range(5):
        clock.sleep(60)
        ended.see([act(State.SUCCEEDED)], known)
        assert ended.wait_seconds(KEY) is None


def test_a_burst_of_ends_makes_one_scan_and_does_not_put_it_off_for_ever() -> None:
    clock = FakeClock()
    acts = [act(State.EXECUTING, number) for number in range(10)]
    ended = seeing(clock, acts)
    begun = clock.monotonic()
    for number in range(10):
        acts[number] = act(State.SUCCEEDED, number)
        ended.see(acts, known)
        if ended.wait_seconds(KEY) == 0:
            break
        clock.sleep(2)

    assert clock.monotonic() - begun == pytest.approx(15, abs=2)
    ended.see([act(State.SUCCEEDED, number) for number in range(10)], known)
    ended.answered(KEY, ended.count(KEY))
    assert ended.wait_seconds(KEY) is None


def test_an_end_during_the_scan_gets_one_of_its_own_after_a_pause() -> None:
    clock = FakeClock()
    ended = seeing(
        clock, [act(State.EXECUTING), act(State.EXECUTING, 2)], [act(State.SUCCEEDED), act(State.EXECUTING, 2)]
    )
    clock.sleep(3)
    count = ended.count(KEY)
    ended.see([act(State.SUCCEEDED), act(State.SUCCEEDED, 2)], known)
    ended.answered(KEY, count)

    assert ended.wait_seconds(KEY) == 30
    clock.sleep(30)
    assert ended.wait_seconds(KEY) == 0
    ended.answered(KEY, ended.count(KEY))
    assert ended.wait_seconds(KEY) is None


def test_a_scan_that_broke_off_answers_nothing() -> None:
    clock = FakeClock()
    ended = seeing(clock, [act(State.EXECUTING)], [act(State.SUCCEEDED)])
    clock.sleep(3)
    ended.count(KEY)
    assert ended.wait_seconds(KEY) == 0


@pytest.mark.parametrize(
    "state", [State.STALE, State.DENIED, State.EXPIRED, State.WITHDRAWN, State.SUPERSEDED, State.NEEDS_HUMAN]
)
def test_ends_without_an_effect_and_acts_that_go_on_ask_for_nothing(state: State) -> None:
    assert seeing(FakeClock(), [act(State.EXECUTING)], [act(state)]).wait_seconds(KEY) is None


def test_a_dry_run_changes_nothing_and_asks_for_nothing() -> None:
    looks = [act(State.EXECUTING, dry_run=True)], [act(State.SUCCEEDED, dry_run=True)]
    assert seeing(FakeClock(), *looks).wait_seconds(KEY) is None


def test_after_a_restart_only_acts_that_the_last_scan_cannot_have_seen_ask_for_one() -> None:
    before, after = act(State.SUCCEEDED, started=NOW - timedelta(minutes=1)), act(State.SUCCEEDED)
    assert seeing(FakeClock(), [before]).wait_seconds(KEY) is None
    assert seeing(FakeClock(), [after]).wait_seconds(KEY) is not None
    # The clock of the process that acted may go wrong: once is enough all the same.
    clock = FakeClock()
    ahead = act(State.SUCCEEDED, started=NOW + timedelta(days=1))
    ended = seeing(clock, [ahead])
    ended.answered(KEY, ended.count(KEY))
    ended.see([ahead], known)
    assert ended.wait_seconds(KEY) is None


def test_after_a_restart_an_end_is_kept_until_its_policy_has_been_shown() -> None:
    ended = EndedActs(FakeClock())
    ended.see([act(State.SUCCEEDED)], lambda _namespace, _name: None)
    assert ended.wait_seconds(KEY) is None
    ended.see([act(State.SUCCEEDED)], known)
    assert ended.wait_seconds(KEY) is not None


def test_a_deleted_policy_is_forgotten() -> None:
    ended = seeing(FakeClock(), [act(State.EXECUTING)], [act(State.SUCCEEDED)])
    ended.forget_all_but(set())
    assert ended.wait_seconds(KEY) is None
