"""The bot's copy of the cluster when watches begin, fail and begin again; the watches here are played by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.support.played_watches import SYNCED, Played, shown
from tests.support.sample_requests import resize_request

from finops.errors import Refused
from finops_slackbot.mirror import Mirror


class Stage:
    """A mirror with both of its kinds played."""

    def __init__(self) -> None:
        self.requests, self.approvals = Played(), Played()
        self.told: list[str] = []
        self.mirror = Mirror(self.told.append)
        self.stop = threading.Event()

    def start(self, *namespaces: str) -> None:
        self.threads = self.mirror.start(self.requests, self.approvals, self.stop, namespaces)

    def until(self, probe: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 5
        while not probe():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("finops_slackbot.mirror._RETRY_SECONDS", 0.02)
    made = Stage()
    yield made
    made.stop.set()
    for thread in made.threads:
        thread.join(5)


def test_every_namespace_is_watched_and_that_all_are_read_is_logged_once(stage: Stage) -> None:
    stage.start("a", "b", "a")
    for kind in (stage.requests, stage.approvals):
        kind.give("a", SYNCED)
    stage.requests.give("b", SYNCED)
    stage.until(lambda: stage.mirror.problem() == "approvals in b: not read yet")
    assert stage.told == []

    stage.approvals.give("b", SYNCED)

    stage.until(lambda: not stage.mirror.problem())
    stage.until(lambda: stage.told == [""])
    assert sorted(map(str, stage.requests.asked)) == ["a", "b"]


def test_without_namespaces_the_whole_cluster_is_watched(stage: Stage) -> None:
    stage.start()
    stage.until(lambda: stage.requests.asked == stage.approvals.asked == [None])
    assert stage.mirror.problem() == "actionrequests: not read yet; approvals: not read yet"


def test_a_namespace_that_cannot_be_read_is_named_and_the_others_are_followed(stage: Stage) -> None:
    stage.start("a", "b")
    stage.requests.give("b", Refused("may not list actionrequests", code="Forbidden"))
    stage.requests.give("a", shown("ADDED", resize_request(uid="one")), SYNCED)
    for namespace in ("a", "b"):
        stage.approvals.give(namespace, SYNCED)

    stage.until(lambda: stage.mirror.problem() == "actionrequests in b: may not list actionrequests")
    stage.until(lambda: stage.mirror.uids() == {"one"})
    stage.requests.give("b", shown("ADDED", resize_request(uid="two", name="two")), SYNCED)

    stage.until(lambda: not stage.mirror.problem())
    assert stage.mirror.uids() == {"one", "two"}


def test_what_went_while_the_right_to_watch_was_missing_is_gone(stage: Stage) -> None:
    stage.start("a")
    kept, deleted = resize_request(uid="kept", name="kept"), resize_request(uid="deleted", name="deleted")
    stage.requests.give("a", shown("ADDED", kept), shown("ADDED", deleted), SYNCED)
    stage.until(lambda: stage.mirror.uids() == {"kept", "deleted"})
    stage.requests.give("a", Refused("not now", code="Forbidden"), shown("ADDED", kept))
    stage.until(lambda: len(stage.requests.asked) == 2)
    assert stage.mirror.uids() == {"kept", "deleted"}

    stage.requests.give("a", SYNCED)

    stage.until(lambda: stage.mirror.uids() == {"kept"})
