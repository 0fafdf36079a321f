"""Utilization in Redis: packed hourly rings, summaries for readers, and what ListMetrics found.

Written and read back by the measure stage page by page; summaries are read by the command line and the web pages: they
are what the last scan judged by. Answers that cannot be cut out of a ring are kept apart, by question, so that a scan
of another policy, which asks for another window or not at all, takes nothing away. Everything here is rebuilt by the
next scans if it is lost. Resources that are gone are forgotten by the scan that misses them; a shard that no scan
touches for 70 days goes as a whole.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from redis.client import NEVER_DECODE

from finops.domain.resource import Shard
from finops.domain.rings import Ring, pack, unpack
from finops.domain.utilization import HoursRan, LeastPeaks, MetricSummary, MonthlyUse, Utilization
from finops.store.connection import Store, store_errors
from finops.store.day_points import DayPointStore

_KEPT_SECONDS: Final = 70 * 86_400
_ANSWERS_SECONDS: Final = 2 * 86_400
_DIMENSIONS: Final = "dimensions"
_UNFINISHED_SECONDS: Final = 3_600
"""A discovery that nobody goes on with for an hour is dead."""
_FINISH: Final = """
if redis.call('EXISTS', KEYS[1]) == 0 and redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[1], '', 'complete')
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
"""
"""Sent twice, it finds its own work done."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What ListMetrics said about one resource: the metric's real name and the exact dimension set to ask for.

    Attributes:
        namespace: where it is published; empty: where the kind says.
        rank: which of several names counts, the lowest; of one name the smallest dimension set.
        left: whether it says what is left of the whole, and not what is used.
    """

    metric: str
    dimensions: tuple[tuple[str, str], ...]
    namespace: str = ""
    rank: int = 0
    left: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """What is compared where a resource has several: the lowest counts."""
        return self.rank, len(self.dimensions)


class UtilizationStore:
    """Rings and summaries of all shards.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = store.keys
        self.days = DayPointStore(store)
        self._finish: Any = store.client.register_script(_FINISH)

    def rings(self, shard: Shard, metrics: Sequence[str], ids: Sequence[str]) -> dict[tuple[str, str], Ring]:
        """Return (resource id, metric) → ring for what is kept, in one round trip."""
        if not ids or not metrics:
            return {}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric in metrics:
                # The client decodes text; rings are bytes.
                pipe.execute_command("HMGET", self._keys.shard(shard).ring(metric), *ids, **{NEVER_DECODE: []})
            answers = pipe.execute()
        found: dict[tuple[str, str], Ring] = {}
        for metric, row in zip(metrics, answers, strict=True):
            for resource_id, data in zip(ids, row, strict=True):
                ring = unpack(data) if data else None
                if ring is not None:
                    found[resource_id, metric] = ring
        return found

    def put_rings(self, shard: Shard, rings: Mapping[tuple[str, str], Ring]) -> None:
        """Keep rings by (resource id, metric); writing them twice changes nothing."""
        by_metric: dict[str, dict[str, bytes]] = {}
        for (resource_id, metric), ring in rings.items():
            by_metric.setdefault(metric, {})[resource_id] = pack(ring)
        if not by_metric:
            return
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric, fields in by_metric.items():
                key = self._keys.shard(shard).ring(metric)
                pipe.hset(key, mapping=fields)
                pipe.expire(key, _KEPT_SECONDS)
            pipe.execute()

    def summaries(self, shard: Shard, ids: Sequence[str]) -> dict[str, Utilization]:
        """Return the last summaries of those of `ids` that have any."""
        if not ids:
            return {}
        with store_errors():
            texts = self._client.hmget(self._keys.shard(shard).utilization, list(ids))
        return {
            resource_id: utilization_from_text(resource_id, text)
            for resource_id, text in zip(ids, texts, strict=True)
            if text
        }

    def put_summaries(self, shard: Shard, summaries: Mapping[str, Utilization]) -> None:
        """Keep the summaries of one page; writing them twice changes nothing."""
        if not summaries:
            return
        key = self._keys.shard(shard).utilization
        fields = {resource_id: utilization_to_text(one) for resource_id, one in summaries.items()}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.expire(key, _KEPT_SECONDS)
            pipe.execute()

    def answers(self, shard: Shard, question: str, marks: Mapping[str, str]) -> dict[str, Utilization]:
        """Return resource id → what was answered to `question`, for those of the resources that have an answer.

        `marks`: resource id → what makes an older answer void when it changes, such as the instant of the launch.
        """
        if not marks:
            return {}
        fields = [f"{resource_id} {mark}" for resource_id, mark in marks.items()]
        with store_errors():
            texts = self._client.hmget(self._answers(shard, question), fields)
        return {
            resource_id: utilization_from_text(resource_id, text)
            for resource_id, text in zip(marks, texts, strict=True)
            if text
        }

    def put_answers(
        self, shard: Shard, question: str, marks: Mapping[str, str], answers: Mapping[str, Utilization]
    ) -> None:
        """Keep answers to a question, which names its window and so its day; they all go two days after the last."""
        if not answers:
            return
        key = self._answers(shard, question)
        fields = {f"{one} {marks[one]}": utilization_to_text(answer) for one, answer in answers.items()}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.expire(key, _ANSWERS_SECONDS)
            pipe.execute()

    def _answers(self, shard: Shard, question: str) -> str:
        return f"{self._keys.shard(shard).utilization}:{question}"

    def forget(self, shard: Shard, metrics: Sequence[str], ids: Sequence[str]) -> None:
        """Drop all that is kept of resources that no longer exist."""
        if not ids:
            return
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric in metrics:
                pipe.hdel(self._keys.shard(shard).ring(metric), *ids)
            pipe.hdel(self._keys.shard(shard).utilization, *ids)
            pipe.execute()
        self.days.forget(shard, metrics, ids)

    def discovered(self, shard: Shard, metric: str, ids: Sequence[str]) -> dict[str, Discovered] | None:
        """Return what is known of the dimension sets of `ids`, None when they must be discovered (again)."""
        key = self._dimensions(shard, metric)
        with store_errors():
            values = self._client.hmget(key, ["", *ids])
        if not values[0]:
            return None
        found: dict[str, Discovered] = {}
        for resource_id, text in zip(ids, values[1:], strict=True):
            if text:
                found[resource_id] = _discovered(text)
        return found

    def start_discovery(self, shard: Shard, metric: str) -> str:
        """Return the name of a new discovery; several of one shard go on side by side without knowing of each other."""
        return f"{self._dimensions(shard, metric)}:{uuid.uuid4().hex}"

    def add_discovered(self, discovery: str, found: Mapping[str, Discovered]) -> None:
        """Keep what one page of ListMetrics listed, if only that there is more to come; `finish_discovery` shows it."""
        with store_errors():
            # Nobody else writes into this discovery.
            texts = self._client.hmget(discovery, list(found)) if found else []
            kept = {name: _discovered(text) for name, text in zip(found, texts, strict=True) if text}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for name, one in found.items():
                # The plain dimension set is the whole machine's; it wins over any other, whichever page lists it.
                if name not in kept or one.order < kept[name].order:
                    row = [one.metric, one.dimensions, one.namespace, one.rank, one.left]
                    pipe.hset(discovery, name, json.dumps(row, separators=(",", ":")))
            pipe.expire(discovery, _UNFINISHED_SECONDS)
            pipe.execute()

    def finish_discovery(self, shard: Shard, metric: str, discovery: str, *, seconds: int) -> None:
        """Show a complete set for `seconds`: from now on, what is not in it publishes nothing."""
        with store_errors():
            self._finish(keys=[discovery, self._dimensions(shard, metric)], args=[seconds])

    def _dimensions(self, shard: Shard, metric: str) -> str:
        return f"{self._keys.shard(shard).ring(metric)}:{_DIMENSIONS}"


