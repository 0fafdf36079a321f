"""The ledger's first sink: a Redis stream that grows by one Lua script, so that an append happens once or not at all.

Called by `finops.ledger.durable` alone. The client must resend nothing (`open_ledger_connection`): a lost answer has
to reach the caller, who runs the same append again under the same operation id and gets the first answer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import redis
from redis.client import NEVER_DECODE

from finops.domain.audit import GENESIS_HASH, Record, record_from_json, request_uid
from finops.domain.canonical import canonical_json
from finops.errors import LedgerDiverged, LedgerUnavailable, StoreRefused, StoreUnavailable
from finops.store.connection import Store, store_errors
from finops.store.keys import PackedKeys
from finops.store.packed_records import RECORDS, first_of, packed, unpacked

_PAGE: Final = 500

# The fence is checked before the operation id: a writer that lost the lease must not learn "already there" from the
# record of its successor and take that for a permission to act.
_APPEND: Final = """
local head = redis.call('HMGET', KEYS[2], 'sequence', 'hash', 'fence')
local sequence = tonumber(head[1] or '0')
local hash = head[2] or ARGV[8]
local fence = tonumber(head[3] or '0')
if tonumber(ARGV[5]) < fence then return {'fenced', tostring(fence), ''} end
local earlier = redis.call('HGET', KEYS[3], ARGV[6])
if earlier then return {'existing', earlier, ''} end
if ARGV[11] ~= '' then return {'hidden', '0', ''} end
if ARGV[9] ~= '' then
  local last = redis.call('LINDEX', KEYS[4], -1) or '0'
  if last ~= ARGV[9] then return {'changed', last, ''} end
end
for index = 12, #ARGV do
  local other = redis.call('HGET', KEYS[3], ARGV[index])
  if other then return {'forestalled', other, ''} end
end
if tonumber(ARGV[1]) ~= sequence + 1 or ARGV[2] ~= hash then return {'moved', tostring(sequence), hash} end
redis.call('XADD', KEYS[1], ARGV[1] .. '-0', 'hash', ARGV[4], 'record', ARGV[3], 'signature', ARGV[10])
redis.call('HSET', KEYS[2], 'sequence', ARGV[1], 'hash', ARGV[4], 'fence', ARGV[5])
redis.call('HSET', KEYS[3], ARGV[6], ARGV[1])
if ARGV[7] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[1]) end
return {'stored', ARGV[1], ARGV[4]}
"""

# What replaces the entries is there before they are gone, or nothing happens. The run's end is compared: a store that
# was restored meanwhile has other records under these numbers.
_PACK: Final = """
local head = redis.call('HMGET', KEYS[2], 'sequence', 'fence', 'packed')
if tonumber(ARGV[1]) < tonumber(head[2] or '0') then return 'fenced' end
local last = redis.call('XRANGE', KEYS[1], ARGV[3] .. '-0', ARGV[3] .. '-0')
if (head[3] or '0') ~= tostring(tonumber(ARGV[2]) - 1) or #last == 0 then return 'moved' end
if tonumber(ARGV[3]) >= tonumber(head[1]) or last[1][2][2] ~= ARGV[4] then return 'moved' end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[5])
redis.call('XTRIM', KEYS[1], 'MINID', tostring(tonumber(ARGV[3]) + 1) .. '-0')
redis.call('HSET', KEYS[2], 'packed', ARGV[3])
return 'packed'
"""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the stream ends: the last sequence and hash, and the highest fencing token that ever wrote."""

    sequence: int = 0
    hash: str = GENESIS_HASH
    fence: int = 0


class AppendResult(StrEnum):
    """What the script said."""

    STORED = "stored"
    EXISTING = "existing"
    MOVED = "moved"
    CHANGED = "changed"
    FORESTALLED = "forestalled"
    FENCED = "fenced"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class AppendAnswer:
    """Result of one append.

    `sequence` is that of the stored or earlier record; when changed of the request's last one; when forestalled of the
    operation that must not be there; when fenced the fence.
    """

    result: AppendResult
    sequence: int
    hash: str


def unchecked(record: Record) -> None:
    """Accept any record: for showing and exporting what is there, never for deciding."""


