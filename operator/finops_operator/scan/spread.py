"""A scan whose shards pods do: a part is one account in one region, with an index of one Kubernetes Indexed Job.

The scan asks by way of the store and collects there; what a pod has found is written as plain data, never as objects
of the language: whoever writes the store must not be able to run anything here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.domain.report import Savings, ShardCost
from finops.domain.resource import Gap, Shard
from finops.errors import InvalidInput
from finops.store.recommendations import recommendation_from_text, recommendation_to_text
from finops.store.records import Record
from finops.store.scan_work import ScanWork
from finops_operator.aws.counting import CallCounter
from finops_operator.scan.dependencies import Pods, ScanDependencies
from finops_operator.scan.discover import ShardTask
from finops_operator.scan.judging import ShardTotals
from finops_operator.scan.metrics.failures import Asked, Failures
from finops_operator.scan.overlapping import GroupAdvice
from finops_operator.scan.shards import JudgedShard

_OPERATION: Final = ("finops", "ScanPod")
"""Service and operation of the gap that a part leaves whose pod failed."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one pod is asked: kinds of one account in one region."""

    account: str
    region: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What all pods of a scan are asked.

    Attributes:
        accounts: all AwsAccount objects by name.
        started: the one instant of the scan.
        generation: name of the scan.
        parts: how many pods share what the scan may use.
    """

    policy: ScanPolicy
    accounts: Mapping[str, AwsAccount]
    started: datetime
    generation: str
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Found:
    """What a pod has found.

    Attributes:
        gaps, counter: of what is asked for all shards together, such as AWS's price list.
    """

    shards: tuple[tuple[ShardTask, JudgedShard], ...]
    gaps: tuple[Gap, ...]
    counter: CallCounter


@dataclass(frozen=True, slots=True)
class Failed:
    """A part that no pod could do. What an earlier scan has found of it stays visible."""

    tasks: tuple[ShardTask, ...]
    gap: Gap


@dataclass(frozen=True, slots=True)
class _Asked:
    """`Work` and its places as they are stored; the objects as the API server has them."""

    policy: dict[str, Any]
    accounts: list[dict[str, Any]]
    started: datetime
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Shard:
    """One finished shard as it is stored."""

    kind: str
    generation: str
    whole: bool
    selected: ShardCost
    cost: ShardCost
    unknown: int
    savings: Savings
    gaps: tuple[Gap, ...]
    groups: tuple[tuple[str, tuple[tuple[str, str], ...], Decimal], ...]
    asked: Asked
    calls: dict[str, int]
    metrics: int
    scanned_bytes: float


@dataclass(frozen=True, slots=True)
class _Found:
    """`Found` as it is stored."""

    shards: tuple[_Shard, ...]
    gaps: tuple[Gap, ...] = ()
    calls: dict[str, int] = field(default_factory=dict)
    metrics: int = 0


_WORK: Final[Record[_Asked]] = Record(_Asked)
_FOUND: Final[Record[_Found]] = Record(_Found)


def scan_in_pods(tasks: Sequence[ShardTask], work: Work, deps: ScanDependencies) -> Iterator[Found | Failed]:
    """Have pods scan all shards, and yield what became of each part.

    Raises:
        Refused: the cluster does not let us make pods.
        StoreUnavailable: the store went away.
    """
    pods, store = _pods(deps), ScanWork(deps.store)
    parts = _parts(tasks)
    store.ask(work.generation, _work_to_text(work, tuple(parts)))
    try:
        parallelism = work.policy.spec.execution.parallelism
        failed = pods.run(work.generation, len(parts), parallelism, deps.progress.parts_done)
        for index, (place, theirs) in enumerate(parts.items()):
            text = store.found(work.generation, index)
            found = None if text is None else found_from_text(text, theirs)
            yield found or Failed(theirs, _gap(place, failed.get(index, "")))
    finally:
        store.drop(work.generation)


def asked_of(generation: str, text: str, index: int) -> tuple[Work, Place]:
    """Return what the pod with this index is asked.

    Raises:
        InvalidInput: the store holds something else, or there is no such part.
    """
    asked = _WORK.value_or_none(text)
    if asked is None or not 0 <= index < len(asked.places):
        raise InvalidInput(f"names no part of the scan {generation}", field="JOB_COMPLETION_INDEX")
    accounts = [AwsAccount.from_object(one) for one in asked.accounts]
    work = Work(
        ScanPolicy.from_object(asked.policy),
        {one.metadata.name: one for one in accounts},
        asked.started,
        generation,
        len(asked.places),
    )
    return work, asked.places[index]


def found_to_text(found: Found) -> str:
    """Return what a pod has found, to be stored."""
    shards = tuple(_stored(task, judged) for task, judged in found.shards)
    return _FOUND.text(_Found(shards, found.gaps, dict(found.counter.calls), found.counter.metrics_requested))


def found_from_text(text: str, tasks: Sequence[ShardTask]) -> Found | None:
    """Return what `found_to_text` wrote of these shards, None for anything else."""
    found = _FOUND.value_or_none(text)
    by_kind = {task.kind.id: task for task in tasks}
    if found is None or [one.kind for one in found.shards] != sorted(by_kind):
        return None
    try:
        shards = tuple((by_kind[one.kind], _finished(by_kind[one.kind].shard, one)) for one in found.shards)
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError):
        return None
    return Found(shards, found.gaps, CallCounter.of(found.calls, found.metrics))


def _pods(deps: ScanDependencies) -> Pods:
    assert deps.pods is not None
    return deps.pods


def _parts(tasks: Sequence[ShardTask]) -> dict[Place, tuple[ShardTask, ...]]:
    """Return the parts in order of account and region, each with its shards in order of their kinds."""
    together: dict[tuple[str, str], list[ShardTask]] = {}
    for task in sorted(tasks, key=lambda one: str(one.shard)):
        together.setdefault((task.access.account_id, task.region), []).append(task)
    return {
        Place(account, region, tuple(task.kind.id for task in theirs)): tuple(theirs)
        for (account, region), theirs in together.items()
    }


def _work_to_text(work: Work, places: tuple[Place, ...]) -> str:
    names = [reference.name for reference in work.policy.spec.accounts]
    accounts = [work.accounts[name].to_object() for name in names if name in work.accounts]
    return _WORK.text(_Asked(work.policy.to_object(), accounts, work.started, places))


def _stored(task: ShardTask, judged: JudgedShard) -> _Shard:
    totals, counter = judged.totals, judged.counter
    groups = tuple((recommendation_to_text(one.best), tuple(sorted(one.members)), one.own) for one in totals.groups)
    return _Shard(
        kind=task.kind.id,
        generation=judged.generation,
        whole=judged.whole,
        selected=totals.selected,
        cost=totals.whole,
        unknown=totals.unknown,
        savings=totals.savings,
        gaps=tuple(totals.gaps),
        groups=groups,
        asked=totals.failures.asked if totals.failures is not None else Asked(),
        calls=dict(counter.calls),
        metrics=counter.metrics_requested,
        scanned_bytes=totals.scanned_bytes,
    )


def _finished(shard: Shard, one: _Shard) -> JudgedShard:
    groups = [GroupAdvice(recommendation_from_text(best), frozenset(those), own) for best, those, own in one.groups]
    totals = ShardTotals(
        shard,
        selected=one.selected,
        whole=one.cost,
        unknown=one.unknown,
        savings=one.savings,
        gaps=list(one.gaps),
        groups=groups,
        failures=Failures(shard, asked=one.asked),
        scanned_bytes=one.scanned_bytes,
    )
    return JudgedShard(one.generation, one.whole, totals, CallCounter.of(one.calls, one.metrics))


def _gap(place: Place, why: str) -> Gap:
    reason = why or "its pod ended without a word"
    return Gap(
        place.account,
        place.region,
        *_OPERATION,
        "ScanPodFailed",
        f"{place.account} {place.region} was not scanned: {reason}; see the log of the Job's pods",
    )
