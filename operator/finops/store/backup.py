"""What a backup holds of the store: all that no scan brings back; read as documents and written back from them.

Called by `finops backup` and `finops restore`. Inventory, prices, metrics and recommendations are not part of it: the
next scan reads them anew. The documents, one JSON object each, names without the store's prefix:

    {"ledger": {"hash": …, "record": …, "signature": …}}     one record, in order
    {"hash": NAME, "fields": {…}, "expires": MILLISECONDS}    a part of a hash; expires since 1970, null for never
    {"scores": NAME, "members": {…}, "expires": …}            a part of a sorted set, scores as texts
    {"stream": NAME, "id": ID, "fields": {…}}                 one entry of a stream

Each part is consistent in itself. The ledger is read up to the head it had at first, and before everything else: what
else is newer names acts that the ledger does not know yet, never the other way round.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.domain.audit import Record
from finops.errors import InvalidInput, LedgerDiverged
from finops.store.connection import Store, store_errors
from finops.store.cost_history import KEPT_DAYS, days_between
from finops.store.keys import RestoreKeys
from finops.store.ledger import AppendResult, Head, LedgerStream, unchecked
from finops.store.packed_records import LOOSE, RECORDS

_COSTS: Final = "cost:*"
HASHES: Final = (
    _COSTS,
    "realized:acts",
    "realized:seen",
    "slack:routes",
    "slack:message:*",
    "slack:lines:*",
    "slack:thread:*",
)
SCORES: Final = ("caps:policy:*",)
STREAMS: Final = ("realized",)
_PAGE: Final = 500
_NEVER: Final = -1
# A client may send it twice, and XADD takes each id only once.
_ADD: Final = """
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  redis.call('XADD', KEYS[1], unpack(ARGV))
end
"""


class NotEmpty(InvalidInput):
    """The store holds something that a restored backup would be mixed with."""


class Held:
    """Reads what a backup holds.

    Args:
        store: a connection that resends nothing.

    Every method raises StoreUnavailable or StoreRefused as `store_errors` does, LedgerUnavailable for the ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: Any = store.client
        self._ledger = LedgerStream(store, unchecked)

    def head(self) -> Head:
        """Return where the ledger ends now."""
        return self._ledger.head()

    def records(self, until: int) -> Iterator[Record]:
        """Yield the ledger's records up to sequence `until`.

        Raises:
            LedgerDiverged: what is stored is not a ledger, or a record is missing.
        """
        for number, record in enumerate(self._ledger.read(count=until) if until else (), 1):
            if record.sequence != number:
                break
            yield record
            if number == until:
                return
        if until:
            self._ledger.whole_head()
            raise LedgerDiverged("the store lost records of the ledger while they were read")

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield everything but the ledger."""
        for name in names(self._store, HASHES):
            yield from self._parts("hash", "fields", name, self._client.hscan)
        for name in names(self._store, SCORES):
            yield from self._parts("scores", "members", name, self._client.zscan)
        for name in STREAMS:
            yield from self._entries(name)

    def is_empty(self) -> bool:
        """Return whether the store holds nothing of what a backup holds."""
        held = next(names(self._store, (*HASHES, *SCORES, *STREAMS)), "")
        return not held and not self.head().sequence

    def _parts(self, sort: str, field: str, name: str, scan: Any) -> Iterator[dict[str, Any]]:
        key, cursor = self._store.keys.prefix + name, 0
        expires = self._expires(key)
        while True:
            with store_errors():
                cursor, found = scan(key, cursor, count=_PAGE)
            texts = dict(found) if sort == "hash" else {member: repr(score) for member, score in found}
            if texts:
                yield {sort: name, field: texts, "expires": expires}
            if not cursor:
                return

    def _entries(self, name: str) -> Iterator[dict[str, Any]]:
        start = "-"
        while True:
            with store_errors():
                page = self._client.xrange(self._store.keys.prefix + name, min=start, max="+", count=_PAGE)
            for identifier, fields in page:
                yield {"stream": name, "id": identifier, "fields": fields}
            if len(page) < _PAGE:
                return
            start = f"({page[-1][0]}"

    def _expires(self, key: str) -> int | None:
        with store_errors():
            left = int(self._client.pttl(key))
        return None if left <= _NEVER else int(time.time() * 1000) + left


class Target:
    """The store that a backup is written back into; one call may be repeated after a crash.

    Args:
        store: a connection that resends nothing.

    Every method raises StoreUnavailable or StoreRefused as `store_errors` does, LedgerUnavailable for the ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: Any = store.client
        self._prefix = store.keys.prefix
        self._marks = RestoreKeys(self._prefix)
        self._ledger = LedgerStream(store, unchecked)

    def clear(self, digest: str) -> None:
        """Remove all that the product keeps, also what no backup holds: it would not fit what is restored.

        The mark comes first: killed in the middle, an operator finds a restore that has not ended.
        """
        with store_errors():
            self._client.set(self._marks.restoring, digest)
            for key in list(self._client.scan_iter(match=f"{_literal(self._prefix)}*", count=_PAGE)):
                if key != self._marks.restoring:
                    self._client.unlink(key)

    def begin(self, digest: str) -> None:
        """Mark the store as being restored from the backup with this SHA-256.

        Raises:
            NotEmpty: it holds something that does not come from the same backup.
        """
        with store_errors():
            under_way = self._client.get(self._marks.restoring)
            if under_way == digest:
                return
            if under_way is not None or not Held(self._store).is_empty():
                raise NotEmpty("the store is not empty", code="StoreNotEmpty", field="--redis")
            self._client.set(self._marks.restoring, digest)

    def write_record(self, record: Record) -> None:
        """Append one record; again is as good as once. Raises NotEmpty: another ledger is there."""
        answer = self._ledger.append(record)
        if record.sequence % RECORDS == 0:
            # What was backed up packed need not fit into the store as entries.
            self._ledger.pack(record.fence, loose=LOOSE)
        if answer.result is AppendResult.EXISTING and self._ledger.at(answer.sequence).hash == record.hash:
            return
        if answer.result is AppendResult.FENCED and self._holds(record):
            # Written before the restore was broken off: what came later has a newer fence.
            return
        if answer.result is not AppendResult.STORED:
            raise NotEmpty(
                f"record {record.sequence} cannot be written: somebody else writes to this ledger",
                code="StoreNotEmpty",
                field="--redis",
                hint="stop the operator first",
            )

    def _holds(self, record: Record) -> bool:
        found = self._ledger.find(record.entry.operation_id)
        return found is not None and found.hash == record.hash

    def write(self, document: Mapping[str, Any]) -> None:
        """Write one document of `documents`; again is as good as once. Raises KeyError, ValueError: it is none."""
        with store_errors():
            if "stream" in document:
                self._write_entry(document)
            elif "hash" in document:
                self._client.hset(self._prefix + _named(document["hash"], HASHES), mapping=document["fields"])
                self._expire(document["hash"], document["expires"])
            else:
                scores = {member: float(score) for member, score in document["members"].items()}
                self._client.zadd(self._prefix + _named(document["scores"], SCORES), scores)
                self._expire(document["scores"], document["expires"])

    def finish(self, taken: str) -> None:
        """Say to the operator that the store is a restored one: it starts frozen.

        Every day of the costs counts as written so often as no day ever was, milliseconds since 1970, those of which
        nothing was restored among them: whoever keeps days that were read reads all of them again, whatever was read
        before or during the restore (`DailyHashes`).
        """
        self._count_costs(int(time.time() * 1000))
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.set(self._marks.restored, taken)
            pipe.delete(self._marks.restoring)
            pipe.execute()

    def _count_costs(self, count: int) -> None:
        for name in names(self._store, (_COSTS,)):
            day, _, part = name.removeprefix(_COSTS[:-1]).partition(":")
            with store_errors():
                left = int(self._client.pttl(self._prefix + name))
                key = self._store.keys.cost(day, part, written=True)
                self._client.set(key, count, px=left if left > 0 else None)
        today = datetime.fromtimestamp(count / 1000, tz=UTC).date()
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for each in days_between(today - timedelta(days=KEPT_DAYS), today):
                key = self._store.keys.cost(each.isoformat(), written=True)
                pipe.set(key, count, nx=True, ex=KEPT_DAYS * 86_400)
            pipe.execute()

    def _write_entry(self, document: Mapping[str, Any]) -> None:
        key = self._prefix + _named(document["stream"], STREAMS)
        fields = [str(text) for pair in document["fields"].items() for text in pair]
        self._client.eval(_ADD, 1, key, str(document["id"]), *fields)

    def _expire(self, name: str, expires: int | None) -> None:
        if expires is not None:
            self._client.pexpireat(self._prefix + name, int(expires))


