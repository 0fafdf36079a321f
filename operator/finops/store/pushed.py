"""Resources that a scanner elsewhere pushed: kept apart from what scans found, under keys of their own.

Written by the dashboard, which knows no price; the operator adds the cost. Nothing that judges, proposes, votes or acts
imports this: an import rule holds it, so that what somebody pushed is never acted upon, whatever id it has. The picture
that each sender has of a resource is kept apart: what one pushes or ends changes nothing of another one's scan.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from finops.domain.price import Cost
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.utilization import MonthlyUse
from finops.errors import Conflict, Refused
from finops.store.connection import Store, store_errors
from finops.store.keys import PushKeys
from finops.store.records import Record
from finops.store.resource_costs import cost_from_text, cost_to_text

KEPT: Final = timedelta(days=8)
"""What was not pushed again for so long is no longer shown: a weekly scanner that is a day late loses nothing."""
MOST_RESOURCES: Final = 50_000
"""Most that a namespace may hold."""
MOST_BYTES: Final = 32 * 1024 * 1024
"""Most that the resources of a namespace may take, some 30,000 usual ones: the store keeps the ledger as well."""
_COLONS: Final = 2
MOST_ACCOUNTS: Final = 200
"""Accounts of a namespace of which the end of a scan is kept."""
MOST_RUNS: Final = 10_000
"""Runs of a namespace of which is kept who began them, for as long as resources: fifty scanners that run every hour."""


@dataclass(frozen=True, slots=True)
class PushedResource:
    """One resource as it was pushed.

    Attributes:
        at: when, by the dashboard's clock.
        by: who pushed it, as the API server names them.
        run: what the scanner calls its scan, empty where it names none.
        month: what the last 30 days brought of metrics that are billed by use.
    """

    resource: Resource
    at: datetime
    by: str
    run: str = ""
    month: Mapping[str, MonthlyUse] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bytes it takes in the store."""
        return len(_PUSHED.text(self).encode())

    @property
    def mark(self) -> str:
        """What changes with everything that a price depends on."""
        return sha256(_PRICED.text((self.resource, self.month)).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Run:
    """One scan of a scanner elsewhere. Nobody but who began it pushes into it, or ends it.

    Attributes:
        name: what the scanner calls it.
        by: who pushes, as the API server names them.
        at: now, by the dashboard's clock; once it is kept when it began.
    """

    name: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PushedScan:
    """What the last scan that ended could not see of an account."""

    at: datetime
    gaps: tuple[Gap, ...] = ()


_PUSHED: Final[Record[PushedResource]] = Record(PushedResource)
_PRICED: Final[Record[tuple[Resource, Mapping[str, MonthlyUse]]]] = Record(tuple[Resource, Mapping[str, MonthlyUse]])
_SCANS: Final[Record[PushedScan]] = Record(PushedScan)
_RUNS: Final[Record[Run]] = Record(Run)


class PushedRuns:
    """Who began which run, by namespace. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = PushKeys(store.keys.prefix)

    def join(self, namespace: str, run: Run) -> None:
        """Begin a run, or go on with one's own; of two who begin it at the same moment one has it.

        Raises:
            Refused: somebody else began it, or nobody can read who did, or the namespace has too many.
        """
        if not run.name:
            return
        key = self._keys.runs(namespace)
        with store_errors():
            text, held = self._client.hget(key, run.name), int(self._client.hlen(key))
        if text is None and held >= MOST_RUNS:
            raise Refused(
                f"namespace {namespace} has begun as many runs as it may: {MOST_RUNS:,}",
                code="TooMany",
                hint="push with one run for each scan; who began one is forgotten after 8 days",
            )
        if text is None:
            with store_errors():
                # Of two who begin it at the same moment one has it, and the other reads whose it is.
                self._client.hsetnx(key, run.name, _RUNS.text(run))
                text = self._client.hget(key, run.name)
        begun = None if text is None else _RUNS.value_or_none(text)
        if begun is None or begun.by != run.by:
            raise Refused(
                f"somebody else began the run {run.name} in namespace {namespace}",
                code="RunOfAnother",
                hint="only who began a run pushes into it and ends it: name your scan by a run of its own",
            )

    def begun(self, namespace: str) -> dict[str, datetime]:
        """Operator: return run → when it began; what nobody can read never did."""
        with store_errors():
            texts = self._client.hgetall(self._keys.runs(namespace))
        found = {str(name): _RUNS.value_or_none(text) for name, text in texts.items()}
        return {name: datetime.min.replace(tzinfo=UTC) if run is None else run.at for name, run in found.items()}

    def forget(self, namespace: str, runs: Collection[str]) -> None:
        """Operator: drop who began runs."""
        if runs:
            with store_errors():
                self._client.hdel(self._keys.runs(namespace), *runs)


class PushedResources:
    """What was pushed, by namespace. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = PushKeys(store.keys.prefix)
        self._runs = PushedRuns(store)

    def put(self, namespace: str, items: Sequence[PushedResource]) -> None:
        """Keep resources of one sender and run; pushed again they replace what was pushed before.

        Raises:
            Refused: somebody else began the run, or the namespace would hold too many, or too much.
        """
        by_shard: dict[Shard, dict[str, str]] = {}
        for one in items:
            by_shard.setdefault(one.resource.shard, {})[_field(one)] = _PUSHED.text(one)
        if not by_shard:
            return
        # What replaces something else is counted beside it until the operator's next turn, which counts anew.
        sent = sum(len(text.encode()) for fields in by_shard.values() for text in fields.values())
        with store_errors():
            held = int(self._client.hget(self._keys.sizes, namespace) or 0)
        if held + sent > MOST_BYTES:
            raise Refused(
                f"what namespace {namespace} has pushed takes as much of the store as it may: {MOST_BYTES >> 20} MiB",
                code="TooMany",
                hint="push fewer tags and facts; what is not pushed again goes after 8 days",
            )
        if self._new(namespace, by_shard) + self._held(namespace) > MOST_RESOURCES:
            raise Refused(
                f"namespace {namespace} holds as many pushed resources as it may: {MOST_RESOURCES:,}",
                code="TooMany",
                hint="push into another namespace; what is not pushed again goes after 8 days",
            )
        self._runs.join(namespace, Run(items[0].run, items[0].by, items[0].at))
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for shard, fields in by_shard.items():
                pipe.hset(self._keys.resources(namespace, shard), mapping=fields)
                pipe.hset(self._keys.shards(namespace), str(shard), items[0].at.isoformat())
            pipe.hincrby(self._keys.sizes, namespace, sent)
            pipe.hincrby(self._keys.namespaces, namespace, 1)
            pipe.execute()

    def end_scan(self, namespace: str, run: Run, counts: Mapping[Shard, int], scans: Mapping[str, PushedScan]) -> int:
        """Drop what a sender pushed before and not again with a scan that saw a shard whole; return how many went.

        What others pushed stays: one scanner's end says nothing of what another one sees.

        Args:
            namespace: of the resources.
            run: the scan that ends.
            counts: shards that the scan saw whole → how many resources it pushed of each.
            scans: account → what the scan could not see there.

        Raises:
            Conflict: of a shard another number is here than was pushed; nothing was dropped.
            Refused: somebody else began the run, or the namespace would have too many accounts.
        """
        self._runs.join(namespace, run)
        if self._accounts(namespace, tuple(scans)) > MOST_ACCOUNTS:
            raise Refused(
                f"namespace {namespace} has pushed of as many accounts as it may: {MOST_ACCOUNTS}",
                code="TooMany",
                hint="an account that is not pushed again goes after 8 days",
            )
        gone: dict[Shard, list[str]] = {}
        for shard, count in counts.items():
            own = {name: one for name, one in self._shard(namespace, shard).items() if one.by == run.by}
            gone[shard] = [name for name, one in own.items() if one.run != run.name]
            here = len({one.resource.id for one in own.values() if one.run == run.name})
            if here != count:
                raise Conflict(
                    f"of {shard} {here} resources of this scan are here, and {count} were sent",
                    code="PushIncomplete",
                    hint="push the whole scan again",
                )
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for shard, names in gone.items():
                if names:
                    pipe.hdel(self._keys.resources(namespace, shard), *names)
            for account, scan in scans.items():
                pipe.hset(self._keys.scans(namespace), account, _SCANS.text(scan))
            pipe.hincrby(self._keys.namespaces, namespace, 1)
            pipe.execute()
        return sum(map(len, gone.values()))

    def versions(self) -> dict[str, tuple[int, int]]:
        """Return namespace → (how often something was pushed, up to which push all of it is priced)."""
        with store_errors():
            pushed, priced = self._client.hgetall(self._keys.namespaces), self._client.hgetall(self._keys.priced)
        return {str(name): (int(count), int(priced.get(name, 0))) for name, count in sorted(pushed.items())}

    def read(self, namespace: str) -> Iterator[tuple[Shard, dict[str, PushedResource], dict[str, tuple[str, Cost]]]]:
        """Yield each shard with, by id, what was pushed last of it, and the mark and the cost of what is priced."""
        for shard in self._shards(namespace):
            by_age = sorted(self._shard(namespace, shard).values(), key=lambda one: (one.at, one.by))
            items = {one.resource.id: one for one in by_age}
            with store_errors():
                texts = self._client.hgetall(self._keys.costs(namespace, shard))
            yield shard, items, {str(name): _priced(text) for name, text in texts.items()}

    def scans(self, namespace: str) -> dict[str, PushedScan]:
        """Return account → what its last scan could not see."""
        with store_errors():
            texts = self._client.hgetall(self._keys.scans(namespace))
        found = {str(name): _SCANS.value_or_none(text) for name, text in texts.items()}
        return {name: scan for name, scan in found.items() if scan is not None}

    def put_costs(self, namespace: str, shard: Shard, costs: Mapping[str, tuple[str, Cost]]) -> None:
        """Operator: keep costs by id, each with the mark of what was priced."""
        fields = {name: json.dumps([mark, cost_to_text(cost)]) for name, (mark, cost) in costs.items()}
        if fields:
            with store_errors():
                self._client.hset(self._keys.costs(namespace, shard), mapping=fields)

    def note_priced(self, namespace: str, version: int, size: int) -> None:
        """Operator: say that everything pushed until `version` is priced, and how many bytes it takes."""
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(self._keys.priced, namespace, version)
            pipe.hset(self._keys.sizes, namespace, size)
            pipe.execute()

    def forget(self, namespace: str, shard: Shard, before: datetime, priced: Collection[str]) -> int:
        """Operator: drop what was pushed before `before`, and costs by id; return how many bytes stay.

        A shard of which nothing is left is known no more.
        """
        items = self._shard(namespace, shard)
        old = [name for name, one in items.items() if one.at < before]
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            if priced:
                pipe.hdel(self._keys.costs(namespace, shard), *priced)
            if old:
                pipe.hdel(self._keys.resources(namespace, shard), *old)
                pipe.hincrby(self._keys.namespaces, namespace, 1)
            pipe.hlen(self._keys.resources(namespace, shard))
            left = pipe.execute()[-1]
        if not left:
            with store_errors():
                self._client.hdel(self._keys.shards(namespace), str(shard))
        return sum(one.size for name, one in items.items() if name not in set(old))

    def forget_scans(self, namespace: str, accounts: Collection[str]) -> None:
        """Operator: drop what scans of accounts could not see."""
        if accounts:
            with store_errors():
                self._client.hdel(self._keys.scans(namespace), *accounts)

    def _shards(self, namespace: str) -> tuple[Shard, ...]:
        with store_errors():
            names = sorted(self._client.hgetall(self._keys.shards(namespace)))
        # Whoever writes the store can write anything there; what is no shard has nothing that could be read.
        return tuple(Shard(*str(name).split(":", 2)) for name in names if str(name).count(":") >= _COLONS)

    def _new(self, namespace: str, by_shard: Mapping[Shard, Mapping[str, str]]) -> int:
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for shard, fields in by_shard.items():
                for name in fields:
                    pipe.hexists(self._keys.resources(namespace, shard), name)
            return sum(not held for held in pipe.execute())

    def _accounts(self, namespace: str, further: Sequence[str]) -> int:
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for account in further:
                pipe.hexists(self._keys.scans(namespace), account)
            pipe.hlen(self._keys.scans(namespace))
            *held, known = pipe.execute()
        return int(known) + sum(not one for one in held)

    def _held(self, namespace: str) -> int:
        shards = self._shards(namespace)
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for shard in shards:
                pipe.hlen(self._keys.resources(namespace, shard))
            return sum(pipe.execute())

    def _shard(self, namespace: str, shard: Shard) -> dict[str, PushedResource]:
        """Return what every sender pushed of a shard, by its field."""
        with store_errors():
            texts = self._client.hgetall(self._keys.resources(namespace, shard))
        # Whoever writes the store can write anything there; what is none of ours is no resource.
        found = {str(name): _PUSHED.value_or_none(text) for name, text in texts.items()}
        return {name: one for name, one in found.items() if one is not None}


def _field(one: PushedResource) -> str:
    """Return under which name one sender's picture of a resource is kept."""
    return f"{one.resource.id} {sha256(one.by.encode()).hexdigest()[:20]}"


def _priced(text: str) -> tuple[str, Cost]:
    mark, cost = json.loads(text)
    return str(mark), cost_from_text(cost)