def _discovered(text: str) -> Discovered:
    metric, pairs, *further = json.loads(text)
    return Discovered(metric, tuple((str(key), str(value)) for key, value in pairs), *further)


def utilization_to_text(utilization: Utilization) -> str:
    """Return the compact record of one resource's summaries."""
    record = {
        "m": {name: _summary_to_row(one) for name, one in utilization.metrics.items()},
        "f": {name: _summary_to_row(one) for name, one in utilization.fine.items()},
        "u": dict(utilization.unknown),
        "a": {name: int(start.timestamp()) for name, start in utilization.asked_from.items()},
        "b": {name: [one.amount, one.hours] for name, one in utilization.month.items()},
        "l": {name: [one.p90, one.p95, one.p99_5, one.average] for name, one in utilization.least.items()},
        **({} if utilization.ran is None else {"r": [utilization.ran.share, utilization.ran.days]}),
    }
    return json.dumps(record, separators=(",", ":"))


def utilization_from_text(resource_id: str, text: str) -> Utilization:
    """Return the summaries behind `utilization_to_text`."""
    record = json.loads(text)
    return Utilization(
        resource_id,
        {name: _summary_from_row(row) for name, row in record["m"].items()},
        record["u"],
        {name: _summary_from_row(row) for name, row in record["f"].items()},
        {name: datetime.fromtimestamp(start, tz=UTC) for name, start in record["a"].items()},
        # Records of a version that knew no bill by use have none.
        {name: MonthlyUse(*row) for name, row in record.get("b", {}).items()},
        # Nor those of a version that asked for hours first what days prove.
        {name: LeastPeaks(*row) for name, row in record.get("l", {}).items()},
        ran=HoursRan(*record["r"]) if "r" in record else None,
    )


def _summary_to_row(one: MetricSummary) -> list[Any]:
    numbers = (one.maximum, one.p99_5, one.p99, one.p95, one.p90, one.average, one.total)
    window = (one.points, one.expected, one.period_seconds, int(one.start.timestamp()), int(one.end.timestamp()))
    counted = (one.near_maximum, one.missing_at_end, one.read_seconds, one.not_running)
    return [*numbers, *window, one.lowest, one.busiest_day, *counted]


def _summary_from_row(row: Sequence[Any]) -> MetricSummary:
    times = [datetime.fromtimestamp(seconds, tz=UTC) for seconds in row[10:12]]
    return MetricSummary(*row[:10], *times, *row[12:18])