def restored(store: Store) -> str:
    """Return when the backup was made from which the store was restored and not begun yet, empty when it was not."""
    with store_errors():
        found = store.client.get(RestoreKeys(store.keys.prefix).restored)
    return "" if found is None else str(found)


def is_being_restored(store: Store) -> bool:
    """Return whether a restore has begun and not ended: what the store holds is a part."""
    with store_errors():
        return bool(store.client.exists(RestoreKeys(store.keys.prefix).restoring))


def begun(store: Store) -> None:
    """Forget that the store was restored: the operator has started frozen on it."""
    with store_errors():
        store.client.delete(RestoreKeys(store.keys.prefix).restored)


def _literal(prefix: str) -> str:
    """Return a prefix as SCAN matches it literally."""
    return "".join(f"\\{one}" if one in "*?[]^\\" else one for one in prefix)


def names(store: Store, patterns: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of what is stored, each once, without the prefix. Raises as `store_errors`."""
    prefix = store.keys.prefix
    for pattern in patterns:
        with store_errors():
            found = set(store.client.scan_iter(match=_literal(prefix) + pattern, count=_PAGE))
        yield from (key.removeprefix(prefix) for key in sorted(found))


def _named(name: str, patterns: tuple[str, ...]) -> str:
    """Return a name that a backup may hold. Raises ValueError: it holds no such name."""
    if not any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in patterns):
        raise ValueError(f"a backup holds no {name!r}")
    return name
