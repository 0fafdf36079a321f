"""Whoever trims the ledger's stream in the store is found, however old the records are that he removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.contract.ledger.test_anchored_ledger import Estate, estate, filled, vote
from tests.contract.ledger.test_audit_commands import Ledger, made, store

from finops.errors import LedgerDiverged
from finops.ports.clock import SystemClock
from finops.settings import Settings
from finops.store.backup import Held
from finops.store.connection import Store
from finops.store.ledger import LedgerStream, unchecked
from finops_operator.cli.diagnosis.result import Verdict
from finops_operator.cli.diagnosis.store import diagnose_store
from finops_web.readings.verdicts import Verdicts

__all__ = ["estate", "made", "store"]


def without_the_beginning(store: Store) -> None:
    client: Any = store.client
    client.xtrim(store.keys.ledger, minid="3-0", approximate=False)


def without_one(store: Store) -> None:
    store.client.xdel(store.keys.ledger, "2-0")


def with_one_after_the_end(store: Store) -> None:
    store.client.xadd(store.keys.ledger, {"hash": "none"}, id="999-0")


TAMPERED: dict[str, Callable[[Store], None]] = {
    "trimmed": without_the_beginning,
    "one removed": without_one,
    "one added": with_one_after_the_end,
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_running_operator_stops_soon_and_the_next_start_refuses(how: str, estate: Estate) -> None:
    ledger = filled(estate)
    ledger.keep_anchor(at_once=True)
    assert not ledger.problem
    TAMPERED[how](estate.store)

    with pytest.raises(LedgerDiverged, match="removed some or added others"):
        ledger.keep_anchor()
    assert "entries" in ledger.problem
    with pytest.raises(LedgerDiverged):
        ledger.append(vote(99))
    before = estate.lines()
    with pytest.raises(LedgerDiverged):
        estate.start()
    assert estate.lines() == before, "what was found stays as it was found"


def test_a_stream_that_has_all_its_records_is_whole(estate: Estate) -> None:
    assert LedgerStream(estate.store, unchecked).whole_head().sequence == 0
    ledger = filled(estate)
    assert LedgerStream(estate.store, unchecked).whole_head() == ledger.head()


@pytest.fixture
def headless(made: Ledger, store: Store) -> Ledger:
    """A ledger without its last record: what is left of the stream is a ledger in good order."""
    store.client.xdel(store.keys.ledger, f"{made.ledger.head().sequence}-0")
    return made


def test_what_is_left_of_a_stream_passes_for_the_whole_neither_in_an_export_nor_when_verified(headless: Ledger) -> None:
    code, exported, err = headless.finops("export", "--redis", headless.url)
    assert code != 0
    assert exported.endswith("export failed, records are missing: LedgerDiverged\n")
    assert "removed some" in err

    assert headless.finops("verify", "--file", headless.save("export", exported))[0] == 1
    code, out, err = headless.finops("verify", "--redis", headless.url)
    assert code == 1
    assert "NOT intact" in out + err
    assert "removed some" in err


def test_doctor_and_the_dashboards_verdict_say_so_too(headless: Ledger, store: Store) -> None:
    settings = Settings(redis_url=headless.url, redis_prefix=store.keys.prefix, store_allow_unauthenticated=True)
    said = {one.check: one for one in diagnose_store(settings)}["ledger"]
    assert said.verdict is Verdict.FAILED
    assert "removed some" in said.detail

    verdict = Verdicts(store, None, SystemClock()).verdict(again=True)
    assert verdict is not None
    assert not verdict.intact
    assert verdict.first_problem is not None
    assert "removed some" in verdict.first_problem.message


@pytest.mark.parametrize("ways", [("list",), ("list", "-o", "json"), ("prove", "r")], ids=" ".join)
def test_what_is_listed_or_proved_of_it_is_not_taken_for_the_whole(ways: tuple[str, ...], headless: Ledger) -> None:
    code, _, err = headless.finops(*ways, "--redis", headless.url)
    assert code != 0
    assert "removed some" in err or "not in its stream" in err


@pytest.mark.parametrize("how", ["trimmed", "one removed", "the last removed"])
def test_it_is_not_backed_up(how: str, made: Ledger, store: Store, tmp_path: Path) -> None:
    if how == "the last removed":
        store.client.xdel(store.keys.ledger, f"{made.ledger.head().sequence}-0")
    else:
        TAMPERED[how](store)
    with pytest.raises(LedgerDiverged, match="removed some"):
        list(Held(store).records(made.ledger.head().sequence))
