"""Inventory: one hash per shard and generation, a pointer that is swapped, and reading page by page.

Written by the discover stage, read by the check stage, the command line, the web pages and the executor's caps.
A generation is written under a name of its own and becomes visible by one swap; readers that are in the middle of the
old one keep it for an hour. What a killed scan leaves behind expires by itself after a day.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops.domain.resource import Gap, Resource, Shard
from finops.errors import StoreUnavailable
from finops.store.connection import Store, store_errors
from finops.store.records import Record

RESOURCES: Final[Record[Resource]] = Record(Resource)
_GAPS: Final[Record[tuple[Gap, ...]]] = Record(tuple[Gap, ...])

_UNFINISHED_SECONDS: Final = 86_400
_REPLACED_SECONDS: Final = 3_600
_INDEX: Final = "#"
"""Fields `#0`, `#1`, … of a generation list the ids of its pages: HSCAN may repeat fields, which would count twice."""
_ADD: Final = """
local index = '#' .. ARGV[1]
local written = redis.call('HGET', KEYS[1], index)
if written then return #cjson.decode(written) end
local ids = {}
for at = 3, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[at], ARGV[at + 1]) == 1 then ids[#ids + 1] = ARGV[at] end
end
redis.call('HSET', KEYS[1], index, #ids > 0 and cjson.encode(ids) or '[]')
redis.call('EXPIRE', KEYS[1], ARGV[2])
return #ids
"""
_COUNT: Final = "#"
"""This field of a visible generation says how many resources it holds, so that a reader notices when some are lost."""
_SWAP: Final = """
local replaced = redis.call('HGET', KEYS[1], 'generation') or ''
if replaced == ARGV[2] then
  replaced = redis.call('HGET', KEYS[1], 'replaced') or ''
elseif replaced ~= '' then
  redis.call('EXPIRE', ARGV[3] .. replaced, ARGV[4])
end
redis.call('HSET', KEYS[2], ARGV[5], ARGV[6])
redis.call('PERSIST', KEYS[2])
redis.call('HSET', KEYS[1], 'replaced', replaced, unpack(ARGV, 7))
redis.call('SADD', KEYS[3], ARGV[1])
return replaced
"""
_FORGET: Final = """
local known = redis.call('HMGET', KEYS[1], 'generation', 'attempted')
if (known[1] or '') ~= ARGV[2] or known[2] ~= ARGV[3] then return 0 end
if ARGV[2] ~= '' then redis.call('EXPIRE', ARGV[4] .. ARGV[2], ARGV[5]) end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
"""
_READ: Final = """
local left = redis.call('TTL', KEYS[1])
if left >= 0 and left < tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return redis.call('HMGET', KEYS[1], ARGV[2], ARGV[3])
"""
"""What somebody reads goes an hour after its last page was read, not an hour after it was replaced."""


def new_generation(now: datetime) -> str:
    """Return a generation name that sorts by time and never collides, whoever makes it."""
    return f"{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:16]}"


@dataclass(frozen=True, slots=True)
class ShardHead:
    """What is known of a shard's visible generation.

    Attributes:
        generation: name of the generation, empty when nothing was ever listed completely enough to show.
        count: resources in it.
        pages: pages read; `expected_pages` is one more when a page was announced and lost.
        gaps: what the last attempt could not see; with gaps an absent resource is unknown, not gone.
        started, completed: the attempt that made the generation.
        attempted: completion of the last attempt, which may have seen nothing.
        api_calls: `service:Operation` → requests of that attempt.
    """

    shard: Shard
    generation: str
    count: int
    pages: int
    expected_pages: int
    gaps: tuple[Gap, ...]
    started: datetime
    completed: datetime
    attempted: datetime
    api_calls: Mapping[str, int]


class InventoryStore:
    """Inventories of all shards.

    `prolongs`: whether reading a replaced generation keeps it for another hour, which is a write. A process that only
    reads, and reads a generation within seconds, goes without.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store, *, prolongs: bool = True) -> None:
        self._client: Any = store.client
        self._keys = store.keys
        self._prolongs = prolongs
        self._add: Any = store.client.register_script(_ADD)
        self._swap: Any = store.client.register_script(_SWAP)
        self._read: Any = store.client.register_script(_READ)
        self._forget: Any = store.client.register_script(_FORGET)

    def add(self, shard: Shard, generation: str, page: int, resources: Sequence[Resource]) -> int:
        """Write page number `page` (from 0, without holes) into an invisible generation; return how many were new.

        The page's number is the operation id: a resent command changes nothing. A resource that an earlier page holds
        already (AWS repeats some when the fleet changes between two pages) is kept once.
        """
        arguments: list[str | int] = [page, _UNFINISHED_SECONDS]
        for resource in resources:
            arguments += (resource.id, RESOURCES.text(resource))
        with store_errors():
            return int(self._add(keys=[self._keys.shard(shard).generation(generation)], args=arguments))

    def swap(self, head: ShardHead) -> str:
        """Make `head.generation` the visible one in one step; the replaced one goes after an hour.

        Returns the replaced generation, empty when there was none. Repeating it changes nothing, nor the answer.
        """
        pointer = self._keys.shard(head.shard).head
        made = self._keys.shard(head.shard).generation(head.generation)
        named = [str(head.shard), head.generation, pointer.removesuffix("head")]
        fields = [word for pair in _head_to_fields(head).items() for word in pair]
        with store_errors():
            answer: Any = self._swap(
                keys=[pointer, made, self._keys.shards], args=[*named, _REPLACED_SECONDS, _COUNT, head.count, *fields]
            )
        return str(answer)

    def note_failure(self, shard: Shard, gaps: Sequence[Gap], attempted: datetime) -> None:
        """Record that an attempt saw nothing at all: the old generation stays, the gaps are recorded."""
        pointer = self._keys.shard(shard).head
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(pointer, mapping={"gaps": gaps_to_text(gaps), "attempted": attempted.isoformat()})
            pipe.sadd(self._keys.shards, str(shard))
            pipe.execute()

    def head(self, shard: Shard) -> ShardHead | None:
        """Return the shard's head, None when it was never scanned."""
        with store_errors():
            fields = self._client.hgetall(self._keys.shard(shard).head)
        return _head_from_fields(shard, fields) if fields else None

    def shards(self) -> tuple[Shard, ...]:
        """Return every shard that has a head, sorted by account, region and kind."""
        with store_errors():
            names = sorted(self._client.smembers(self._keys.shards))
        return tuple(Shard(*str(name).split(":", 2)) for name in names)

    def heads(self) -> Iterator[ShardHead]:
        """Yield the heads of all shards, sorted by account, region and kind."""
        for shard in self.shards():
            head = self.head(shard)
            if head is not None:
                yield head

    def forget(self, head: ShardHead) -> None:
        """Drop a shard that nobody scans any more, unless somebody has since `head` was read.

        Who reads its resources just now has an hour to end.
        """
        pointer = self._keys.shard(head.shard).head
        named = [str(head.shard), head.generation, head.attempted.isoformat(), pointer.removesuffix("head")]
        with store_errors():
            self._forget(keys=[pointer, self._keys.shards], args=[*named, _REPLACED_SECONDS])

    def pages(self, shard: Shard, generation: str) -> Iterator[list[Resource]]:
        """Yield a generation in the pages in which it was written; each resource exactly once.

        The order is the writer's, so two readings agree; only one page is in memory.

        Raises:
            StoreUnavailable: also when the generation went, or a part of it: what was yielded is not all of it.
        """
        for page in self.texts(shard, generation):
            yield [RESOURCES.value(text) for text in page]

    def texts(self, shard: Shard, generation: str) -> Iterator[list[str]]:
        """Yield a generation as `pages` does, each resource in its stored form. Raises as `pages`."""
        if not generation:
            return
        key = self._keys.shard(shard).generation(generation)
        page = seen = 0
        held: int | None = None
        while True:
            with store_errors():
                count, index = self._page_index(key, page)
                if not page:
                    # Even an empty generation keeps its count: of one without it, something is lost.
                    held = 1 if count is None and index is None else count
                if index is None:
                    break
                ids = json.loads(index)
                texts = self._client.hmget(key, ids) if ids else []
            found = [text for text in texts if text]
            seen += len(found)
            yield found
            page += 1
        if held is not None and seen < held:
            raise StoreUnavailable(
                f"the store lost resources of {shard} while they were read", code="StoreLost", hint="scan again"
            )

    def _page_index(self, key: str, page: int) -> tuple[int | None, str | None]:
        """Return how many resources a generation holds, None while nobody can see it, and the ids of one page."""
        fields = [_COUNT, f"{_INDEX}{page}"]
        if self._prolongs:
            count, index = self._read(keys=[key], args=[_REPLACED_SECONDS, *fields])
        else:
            count, index = self._client.hmget(key, fields)
        return (None if count is None else int(count)), index

    def gone(self, shard: Shard, old: str, new: str) -> Iterator[list[str]]:
        """Yield the ids that generation `old` held and `new` does not, page by page."""
        before, after = self._keys.shard(shard).generation(old), self._keys.shard(shard).generation(new)
        page = 0
        while old:
            with store_errors():
                _, index = self._page_index(before, page)
                if index is None:
                    return
                ids = json.loads(index)
                with self._client.pipeline(transaction=False) as pipe:
                    for resource_id in ids:
                        pipe.hexists(after, resource_id)
                    held = pipe.execute()
            yield [resource_id for resource_id, there in zip(ids, held, strict=True) if not there]
            page += 1

    def get(self, shard: Shard, resource_id: str) -> Resource | None:
        """Return one resource of the visible generation."""
        return self.many(shard, [resource_id]).get(resource_id)

    def many(self, shard: Shard, ids: Sequence[str]) -> dict[str, Resource]:
        """Return those of `ids` that the visible generation holds."""
        if not ids:
            return {}
        with store_errors():
            generation = self._client.hget(self._keys.shard(shard).head, "generation")
            if not generation:
                return {}
            texts = self._client.hmget(self._keys.shard(shard).generation(str(generation)), list(ids))
        found = (RESOURCES.value(text) for text in texts if text)
        return {resource.id: resource for resource in found}


def gaps_to_text(gaps: Sequence[Gap]) -> str:
    """Return gaps as one JSON text."""
    return _GAPS.text(tuple(gaps))


def gaps_from_text(text: str) -> tuple[Gap, ...]:
    """Return the gaps behind `gaps_to_text`; no text, no gaps."""
    return _GAPS.value(text or "[]")


def _head_to_fields(head: ShardHead) -> dict[str, str | int]:
    return {
        "generation": head.generation,
        "count": head.count,
        "pages": head.pages,
        "expectedPages": head.expected_pages,
        "gaps": gaps_to_text(head.gaps),
        "started": head.started.isoformat(),
        "completed": head.completed.isoformat(),
        "attempted": head.attempted.isoformat(),
        "apiCalls": json.dumps(dict(head.api_calls), separators=(",", ":")),
    }


def _head_from_fields(shard: Shard, fields: Mapping[str, str]) -> ShardHead:
    attempted = datetime.fromisoformat(fields["attempted"])
    return ShardHead(
        shard=shard,
        generation=fields.get("generation", ""),
        count=int(fields.get("count", 0)),
        pages=int(fields.get("pages", 0)),
        expected_pages=int(fields.get("expectedPages", 0)),
        gaps=gaps_from_text(fields.get("gaps", "")),
        started=datetime.fromisoformat(fields["started"]) if "started" in fields else attempted,
        completed=datetime.fromisoformat(fields["completed"]) if "completed" in fields else attempted,
        attempted=attempted,
        api_calls=json.loads(fields.get("apiCalls", "{}")),
    )
