"""`finops backup` and `finops restore`: what no scan brings back goes into a file, and from it into an empty store."""

from __future__ import annotations

import gzip
import hashlib
import json
import stat
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_keys import KEYS, PRIVATE_KEY
from tests.support.scan_samples import plan_of, recommendation

from finops.domain.audit import Entry, RecordKind
from finops.domain.canonical import canonical_json
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.ledger.durable import open_ledger
from finops.ledger.signing import public_key_of
from finops.ports.act import ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.clock import SystemClock
from finops.store.backup import Held, Target, begun, is_being_restored, restored
from finops.store.connection import Store, open_ledger_connection
from finops.store.cost_history import CostHistoryStore
from finops.store.ledger import LedgerStream, unchecked
from finops.store.realized import StoredSavings
from finops_operator.cli.main import run

SHARD = Shard("111111111111", "eu-west-1", "ec2-instance")
DAY = date(2026, 11, 1)
RECORDS = 30
MORE_THAN_A_PAGE = 700


@dataclass
class Bench:
    """Two stores on one server, each with a prefix of its own, and the program."""

    store: Callable[[str], Store]
    use: Callable[[str], None]
    url: str
    folder: Path
    output: pytest.CaptureFixture[str]

    def finops(self, *arguments: str) -> tuple[int, str, str]:
        code = run([*arguments, "--redis", self.url])
        said = self.output.readouterr()
        return code, said.out, said.err

    def backup(self, name: str = "backup.gz") -> Path:
        self.use("first")
        code, _, err = self.finops("backup", str(self.folder / name))
        assert code == 0, err
        return self.folder / name

    def restore(self, file: Path, *options: str) -> tuple[int, str, str]:
        self.use("second")
        return self.finops("restore", str(file), *options)

    def key(self) -> str:
        (self.folder / "key.pem").write_text(public_key_of(PRIVATE_KEY), encoding="utf-8")
        return str(self.folder / "key.pem")


