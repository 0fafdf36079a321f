"""What the watches show, and whether they are alive."""

from __future__ import annotations

import threading
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_clock import FakeClock
from tests.support.sample_requests import resize_request
from tests.support.scan_samples import policy

from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary

KEY = ("team-a", "p")


def test_a_write_that_comes_back_is_confirmed() -> None:
    clock = FakeClock()
    canary = Canary(clock)
    canary.wrote("ScanPolicy", KEY, "5")
    clock.sleep(10)
    assert canary.oldest_unseen_seconds() == {"ScanPolicy": 10}

    canary.saw("ScanPolicy", KEY, "6")

    assert canary.oldest_unseen_seconds() == {"ScanPolicy": 0}
    assert canary.problem(1) == ""


def test_older_events_and_other_objects_confirm_nothing() -> None:
    clock = FakeClock()
    canary = Canary(clock)
    canary.wrote("ScanPolicy", KEY, "5")
    canary.saw("ScanPolicy", KEY, "4")
    canary.saw("ScanPolicy", ("team-a", "q"), "9")
    canary.saw("Approval", KEY, "9")
    canary.saw("ScanPolicy", KEY, "opaque")
    clock.sleep(61)

    assert canary.problem(60) == "own writes never came back through the watch: ScanPolicy 61s"


def test_an_event_that_overtakes_the_answer_of_its_write_counts() -> None:
    clock = FakeClock()
    canary = Canary(clock)

    canary.saw("ScanPolicy", KEY, "5")
    canary.wrote("ScanPolicy", KEY, "5")
    clock.sleep(1000)

    assert canary.problem(60) == ""


def test_later_writes_do_not_make_a_dead_watch_seem_young() -> None:
    clock = FakeClock()
    canary = Canary(clock)
    for version in range(10):
        canary.wrote("ScanPolicy", KEY, str(version))
        clock.sleep(10)

    assert canary.oldest_unseen_seconds()["ScanPolicy"] == 100


def test_an_object_that_is_gone_is_not_awaited() -> None:
    canary = Canary(FakeClock())
    canary.wrote("ScanPolicy", KEY, "5")
    canary.gone("ScanPolicy", KEY)
    canary.wrote("ScanPolicy", KEY, "opaque")

    assert canary.oldest_unseen_seconds() == {"ScanPolicy": 0}


def test_a_quiet_kind_is_touched_and_a_busy_or_awaited_one_is_not() -> None:
    clock = FakeClock()
    canary = Canary(clock)
    assert not canary.idle("ScanPolicy", 60)
    clock.sleep(61)
    assert canary.idle("ScanPolicy", 60)
    canary.saw("ScanPolicy", KEY, "1")
    assert not canary.idle("ScanPolicy", 60)
    clock.sleep(61)
    canary.wrote("ScanPolicy", KEY, "2")
    assert not canary.idle("ScanPolicy", 60)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_whatever_the_order_a_live_watch_is_never_called_dead(steps: list[tuple[bool, int]]) -> None:
    clock = FakeClock()
    canary = Canary(clock)
    for version, (event_first, name) in enumerate(steps):
        key = ("n", str(name))
        if event_first:
            canary.saw("K", key, str(version))
        canary.wrote("K", key, str(version))
        if not event_first:
            canary.saw("K", key, str(version))
    clock.sleep(10_000)

    assert canary.problem(60) == ""


def raw(version: str, *, name: str = "p", uid: str = "", **spec: Any) -> dict[str, Any]:
    document = policy(name=name, **spec).to_object()
    document["metadata"]["resourceVersion"] = version
    document["metadata"]["uid"] = uid or document["metadata"]["uid"]
    return document


def test_an_older_event_never_replaces_a_newer_own_write() -> None:
    cache = ClusterCache()
    cache.policies.saw(raw("7", suspend=True))
    cache.policies.saw(raw("6"))

    kept = cache.policies.get("team-a", "p")
    assert kept is not None
    assert kept.spec.suspend is True
    cache.policies.saw(raw("8", uid="another"))
    assert cache.policies.all()[0].metadata.uid == "another"


def test_a_deleted_object_is_gone_and_a_ghost_of_it_can_be_dropped() -> None:
    cache = ClusterCache()
    cache.policies.saw(raw("7"))
    ghost = cache.policies.all()[0]
    cache.policies.saw(raw("8"), deleted=True)
    assert cache.policies.all() == ()

    cache.policies.put(ghost)
    cache.policies.drop(("team-a", "p"), "another uid")
    assert len(cache.policies.all()) == 1
    cache.policies.drop(("team-a", "p"), ghost.metadata.uid)
    cache.policies.drop(("team-a", "p"), ghost.metadata.uid)

    assert cache.policies.all() == ()


def test_an_object_that_does_not_parse_is_set_aside_with_its_problem() -> None:
    cache = ClusterCache()
    cache.policies.saw(raw("7"))
    broken = raw("8")
    broken["spec"]["schedule"] = 5
    cache.policies.saw(broken)

    assert cache.policies.all() == ()
    (found,) = cache.policies.broken()
    assert "schedule" in found.problem
    cache.policies.saw(raw("9"))
    assert (len(cache.policies.all()), cache.policies.broken()) == (1, ())
    cache.policies.saw(broken)
    cache.policies.saw(broken, deleted=True)
    assert cache.policies.broken() == ()


def test_every_event_wakes_whoever_waits() -> None:
    cache = ClusterCache()
    seen = cache.wait(-1, 0)
    threading.Timer(0.05, cache.policies.saw, (raw("1"),)).start()
    begun = time.monotonic()

    assert cache.wait(seen, 10) > seen
    assert time.monotonic() - begun < 5
    assert cache.wait(cache.wait(-1, 0), 0.01) == cache.wait(-1, 0)


def test_votes_are_found_by_the_name_of_their_request() -> None:
    cache = ClusterCache()
    request = resize_request()

    assert cache.approvals_of(request) == ()
