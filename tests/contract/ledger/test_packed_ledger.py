"""Old records of the ledger are packed in the store: no reader notices, and nothing can be lost or put there."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.contract.ledger.test_anchored_ledger import Estate, estate, note, vote
from tests.contract.ledger.test_backup_commands import Bench, bench
from tests.support.ledger_keys import KEYS, PUBLIC_KEYS

from finops.audit_verify import verify
from finops.domain.audit import Entry, RecordKind, record_from_json
from finops.errors import LedgerDiverged, LedgerUnavailable
from finops.ledger.durable import DurableLedger, open_ledger
from finops.ledger.lines import line_of
from finops.ports.clock import SystemClock
from finops.store.keys import PackedKeys
from finops.store.ledger import LedgerStream, unchecked
from finops_web.readings.verdicts import Verdicts

__all__ = ["bench", "estate"]

RECORDS = 25
LOOSE = 10
RUNS = 3


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("finops.ledger.sinks", "finops.store.backup"):
        monkeypatch.setattr(f"{module}.LOOSE", LOOSE)
    for module in ("packed_records", "ledger", "backup"):
        monkeypatch.setattr(f"finops.store.{module}.RECORDS", RECORDS)


@pytest.fixture
def ledger(estate: Estate) -> DurableLedger:
    """A ledger with enough records for three runs, none of which is packed yet."""
    made = estate.start()
    stream = LedgerStream(estate.store, unchecked)
    for number in range(RECORDS * RUNS + LOOSE):
        made.append(vote(number) if number % 3 else note(number))
    assert stream.head().sequence > RECORDS * RUNS
    return made


@pytest.fixture
def packed(estate: Estate, ledger: DurableLedger) -> DurableLedger:
    turn(ledger, RUNS + 3)
    assert runs(estate) == RUNS
    return ledger


def turn(ledger: DurableLedger, times: int = 1) -> None:
    """Let the operator do what it does every second while nothing happens."""
    for _ in range(times):
        ledger.keep_anchor()


def runs(estate: Estate) -> int:
    return int(str(estate.store.client.hlen(PackedKeys(estate.store.keys.prefix).runs)))


def lines(estate: Estate) -> list[bytes]:
    return [line_of(one) for one in LedgerStream(estate.store, KEYS.check).read()]


def test_a_packed_ledger_is_read_as_before_and_takes_a_fraction_of_the_store(
    estate: Estate, ledger: DurableLedger
) -> None:
    client: Any = estate.store.client
    before = client.memory_usage(estate.store.keys.ledger, samples=0)
    assert runs(estate) == 0
    turn(ledger, RUNS + 3)
    after = client.memory_usage(estate.store.keys.ledger, samples=0)
    in_runs = client.memory_usage(PackedKeys(estate.store.keys.prefix).runs, samples=0)
    assert runs(estate) == RUNS
    assert in_runs < (before - after) / 4

    assert lines(estate) == estate.lines()
    stream = LedgerStream(estate.store, KEYS.check)
    for start in (1, 2, RECORDS, RECORDS + 1, RECORDS * RUNS - 1, RECORDS * RUNS, RECORDS * RUNS + 1):
        assert stream.at(start).sequence == start
        assert [one.sequence for one in stream.read(start)] == list(range(start, len(estate.lines()) + 1))
        assert [one.sequence for one in stream.read(start, count=3)] == [start, start + 1, start + 2]
    assert [one.entry for one in ledger.of_request("u1")[:2]] == [vote(1), vote(2)]
    assert (found := ledger.find("vote:1")) is not None
    assert found.entry == vote(1)
    assert ledger.append(vote(1)).sequence == found.sequence, "what was recorded once is not recorded again"
    assert verify(lines(estate), keys=PUBLIC_KEYS).ok
    assert Verdicts(estate.store, PUBLIC_KEYS, estate.clock).verdict(again=True).report.ok  # type: ignore[union-attr]


def test_the_newest_records_stay_entries(estate: Estate, packed: DurableLedger) -> None:
    client: Any = estate.store.client
    turn(packed, 5)
    assert runs(estate) == RUNS
    assert client.xlen(estate.store.keys.ledger) == packed.head().sequence - RUNS * RECORDS


def test_the_next_leader_starts_on_a_packed_ledger_with_its_picture_and_without(
    estate: Estate, packed: DurableLedger
) -> None:
    packed.keep_anchor(at_once=True)
    estate.start()
    estate.path.with_name(f"{estate.path.name}.state").unlink()
    again = estate.start()
    assert not again.problem
    again.append(vote(10_000))
    assert lines(estate) == estate.lines()


def test_a_sink_that_was_away_gets_the_packed_records_too(estate: Estate, packed: DurableLedger) -> None:
    packed.keep_anchor(at_once=True)
    whole = estate.lines()
    estate.path.write_bytes(b"".join(whole[: RECORDS + 7]))
    estate.path.with_name(f"{estate.path.name}.state").unlink()
    # Its anchor says that the file had more: an administrator would accept that first.
    estate.witness.kept.clear()
    with pytest.raises(LedgerDiverged, match="none is anchored"):
        estate.start()
    assert lines(estate)[: len(whole)] == whole


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_answer_that_is_lost_while_a_run_is_packed_loses_no_record(
    moment: str, estate: Estate, ledger: DurableLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = estate.store.client
    plain = client.eval

    def cut_off(*arguments: Any) -> Any:
        if moment == "after":
            plain(*arguments)
        raise redis.ConnectionError("connection closed")

    ledger.keep_anchor(at_once=True)
    with monkeypatch.context() as patched:
        patched.setattr(client, "eval", cut_off)
        with pytest.raises(LedgerUnavailable):
            ledger.keep_anchor()
    assert runs(estate) == (moment == "after")
    assert lines(estate) == estate.lines()
    turn(ledger, RUNS + 2)
    assert runs(estate) == RUNS
    assert lines(estate) == estate.lines()


def test_a_run_that_is_too_long_stays_entries_and_stops_nothing(
    estate: Estate, ledger: DurableLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops.store.packed_records.LONGEST", 1_000)
    turn(ledger, RUNS + 3)
    assert runs(estate) == 0
    assert not ledger.problem
    ledger.append(vote(10_000))
    assert lines(estate) == estate.lines()


def test_who_lost_the_lease_packs_nothing(estate: Estate, ledger: DurableLedger) -> None:
    fence = ledger.head().fence
    assert LedgerStream(estate.store, KEYS.check).pack(fence - 1, loose=0) is False
    assert runs(estate) == 0


def test_a_record_that_nobody_signed_is_not_packed(estate: Estate, ledger: DurableLedger) -> None:
    client: Any = estate.store.client
    entry = client.xrange(estate.store.keys.ledger, "7-0", "7-0")[0][1]
    client.xdel(estate.store.keys.ledger, "7-0")
    with pytest.raises(LedgerDiverged):
        LedgerStream(estate.store, KEYS.check).pack(ledger.head().fence, loose=0)
    assert entry["record"]
    assert runs(estate) == 0


def changed(content: bytes) -> bytes:
    document = json.loads(zlib.decompress(content))
    document["records"][1][0]["result"] = "counted"
    return zlib.compress(json.dumps(document).encode())


def remove_a_run(client: Any, keys: Any) -> None:
    client.hdel(PackedKeys(keys.prefix).runs, str(RECORDS + 1))


def add_a_run(client: Any, keys: Any) -> None:
    client.hset(PackedKeys(keys.prefix).runs, "9999751", b"x")


def say_more_is_packed(client: Any, keys: Any) -> None:
    client.hset(keys.ledger_head, "packed", str(RECORDS * (RUNS + 1)))


def say_less_is_packed(client: Any, keys: Any) -> None:
    client.hset(keys.ledger_head, "packed", "0")


def say_nonsense(client: Any, keys: Any) -> None:
    client.hset(keys.ledger_head, "packed", "many")


COUNTED: dict[str, Callable[[Any, Any], None]] = {
    one.__name__: one for one in (remove_a_run, add_a_run, say_more_is_packed, say_less_is_packed, say_nonsense)
}


@pytest.mark.parametrize("how", COUNTED)
def test_a_run_that_is_missing_or_too_many_is_found_within_a_second(
    how: str, estate: Estate, packed: DurableLedger
) -> None:
    packed.keep_anchor(at_once=True)
    COUNTED[how](estate.store.client, estate.store.keys)
    with pytest.raises(LedgerDiverged):
        packed.keep_anchor()
    assert packed.problem
    with pytest.raises(LedgerDiverged):
        packed.append(vote(10_000))


FORGED: dict[str, Callable[[bytes], bytes]] = {
    "a record changed": changed,
    "nothing": lambda content: b"",
    "cut": lambda content: content[:-5],
    "something after it": lambda content: content + b"x",
    "no run": lambda content: zlib.compress(b"[]"),
    "far too long": lambda content: zlib.compress(b"0" * (RECORDS * 300_000 + 1)),
    "deep": lambda content: zlib.compress(b"[" * 100_000),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_run_is_believed_by_nobody(how: str, estate: Estate, packed: DurableLedger) -> None:
    client: Any = estate.store.client
    key = PackedKeys(estate.store.keys.prefix).runs
    content = client.execute_command("HGET", key, "1", NEVER_DECODE=True)
    client.hset(key, "1", FORGED[how](content))
    with pytest.raises(LedgerDiverged):
        packed.of_request("u1")
    with pytest.raises(LedgerDiverged):
        list(LedgerStream(estate.store, unchecked).read())
    verdict = Verdicts(estate.store, PUBLIC_KEYS, estate.clock).verdict(again=True)
    assert verdict is not None
    assert not verdict.report.ok


def test_a_run_with_every_hash_put_right_lacks_its_signatures(estate: Estate, packed: DurableLedger) -> None:
    client: Any = estate.store.client
    key = PackedKeys(estate.store.keys.prefix).runs
    before = list(LedgerStream(estate.store, unchecked).read(count=RECORDS))[-2]
    document = json.loads(zlib.decompress(client.execute_command("HGET", key, "1", NEVER_DECODE=True)))
    claims = document["records"][-1][0]
    claims["result"] = "counted"
    document["hash"] = record_from_json({**claims, "previousHash": before.hash}).hash
    client.hset(key, "1", zlib.compress(json.dumps(document).encode()))
    assert [one.sequence for one in LedgerStream(estate.store, unchecked).read(count=1)] == [1]
    with pytest.raises(LedgerDiverged):
        list(LedgerStream(estate.store, KEYS.check).read())
    assert not verify([line_of(one) for one in LedgerStream(estate.store, unchecked).read()], keys=PUBLIC_KEYS).ok


def fill(bench: Bench, folder: Path) -> None:
    ledger = open_ledger(bench.store("first"), folder / "first.jsonl", keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    ledger.start()
    for number in range(RECORDS * 3 + LOOSE):
        ledger.append(Entry(f"vote:{number}", "k8s.alice", RecordKind.VOTED, request="a/r/u1", result="refused"))
    stream = LedgerStream(bench.store("first"), unchecked)
    while stream.pack(1, loose=LOOSE):
        pass


@pytest.fixture
def kept(bench: Bench, tmp_path: Path) -> Path:
    fill(bench, tmp_path)
    bench.use("first")
    return bench.backup("kept")


def test_a_packed_ledger_is_backed_up_whole_and_restored_packed(bench: Bench, kept: Path) -> None:
    code, _, err = bench.restore(kept, "--public-key", bench.key())
    assert code == 0, err
    first, second = (LedgerStream(bench.store(name), unchecked) for name in ("first", "second"))
    assert [one.hash for one in first.read()] == [one.hash for one in second.read()]
    store: Any = bench.store("second")
    assert store.client.hlen(PackedKeys(store.keys.prefix).runs) >= 1
    assert second.whole_head().sequence == first.whole_head().sequence