@pytest.fixture
def bench(
    valkey_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    prefixes = {name: f"{name}[{uuid.uuid4().hex}]*:" for name in ("first", "second")}
    stores = {name: open_ledger_connection(valkey_url, prefix=prefix) for name, prefix in prefixes.items()}

    def use(name: str) -> None:
        monkeypatch.setenv("FINOPS_REDIS_PREFIX", prefixes[name])

    yield Bench(stores.__getitem__, use, valkey_url, tmp_path, capsys)
    for one in stores.values():
        one.client.close()


def fill(store: Store, folder: Path, records: int = RECORDS) -> None:
    ledger = open_ledger(store, folder / f"{uuid.uuid4().hex}.jsonl", keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    ledger.start()
    for number in range(ledger.head().sequence, records):
        ledger.append(Entry(f"vote:{number}", "k8s.alice", RecordKind.VOTED, request="a/r/u1", result="refused"))
    CostHistoryStore(store).put(DAY, {SHARD: ShardCost(Decimal("227.74"), 3, 1)})
    plan = plan_of(recommendation(1))
    act = ActRequest(
        uid="u1",
        name="r",
        tenant=Tenant(namespace="a", policy="p"),
        access=AccountAccess(name="production", account_id="111111111111"),
        plan=plan,
        plan_hash=plan.hash,
        deciders=("k8s.alice",),
        limits=Limits(per_hour=1, per_day=1, percent_of_fleet=100, fleet=1),
    )
    StoredSavings(store).append(act, datetime(2026, 11, 2, tzinfo=UTC))
    store.client.zadd(f"{store.keys.prefix}caps:policy:a:p", {"u1": 1_793_577_600.125})
    store.client.hset(store.keys.slack("message", "u1"), mapping={"channel": "C1", "ts": "1.2", "hash": "h"})
    store.client.hset(f"{store.keys.prefix}inv:{SHARD}:head", mapping={"generation": "g"})


@dataclass(frozen=True, eq=False)
class Expiry:
    """When a key expires: a copy keeps how long it has left, which takes a moment to read and to write."""

    milliseconds: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expiry) and abs(self.milliseconds - other.milliseconds) < 60_000

    __hash__ = None  # type: ignore[assignment] # what is nearly the same has no hash


def with_expiry(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of a backup whose expiry is the same to a minute."""
    at = document.get("expires")
    return document if at is None else {**document, "expires": Expiry(at)}


def held(store: Store) -> tuple[list[Any], list[Any]]:
    """Return everything that a backup holds."""
    others = [with_expiry(one) for one in Held(store).documents()]
    return [one.hash for one in LedgerStream(store, unchecked).read()], others


@pytest.fixture
def filled(bench: Bench) -> Bench:
    fill(bench.store("first"), bench.folder)
    return bench


def test_what_no_scan_brings_back_is_the_same_after_backup_and_restore(filled: Bench) -> None:
    fill(filled.store("first"), filled.folder, MORE_THAN_A_PAGE)
    file = filled.backup()
    code, out, err = filled.restore(file, "--public-key", filled.key(), "-o", "json")
    assert code == 0, err
    report = json.loads(out)
    assert (report["ledgerRecords"], report["otherParts"]) == (MORE_THAN_A_PAGE, 5)
    first, second = filled.store("first"), filled.store("second")
    assert held(second) == held(first)
    assert len(held(second)[1]) == 5
    assert [one.cost for one in CostHistoryStore(second).between(DAY, DAY)] == [ShardCost(Decimal("227.74"), 3, 1)]
    assert [one["request"] for one in StoredSavings(second).read()] == ["u1"]
    assert second.client.exists(f"{second.keys.prefix}inv:{SHARD}:head") == 0


def test_a_ledger_goes_on_in_the_restored_store(filled: Bench) -> None:
    assert filled.restore(filled.backup())[0] == 0
    second = filled.store("second")
    fill(second, filled.folder, RECORDS + 5)
    filled.use("second")
    code, out, _ = filled.finops("audit", "verify", "--public-key", filled.key(), "-o", "json")
    assert (code, json.loads(out)["records"]) == (0, RECORDS + 5)
    assert len(list(StoredSavings(second).read())) == 1, "an act saves once, also after a restore"


def test_a_restored_store_says_so_until_the_operator_has_begun(filled: Bench) -> None:
    file = filled.backup()
    code, out, _ = filled.restore(file, "-o", "json")
    assert code == 0
    second = filled.store("second")
    assert restored(second) == json.loads(out)["taken"]
    begun(second)
    assert restored(second) == ""
    assert restored(filled.store("first")) == ""


def test_a_store_that_holds_something_is_left_as_it_is(filled: Bench) -> None:
    file, second = filled.backup(), filled.store("second")
    CostHistoryStore(second).put(DAY, {SHARD: ShardCost(Decimal(1), 1, 0)})
    code, _, err = filled.restore(file)
    assert code == 2
    assert "the store is not empty" in err
    assert "--replace" in err
    assert held(second)[0] == []
    assert len(held(second)[1]) == 1


def test_what_a_store_holds_is_replaced_only_by_who_says_so(filled: Bench) -> None:
    file, second = filled.backup(), filled.store("second")
    fill(second, filled.folder, 3)
    second.client.hset(f"{second.keys.prefix}util:old", mapping={"i-1": "{}"})
    code, _, err = filled.restore(file, "--replace")
    assert code == 2
    assert "The store holds a ledger of 3 records" in err
    assert "--yes" in err
    assert len(held(second)[0]) == 3

    assert filled.restore(file, "--replace", "--yes")[0] == 0

    assert held(second) == held(filled.store("first"))
    assert second.client.exists(f"{second.keys.prefix}util:old") == 0
    assert len(held(filled.store("first"))[0]) == RECORDS


@pytest.mark.parametrize("done", [1, 15, RECORDS, RECORDS + 1])
def test_a_restore_that_was_killed_goes_on_when_it_is_given_again(filled: Bench, done: int) -> None:
    file, second = filled.backup(), filled.store("second")
    target = Target(second)
    target.begin(digest_of(file))
    for number, document in enumerate(documents_of(file)):
        if number == done:
            break
        if "ledger" in document:
            record = next(iter(LedgerStream(filled.store("first"), unchecked).read(number + 1, count=1)))
            target.write_record(record)
        else:
            target.write(document)
    assert filled.restore(file)[0] == 0
    assert held(second) == held(filled.store("first"))


def test_a_restore_that_was_killed_is_started_anew_by_who_says_so_also_after_an_operator_wrote(filled: Bench) -> None:
    file, second = filled.backup(), filled.store("second")
    Target(second).begin(digest_of(file))
    fill(second, filled.folder, 3)
    assert filled.restore(file)[0] == 2
    assert is_being_restored(second)

    assert filled.restore(file, "--replace", "--yes")[0] == 0

    assert held(second) == held(filled.store("first"))
    assert not is_being_restored(second)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"taken": "now", "records": RECORDS},
        {"taken": "2026-11-28T10:00:00+00:00. Run this", "records": RECORDS},
        {"taken": "2026-11-28T10:00:00+00:00", "records": "30"},
        {"taken": "2026-11-28T10:00:00+00:00", "records": RECORDS, "head": "x"},
    ],
)
def test_a_first_line_that_says_something_else_writes_nothing(filled: Bench, header: dict[str, Any]) -> None:
    file = filled.backup()
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:-1]
    file.write_bytes(closed([canonical_json({"finopsBackup": 1, **header}) + b"\n", *lines[1:]]))
    code, _, err = filled.restore(file)
    assert code == 2
    assert "does not say when it was made" in err
    assert Held(filled.store("second")).is_empty()


def test_another_backup_is_not_mixed_into_an_interrupted_restore(filled: Bench) -> None:
    file, second = filled.backup(), filled.store("second")
    Target(second).begin("another")
    code, _, err = filled.restore(file)
    assert code == 2
    assert "not empty" in err


@pytest.mark.parametrize("kept", [0, 1, 0.2, 0.9, -1])
def test_a_copy_that_was_cut_off_writes_nothing(filled: Bench, kept: float) -> None:
    file = filled.backup()
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content)) if 0 < kept < 1 else int(kept)])
    code, _, err = filled.restore(file)
    assert code == 2
    assert str(file) in err
    assert Held(filled.store("second")).is_empty()


def test_a_backup_whose_lines_were_changed_writes_nothing(filled: Bench) -> None:
    file = filled.backup()
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    changed = [line.replace(b"227.74", b"1.00") for line in lines]
    assert changed != lines
    file.write_bytes(gzip.compress(b"".join(changed)))
    code, _, err = filled.restore(file)
    assert code == 2
    assert "not a whole backup" in err
    assert Held(filled.store("second")).is_empty()


def closed(lines: list[bytes]) -> bytes:
    """Return lines with a last line that fits them, as a forger would write it."""
    body = b"".join(lines)
    end = canonical_json({"lines": len(lines), "sha256": hashlib.sha256(body).hexdigest()}) + b"\n"
    return gzip.compress(body + end)


def test_a_ledger_that_was_edited_and_closed_again_writes_nothing(filled: Bench) -> None:
    file = filled.backup()
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:-1]
    file.write_bytes(closed([line.replace(b"k8s.alice", b"k8s.mallo") for line in lines]))
    code, _, err = filled.restore(file)
    assert code == 1
    assert "NOT intact; nothing was written" in err
    assert Held(filled.store("second")).is_empty()


def test_a_backup_that_lacks_its_last_records_writes_nothing(filled: Bench) -> None:
    file = filled.backup()
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:-1]
    file.write_bytes(closed([*lines[:RECORDS], *lines[RECORDS + 1 :]]))
    assert filled.restore(file)[0] == 1
    assert Held(filled.store("second")).is_empty()


def test_a_backup_that_names_a_key_of_its_own_choice_writes_no_such_key(filled: Bench) -> None:
    file = filled.backup()
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)[:-1]
    forged = canonical_json({"hash": "ledger:head", "fields": {"fence": "999"}, "expires": None}) + b"\n"
    file.write_bytes(closed([*lines, forged]))
    code, _, err = filled.restore(file)
    assert code == 2
    assert "a backup holds no 'ledger:head'" in err
    second = filled.store("second")
    assert second.client.hget(second.keys.ledger_head, "fence") == "1"
    assert restored(second) == ""


def test_a_file_is_made_once_for_its_owner_alone_and_is_the_same_for_the_same_content(filled: Bench) -> None:
    file = filled.backup()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, _, err = filled.finops("backup", str(file))
    assert code == 2
    assert "exists already" in err
    again = filled.backup("again.gz")
    assert [with_expiry(one) for one in documents_of(again)] == [with_expiry(one) for one in documents_of(file)]
    assert sorted(one.name for one in filled.folder.glob("*.gz*")) == ["again.gz", "backup.gz"]


def test_what_is_recorded_while_a_backup_is_made_is_left_to_the_next_one(filled: Bench) -> None:
    source = Held(filled.store("first"))
    head = source.head()
    found = source.records(head.sequence)
    first = next(found)
    fill(filled.store("first"), filled.folder, RECORDS + 10)
    assert first.sequence == 1
    assert [one.sequence for one in found][-1] == RECORDS


def test_a_store_must_be_named_to_be_written_to(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FINOPS_REDIS_URL", raising=False)
    fill(bench.store("first"), bench.folder, 1)
    file = bench.backup()
    assert run(["restore", str(file)]) == 2
    assert "--redis" in capsys.readouterr().err


# -- a ledger that goes on where the backup ends


def ledger_file(bench: Bench, records: int) -> Path:
    """Return the ledger's file of the first store, after it has grown to so many records."""
    before = set(bench.folder.glob("*.jsonl"))
    fill(bench.store("first"), bench.folder, records)
    (file,) = set(bench.folder.glob("*.jsonl")) - before
    assert len(file.read_bytes().splitlines()) == records
    return file


def test_a_ledger_that_outlived_the_store_is_restored_to_its_own_end(filled: Bench) -> None:
    file = filled.backup()
    copy = ledger_file(filled, RECORDS + 10)
    code, out, err = filled.restore(file, "--ledger", str(copy), "--public-key", filled.key(), "-o", "json")
    assert code == 0, err
    report = json.loads(out)
    assert (report["ledgerRecords"], report["otherParts"]) == (RECORDS + 10, 5)
    assert "Move the ledger's file away" not in err
    first, second = filled.store("first"), filled.store("second")
    assert held(second) == held(first)
    last = list(LedgerStream(first, unchecked).read())[-1]
    assert restored(second) == last.time.isoformat(timespec="seconds")
    assert datetime.fromisoformat(restored(second)) >= datetime.fromisoformat(report["taken"])
    # The file stays where it is: the operator goes on with both.
    ledger = open_ledger(second, copy, keys=KEYS, clock=SystemClock(), fence=lambda: 1)
    assert ledger.start() == 0
    more = ledger.append(Entry("vote:new", "k8s.alice", RecordKind.VOTED, request="a/r/u1", result="refused"))
    assert more.sequence == RECORDS + 11


def test_a_copy_that_ends_with_the_backup_adds_nothing_and_is_taken(filled: Bench) -> None:
    copy = ledger_file(filled, RECORDS)
    assert filled.restore(filled.backup(), "--ledger", str(copy))[0] == 0
    assert held(filled.store("second")) == held(filled.store("first"))


def test_a_last_line_that_a_power_cut_left_incomplete_is_left_out(filled: Bench) -> None:
    file = filled.backup()
    copy = ledger_file(filled, RECORDS + 2)
    copy.write_bytes(copy.read_bytes()[:-5])
    code, out, err = filled.restore(file, "--ledger", str(copy), "-o", "json")
    assert code == 0, err
    assert json.loads(out)["ledgerRecords"] == RECORDS + 1
    assert "an incomplete last line of" in err


def shorter(lines: list[bytes]) -> list[bytes]:
    return lines[: RECORDS - 1]


def with_a_gap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], *lines[4:]]


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:-1], lines[-1].replace(b"k8s.alice", b"k8s.mallo")]