class LedgerStream:
    """Records in a Redis stream, id `sequence-0`, with head, operation ids and an index per request.

    Old records are packed (`finops.store.packed_records`); they are read like all others.

    Every method raises LedgerUnavailable when the server does not answer or cannot write, StoreUnsafe when it refuses
    our user, and LedgerDiverged when what it holds is not a ledger.

    Args:
        store: a connection that resends nothing.
        check: called with every record that is read; raises LedgerDiverged for one that nobody trusted has signed.
    """

    def __init__(self, store: Store, check: Callable[[Record], None]) -> None:
        self._client = store.client
        self._keys = store.keys
        self._runs = PackedKeys(store.keys.prefix).runs
        self._check = check

    def append(
        self, record: Record, *, after: int | None = None, unless: Sequence[str] = (), recorded: bool = False
    ) -> AppendAnswer:
        """Store `record` if it continues the chain and its operation id is new; all or nothing.

        With `after` only while that is the sequence of the last record of its request (0: it has none). With `unless`
        only while there is none of these operation ids. With `recorded` nothing is stored: the operation is known to be
        there, and an index without it was tampered with.
        """
        entry = record.entry
        uid = request_uid(entry.request)
        with _ledger_errors():
            answer: Any = self._client.eval(
                _APPEND,
                4,
                self._keys.ledger,
                self._keys.ledger_head,
                self._keys.ledger_operations,
                self._keys.ledger_request(uid),
                str(record.sequence),
                record.previous_hash,
                canonical_json(record.to_json()).decode("utf-8", errors="surrogatepass"),
                record.hash,
                str(record.fence),
                entry.operation_id,
                uid,
                GENESIS_HASH,
                "" if after is None else str(after),
                record.signature,
                "yes" if recorded else "",
                *unless,
            )
        return AppendAnswer(AppendResult(str(answer[0])), _number(answer[1]), str(answer[2]))

    def head(self) -> Head:
        with _ledger_errors():
            sequence, digest, fence = self._client.hmget(self._keys.ledger_head, ["sequence", "hash", "fence"])
        return Head(_number(sequence), str(digest or GENESIS_HASH), _number(fence))

    def whole_head(self) -> Head:
        """Return the head after comparing it with how many records the stream and the packed runs have, at one moment.

        Raises:
            LedgerDiverged: the stream was trimmed, a run is missing, or there are entries behind the head.
        """
        with _ledger_errors(), self._client.pipeline(transaction=True) as both:
            both.hmget(self._keys.ledger_head, ["sequence", "hash", "fence", "packed"])
            both.xlen(self._keys.ledger)
            both.hlen(self._runs)
            answers: Any = both.execute()
        (sequence, digest, fence, in_runs), entries, runs = answers
        head = Head(_number(sequence), str(digest or GENESIS_HASH), _number(fence))
        if int(entries) + _number(in_runs) != head.sequence or int(runs) * RECORDS != _number(in_runs):
            there = f"{entries} entries" + (f", with {runs} packed runs of {RECORDS}" if runs else "")
            raise LedgerDiverged(
                f"the ledger ends at record {head.sequence}, and its stream in the store has {there}: "
                "somebody removed some or added others",
                hint="compare the second sink with `finops audit verify --file`, and restore what is missing from it",
            )
        return head

    def pack(self, fence: int, *, loose: int) -> bool:
        """Pack the oldest run of records that is not packed, when more than `loose` follow it; returns whether it was.

        Called by the holder of the lease alone. What was packed is read as before; killed or cut off at any moment, all
        records are there once.

        Args:
            fence: token of this process: whoever lost the lease packs nothing.
            loose: how many records at the end stay entries.

        Raises:
            LedgerDiverged: a record is missing or was changed.
        """
        with _ledger_errors():
            ends: Any = self._client.hmget(self._keys.ledger_head, ["sequence", "packed"])
        sequence, done = map(_number, ends)
        if sequence - done < RECORDS + loose:
            return False
        records = tuple(self.read(done + 1, count=RECORDS))
        run = packed(records)
        if run is None:
            return False
        with _ledger_errors():
            answer: Any = self._client.eval(
                _PACK,
                3,
                self._keys.ledger,
                self._keys.ledger_head,
                self._runs,
                str(fence),
                str(done + 1),
                str(records[-1].sequence),
                records[-1].hash,
                run,
            )
        return str(answer) == "packed"

    def keep_checkpoint(self, text: str) -> None:
        """Keep the latest checkpoint for proofs. No decision rests on it: it is anchored elsewhere."""
        with _ledger_errors():
            self._client.hset(self._keys.ledger_head, "checkpoint", text)

    def checkpoint(self) -> str:
        """Return the text of the latest checkpoint, empty when there is none."""
        with _ledger_errors():
            found = self._client.hget(self._keys.ledger_head, "checkpoint")
        return "" if found is None else str(found)

    def keep_state(self, state: bytes) -> None:
        """Keep what the operator knows of the ledger, signed by it, for a start that reads only what came since."""
        with _ledger_errors():
            self._client.hset(self._keys.ledger_head, "state", base64.b64encode(state).decode("ascii"))

    def state(self) -> bytes | None:
        """Return what was kept last, None when there is nothing that can be read."""
        with _ledger_errors():
            found: Any = self._client.hget(self._keys.ledger_head, "state")
        try:
            return None if found is None else base64.b64decode(found, validate=True)
        except ValueError:
            return None

    def at(self, sequence: int) -> Record:
        """Return one record.

        Raises:
            LedgerDiverged: the index names a record that the stream does not hold.
        """
        for record in self.read(sequence, count=1):
            if record.sequence == sequence:
                return record
        raise LedgerDiverged(f"record {sequence} is in the index of the ledger but not in its stream")

    def find(self, operation_id: str) -> Record | None:
        with _ledger_errors():
            sequence = self._client.hget(self._keys.ledger_operations, operation_id)
        return None if sequence is None else self.at(int(str(sequence)))

    def of_request(self, uid: str) -> tuple[Record, ...]:
        """Return the records of one request in order."""
        with _ledger_errors():
            sequences: Any = self._client.lrange(self._keys.ledger_request(uid), 0, -1)
        return tuple(self.at(int(sequence)) for sequence in sequences)

    def read(self, start: int = 1, *, count: int | None = None) -> Iterator[Record]:
        """Yield records from sequence `start` on, a page at a time; at most `count` of them."""
        left, in_runs = count, False
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            # Runs follow each other: where one was packed, the next record is asked for among them first.
            page = self._run(start)[:size] if in_runs else ()
            ended = False
            if not page:
                loose = self._entries(start, size)
                # What is no entry any more was packed before, never after: asked in this order nothing is missed.
                page = () if loose and loose[0].sequence == start else self._run(start)[:size]
                in_runs = bool(page)
                page, ended = (page, False) if page else (loose, len(loose) < size)
            for record in page:
                self._check(record)
                yield record
            if ended:
                return
            start = page[-1].sequence + 1
            left = None if left is None else left - len(page)

    def _entries(self, start: int, size: int) -> tuple[Record, ...]:
        """Return records that are entries of the stream, from `start` on."""
        with _ledger_errors():
            page: Any = self._client.xrange(self._keys.ledger, min=f"{start}-0", max="+", count=size)
        return tuple(_record(str(identifier), fields) for identifier, fields in page)

    def _run(self, start: int) -> tuple[Record, ...]:
        """Return the packed records from `start` on to the end of their run, none where they are not packed."""
        first = first_of(start)
        client: Any = self._client
        with _ledger_errors():
            content = client.execute_command("HGET", self._runs, str(first), **{NEVER_DECODE: True})
        return () if content is None else unpacked(content, first)[start - first :]


def _record(identifier: str, fields: Any) -> Record:
    try:
        record = record_from_json(json.loads(fields["record"]), str(fields["signature"]))
    except (KeyError, ValueError, TypeError) as error:
        raise LedgerDiverged(f"entry {identifier} of the ledger's stream is not a record: {error}") from error
    if fields.get("hash") != record.hash or identifier != f"{record.sequence}-0":
        raise LedgerDiverged(f"entry {identifier} of the ledger's stream does not have the hash it was stored with")
    return record


def _number(text: Any) -> int:
    """Return a number that the store gave. Raises LedgerDiverged: the store holds something else there."""
    try:
        return int(text or 0)
    except ValueError as error:
        raise LedgerDiverged("a number of the ledger in the store is none that was written there") from error


@contextmanager
def _ledger_errors() -> Iterator[None]:
    """Turn every failure of the server into LedgerUnavailable; a wrong password stays StoreUnsafe."""
    try:
        with store_errors():
            yield
    except StoreRefused:
        raise
    except StoreUnavailable as error:
        raise LedgerUnavailable(error.message, hint=error.hint) from error
    except redis.RedisError as error:
        raise LedgerUnavailable(f"the ledger's stream refused: {error}") from error
