"""What pods of a scan are asked and find is kept while somebody waits for it, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest

from finops.store.connection import Store
from finops.store.keys import WorkKeys
from finops.store.scan_work import ScanWork

SCAN = "20260301T000000-abc"
DAY = 86_400


@pytest.fixture
def work(store: Store) -> ScanWork:
    return ScanWork(store)


def left(store: Store) -> list[str]:
    return sorted(store.client.scan_iter(WorkKeys(store.keys.prefix).of("*")))


def expiry(store: Store) -> int:
    client: Any = store.client
    return int(client.ttl(WorkKeys(store.keys.prefix).of(SCAN)))


def test_what_a_pod_found_is_there_for_the_scan_that_asked(work: ScanWork, store: Store) -> None:
    work.ask(SCAN, "the work")
    assert work.asked(SCAN) == "the work"
    assert work.found(SCAN, 1) is None
    assert not work.begin(SCAN, 1)
    assert work.begin(SCAN, 1), "a pod was killed, and this is the next one"
    assert not work.begin(SCAN, 0)
    assert work.put(SCAN, 1, "found")
    assert work.put(SCAN, 1, ""), "also what is empty"
    assert work.put(SCAN, 1, "found again"), "the same part done twice"
    assert work.found(SCAN, 1) == "found again"
    assert 0 < expiry(store) <= DAY


def test_a_pod_that_outlives_its_scan_leaves_nothing_in_the_store(work: ScanWork, store: Store) -> None:
    work.ask(SCAN, "the work")
    assert not work.begin(SCAN, 0)
    work.drop(SCAN)
    assert not work.begin(SCAN, 0)
    assert not work.begin(SCAN, 0)
    assert not work.put(SCAN, 0, "found")
    assert left(store) == []


def test_a_scan_that_nobody_asked_for_is_not_begun(work: ScanWork, store: Store) -> None:
    assert work.asked(SCAN) is None
    assert not work.begin(SCAN, 0)
    assert not work.put(SCAN, 0, "found")
    assert left(store) == []


def test_what_is_kept_ends_by_itself_however_late_a_pod_writes(work: ScanWork, store: Store) -> None:
    work.ask(SCAN, "the work")
    client: Any = store.client
    client.expire(WorkKeys(store.keys.prefix).of(SCAN), 100)
    work.begin(SCAN, 0)
    work.put(SCAN, 0, "found")
    assert 0 < expiry(store) <= 100
    client.expire(WorkKeys(store.keys.prefix).of(SCAN), 0)
    assert not work.put(SCAN, 0, "found")
    assert left(store) == []


def test_a_drop_between_question_and_answer_is_no_gap(work: ScanWork, store: Store, monkeypatch: Any) -> None:
    """Whether somebody waits is asked in the same step that writes."""
    work.ask(SCAN, "the work")
    monkeypatch.setattr(ScanWork, "asked", lambda *_: "the work")
    work.drop(SCAN)
    assert not work.put(SCAN, 0, "found")
    assert left(store) == []
