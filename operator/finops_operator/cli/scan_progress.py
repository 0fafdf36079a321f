"""Shows a person where a scan is: a line for each shard that brought something, and below them how far all is.

On a terminal only, and on stderr, so that data on stdout stays as it is. Called by `scanning`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner

from finops.domain.quantity import counted
from finops.domain.resource import Shard
from finops_operator.aws.limiter import DATAPOINTS
from finops_operator.scan.progress import FinishedShard, Progress

_START: Final = "asking AWS for the regions"
_MINUTE: Final = 60
_HOUR: Final = 3600
_SAID_FROM_SECONDS: Final = 3.0
"""Shorter waits are not said: they would only flicker."""
_KNOWN_FROM_SHARE: Final = 0.1
_KNOWN_FROM_SECONDS: Final = 5.0
"""Before so much is done the rest is not estimated: shards are as different as their resources."""


@dataclass(slots=True)
class Standing:
    """How far a scan is; touched by all its threads, under the lock of whoever holds it.

    Attributes:
        shards: all that it consists of, in no order.
        found, judged: resources of a shard that were listed, and of these those that are judged.
    """

    shards: tuple[Shard, ...] = ()
    done: set[Shard] = field(default_factory=set)
    found: dict[Shard, int] = field(default_factory=dict)
    judged: dict[Shard, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Return which part is done: shards take turns in no order, so those that are done stand for the others."""
        under_way = (
            min(1.0, self.judged.get(shard, 0) / found)
            for shard, found in self.found.items()
            if found and shard not in self.done
        )
        return (len(self.done) + sum(under_way)) / len(self.shards) if self.shards else 0.0

    def remaining_seconds(self, elapsed: float) -> float | None:
        """Return how long the rest takes at the pace so far, None as long as that would be a guess."""
        share = self.share
        if share < _KNOWN_FROM_SHARE or elapsed < _KNOWN_FROM_SECONDS:
            return None
        return elapsed * (1 - share) / share

    def sentence(self, elapsed: float, waits: Mapping[str, float]) -> str:
        """Return the line for people; `waits`: bucket of AWS's quotas → seconds until it has room again."""
        if not self.shards:
            return _START
        accounts, regions = {one.account for one in self.shards}, {_place(one) for one in self.shards}
        open_ = [one for one in self.shards if one not in self.done]
        parts = [
            _part(len(accounts) - len({one.account for one in open_}), len(accounts), "account"),
            _part(len(regions) - len({_place(one) for one in open_}), len(regions), "region"),
            f"{_judged(self.judged.values()):,} of {sum(self.found.values()):,} resources found so far judged",
        ]
        longest = max(waits.items(), key=lambda wait: wait[1], default=("", 0.0))
        if longest[1] >= _SAID_FROM_SECONDS:
            parts.append(f"waits {roughly(longest[1])} for AWS's quota of {_quota(longest[0])}")
        rest = self.remaining_seconds(elapsed)
        # What the quota still holds back is at least what is left.
        left = None if rest is None else max(rest, longest[1])
        parts.append("time left not known yet" if left is None else f"about {roughly(left)} left")
        return " · ".join(parts)


def _place(shard: Shard) -> tuple[str, str]:
    return shard.account, shard.region


def _judged(counts: Iterable[int]) -> int:
    return sum(counts)


def _part(done: int, of: int, noun: str) -> str:
    return f"{done} of {counted(of, noun)}"


def _quota(bucket: str) -> str:
    return "CloudWatch datapoints" if bucket == DATAPOINTS else f"{bucket} requests"


def roughly(seconds: float) -> str:
    """Return a length of time as precisely as an estimate is: tens of seconds, minutes, hours."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < _MINUTE:
        return f"{round(seconds / 10) * 10} s"
    return f"{round(seconds / _MINUTE)} min" if seconds < _HOUR else f"{seconds / _HOUR:.1f} h"


class TerminalProgress(Progress):
    """The progress of one scan, by lines."""

    def __init__(self, lines: Callable[[str], None], seconds: Callable[[], float] = time.monotonic) -> None:
        """`lines` prints one line above the one that changes."""
        self._lines = lines
        self._seconds = seconds
        self._lock = threading.Lock()
        self._standing = Standing()
        self._began = seconds()
        self._until: dict[str, float] = {}
        self._widths = (0, 0)

    def planned(self, shards: Sequence[Shard]) -> None:
        with self._lock:
            self._standing = Standing(tuple(shards))
            self._began = self._seconds()
            self._widths = (
                max((len(one.region) for one in shards), default=0),
                max((len(one.kind) for one in shards), default=0),
            )

    def listed(self, shard: Shard, resources: int) -> None:
        with self._lock:
            self._standing.found[shard] = resources

    def judged(self, shard: Shard, resources: int) -> None:
        with self._lock:
            self._standing.judged[shard] = self._standing.judged.get(shard, 0) + resources

    def finished(self, done: FinishedShard) -> None:
        with self._lock:
            self._standing.done.add(done.shard)
            region, kind = self._widths
        if done.resources or done.gaps:
            self._lines(shard_line(done, region, kind))

    def waits(self, bucket: str, seconds: float) -> None:
        with self._lock:
            self._until[bucket] = max(self._until.get(bucket, 0.0), self._seconds() + seconds)

    def sentence(self) -> str:
        """Return the line that changes, as of now."""
        with self._lock:
            now = self._seconds()
            self._until = {bucket: until for bucket, until in self._until.items() if until > now}
            waits = {bucket: until - now for bucket, until in self._until.items()}
            return self._standing.sentence(now - self._began, waits)


def shard_line(done: FinishedShard, region_width: int, kind_width: int) -> str:
    """Return what one shard brought, in columns: a cost that is known in part is at least what it says."""
    shard = done.shard
    least = "at least " if done.unpriced else ""
    parts = [
        f"{shard.account}  {shard.region:<{region_width}}  {shard.kind:<{kind_width}}",
        f"{counted(done.resources, 'resource'):>15}",
        f"{f'{least}{done.monthly_cost:,.2f} USD a month':>34}",
    ]
    if done.recommendations:
        parts.append(counted(done.recommendations, "recommendation"))
    if done.gaps:
        parts.append(counted(done.gaps, "gap"))
    return "  ".join(parts)


class _Line:
    """The line that changes; asked anew each time it is drawn."""

    def __init__(self, progress: TerminalProgress) -> None:
        self._progress = progress
        self._spinner = Spinner("dots")

    def __rich__(self) -> Spinner:
        self._spinner.update(text=self._progress.sentence())
        return self._spinner


@contextmanager
def terminal_progress(console: Console) -> Iterator[TerminalProgress]:
    """Yield what shows progress on `console` until the end of the block, and leaves only the finished lines there."""
    live = Live(console=console, refresh_per_second=4, transient=True)
    progress = TerminalProgress(lambda line: console.print(line, no_wrap=True, overflow="ellipsis"))
    live.update(_Line(progress))
    with live:
        yield progress
