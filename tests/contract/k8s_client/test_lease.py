"""The Lease and its fence, on a clock that the test moves."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import client
from tests.contract.k8s_client.conftest import Place
from tests.support.fake_clock import FakeClock

from finops.errors import ClusterUnavailable, FenceLost
from finops.k8s.lease import Lease

SECONDS = 30


def lease(place: Place, name: str, holder: str, clock: FakeClock, process: str = "1") -> Lease:
    return Lease(
        place.connection,
        namespace=place.namespace,
        name=name,
        holder=holder,
        process=process,
        seconds=SECONDS,
        clock=clock,
    )


def record(place: Place, name: str) -> Any:
    return client.CoordinationV1Api(place.connection.api).read_namespaced_lease(name, place.namespace)


def fresh_name() -> str:
    return f"l-{uuid.uuid4().hex[:8]}"


def test_the_first_holder_starts_at_the_floor_and_never_below_one(place: Place) -> None:
    clock = FakeClock()
    first, second = (lease(place, fresh_name(), "a", clock) for _ in range(2))

    assert [held.fence for held in (first.try_acquire(0), second.try_acquire(7)) if held] == [1, 7]
    assert second.guard().until == clock.monotonic() + SECONDS


def test_another_one_waits_a_whole_duration_after_the_last_change_it_saw(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "a", clock), lease(place, name, "b", clock)
    assert ours.try_acquire(1)
    clock.sleep(1000)
    assert theirs.try_acquire(1) is None
    clock.sleep(SECONDS)
    assert theirs.try_acquire(1) is None
    clock.sleep(0.1)

    held = theirs.try_acquire(1)

    assert held is not None
    assert held.fence == 2
    with pytest.raises(FenceLost):
        ours.guard()
    assert ours.renew() is False


def test_a_renewed_lease_is_never_taken(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "a", clock), lease(place, name, "b", clock)
    ours.try_acquire(1)
    for _ in range(12):
        clock.sleep(ours.renew_every_seconds)
        assert ours.renew()
        assert theirs.try_acquire(1) is None
    assert ours.guard().fence == 1
    assert record(place, name).spec.holder_identity == "a_1"


def test_the_same_holder_gets_a_higher_fence_at_every_acquisition(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    before, after = lease(place, name, "a", clock), lease(place, name, "a", clock)

    assert [one.fence for one in (before.try_acquire(1), after.try_acquire(1)) if one] == [1, 2]
    assert before.renew() is False
    assert after.renew() is True


def test_a_deleted_lease_starts_no_old_count(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours = lease(place, name, "a", clock)
    ours.try_acquire(41)
    client.CoordinationV1Api(place.connection.api).delete_namespaced_lease(name, place.namespace)

    assert ours.renew() is False
    with pytest.raises(FenceLost):
        ours.guard()
    held = ours.try_acquire(42)
    assert held is not None
    assert held.fence == 42


def test_a_released_lease_is_free_at_once_and_keeps_its_count(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "a", clock), lease(place, name, "b", clock)
    ours.try_acquire(5)
    ours.release()
    ours.release()

    held = theirs.try_acquire(1)

    assert held is not None
    assert held.fence == 6
    assert ours.renew() is False


def test_releasing_what_somebody_else_took_changes_nothing(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "a", clock), lease(place, name, "a", clock)
    ours.try_acquire(1)
    theirs.try_acquire(1)

    ours.release()

    assert record(place, name).spec.holder_identity == "a_1"
    assert theirs.renew()


def test_somebody_who_only_touches_the_record_takes_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, name = FakeClock(), fresh_name()
    ours = lease(place, name, "a", clock)
    ours.try_acquire(1)
    api, read = client.CoordinationV1Api(place.connection.api), ours._read
    touched: list[Any] = []

    def read_then_touched() -> Any:
        found = read()
        if not touched:
            touched.append(api.patch_namespaced_lease(name, place.namespace, {"metadata": {"labels": {"x": "y"}}}))
        return found

    monkeypatch.setattr(ours, "_read", read_then_touched)

    assert ours.renew() is True
    assert ours.guard().fence == 1


def test_an_api_server_that_does_not_answer_lets_the_lease_run_out_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, name = FakeClock(), fresh_name()
    ours = lease(place, name, "a", clock)
    ours.try_acquire(1)

    def silent() -> Any:
        raise ClusterUnavailable("nobody answers")

    monkeypatch.setattr(ours, "_read", silent)
    clock.sleep(SECONDS - 1)
    assert ours.renew() is True
    assert ours.guard().fence == 1
    clock.sleep(1)
    assert ours.renew() is False
    with pytest.raises(FenceLost):
        ours.guard()


def test_waiting_for_a_lease_ends_when_the_process_does(place: Place) -> None:
    clock, name, stop = FakeClock(), fresh_name(), threading.Event()
    lease(place, name, "a", clock).try_acquire(1)
    threading.Timer(0.1, stop.set).start()

    assert lease(place, name, "b", clock).acquire(lambda: 1, stop) is None
    assert lease(place, fresh_name(), "b", clock).acquire(lambda: 3, threading.Event()) is not None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["acquire", "renew", "release", "restart", "delete", "time"]),
        st.integers(0, 1),
        st.integers(1, 40),
    ),
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_the_fence_never_falls_and_two_never_hold_it(
    place: Place, steps: list[tuple[str, int, int]]
) -> None:
    clock, name, highest = FakeClock(), fresh_name(), 0
    everyone = [lease(place, name, holder, clock) for holder in ("a", "b")]
    for what, who, amount in steps:
        one = everyone[who]
        if what == "acquire" and (held := one.try_acquire(highest + 1)):
            assert held.fence > highest
            highest = held.fence
        elif what == "renew":
            one.renew()
        elif what == "release":
            one.release()
        elif what == "restart":
            # A container that starts anew has the name of its dead predecessor.
            everyone[who] = lease(place, name, "ab"[who], clock)
        elif what == "time":
            clock.sleep(amount)
        elif what == "delete" and highest and not any(_holds(other) for other in everyone):
            client.CoordinationV1Api(place.connection.api).delete_collection_namespaced_lease(
                place.namespace, field_selector=f"metadata.name={name}"
            )
        assert sum(map(_holds, everyone)) <= 1


def _holds(one: Lease) -> bool:
    try:
        one.guard()
    except FenceLost:
        return False
    return True


def test_two_processes_of_one_name_do_not_both_hold_the_lease(place: Place) -> None:
    """Two processes can have one name, as after a pod is replaced: a name alone is no holder."""
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "operator-0", clock, "1"), lease(place, name, "operator-0", clock, "2")
    assert ours.try_acquire(1)

    assert theirs.try_acquire(1) is None
    with pytest.raises(FenceLost):
        theirs.guard()
    assert ours.guard().fence == 1
    assert ours.holder != theirs.holder


def test_a_process_that_is_surely_dead_is_succeeded_at_once_by_its_own_name_alone(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    dead, stranger = lease(place, name, "operator-0", clock, "1"), lease(place, name, "operator-0", clock, "2")
    heir = lease(place, name, "operator-0", clock, "3")
    assert dead.try_acquire(1)
    stranger.succeed("operator-0_9")
    heir.succeed(dead.holder)

    assert stranger.try_acquire(1) is None
    held = heir.try_acquire(1)

    assert held is not None
    assert held.fence == 2


def test_a_lease_that_was_ended_is_free_at_once_and_never_taken_again_by_that_process(place: Place) -> None:
    clock, name = FakeClock(), fresh_name()
    ours, theirs = lease(place, name, "a", clock), lease(place, name, "b", clock)
    ours.try_acquire(1)

    ours.end()

    assert (record(place, name).spec.holder_identity or "", ours.renew(), ours.try_acquire(1)) == ("", False, None)
    with pytest.raises(FenceLost):
        ours.guard()
    held = theirs.try_acquire(1)
    assert held is not None
    assert held.fence == 2


@pytest.mark.parametrize("write", ["create", "replace"])
def test_a_write_under_way_while_the_lease_is_ended_holds_nothing_and_frees_what_it_wrote(
    write: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, name = FakeClock(), fresh_name()
    ours = lease(place, name, "a", clock)
    if write == "replace":
        ours.try_acquire(1)
    method = f"{write}_namespaced_lease"
    original = getattr(ours._api, method)
    ended: list[str] = []

    def ends_meanwhile(*arguments: Any, **named: Any) -> Any:
        answer = original(*arguments, **named)
        if not ended:
            ended.append(method)
            ours.end()
        return answer

    monkeypatch.setattr(ours._api, method, ends_meanwhile)

    held = ours.renew() if write == "replace" else ours.try_acquire(1)

    assert not held
    assert not record(place, name).spec.holder_identity


def test_a_renewal_that_comes_between_does_not_keep_a_lease_from_being_freed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, name = FakeClock(), fresh_name()
    ours = lease(place, name, "a", clock)
    ours.try_acquire(1)
    original, renewed = ours._api.replace_namespaced_lease, list[int]()

    def after_a_renewal(*arguments: Any, **named: Any) -> Any:
        if not renewed:
            renewed.append(1)
            current = record(place, name)
            current.metadata.labels = {"renewed": "yes"}
            client.CoordinationV1Api(place.connection.api).replace_namespaced_lease(name, place.namespace, current)
        return original(*arguments, **named)

    monkeypatch.setattr(ours._api, "replace_namespaced_lease", after_a_renewal)

    ours.end()

    assert not record(place, name).spec.holder_identity