def empty(lines: list[bytes]) -> list[bytes]:
    return lines[:0]


@pytest.mark.parametrize("change", [shorter, with_a_gap, edited, empty])
def test_a_copy_that_does_not_continue_the_backups_ledger_writes_nothing(
    filled: Bench, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    file = filled.backup()
    copy = ledger_file(filled, RECORDS + 2)
    copy.write_bytes(b"".join(change(copy.read_bytes().splitlines(keepends=True))))
    code, _, err = filled.restore(file, "--ledger", str(copy))
    assert code == 1
    assert "does NOT continue the one in the backup" in err
    assert Held(filled.store("second")).is_empty()


def test_the_ledger_of_another_installation_is_not_taken_for_the_backups(filled: Bench) -> None:
    file = filled.backup()
    fill(filled.store("second"), filled.folder / "..", RECORDS + 5)
    other = max(filled.folder.parent.glob("*.jsonl"), key=lambda one: one.stat().st_mtime)
    code, _, err = filled.restore(file, "--ledger", str(other), "--replace", "--yes")
    other.unlink()
    assert code == 1
    assert "Head: no record has the expected hash" in err
    assert len(held(filled.store("second"))[0]) == RECORDS + 5


def test_a_copy_that_cannot_be_read_is_named(filled: Bench) -> None:
    code, _, err = filled.restore(filled.backup(), "--ledger", str(filled.folder / "none.jsonl"))
    assert code == 2
    assert "none.jsonl" in err
    assert "--ledger" in err


def test_an_interrupted_restore_goes_on_with_the_same_ledger_alone(filled: Bench) -> None:
    file = filled.backup()
    Target(filled.store("second")).begin(digest_of(file))
    copy = ledger_file(filled, RECORDS + 2)
    assert filled.restore(file, "--ledger", str(copy))[0] == 2
    assert filled.restore(file, "--ledger", str(copy), "--replace", "--yes")[0] == 0
    assert held(filled.store("second")) == held(filled.store("first"))


@pytest.mark.parametrize("which", ["backup", "ledger"])
def test_a_file_that_changes_after_it_was_checked_ends_no_restore(
    filled: Bench, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    file = filled.backup()
    copy = ledger_file(filled, RECORDS + 2)
    begin = Target.begin

    def begin_and_change(target: Target, digest: str) -> None:
        begin(target, digest)
        if which == "ledger":
            copy.write_bytes(b"".join(copy.read_bytes().splitlines(keepends=True)[:-1]))
            return
        lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        file.write_bytes(closed([line.replace(b"227.74", b"1.00") for line in lines[:-1]]))

    monkeypatch.setattr(Target, "begin", begin_and_change)
    code, _, err = filled.restore(file, "--ledger", str(copy))
    assert code == 2
    assert "was changed while it was read" in err
    second = filled.store("second")
    assert is_being_restored(second)
    assert restored(second) == ""


def documents_of(file: Path) -> list[Any]:
    """Return what a backup holds, without its first and last line."""
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    return lines[1:-1]


def digest_of(file: Path) -> str:
    last = gzip.decompress(file.read_bytes()).splitlines()[-1]
    return str(json.loads(last)["sha256"])
