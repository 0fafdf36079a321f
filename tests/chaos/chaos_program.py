"""`make chaos`: disturbs every action at every boundary in every way, and says what it broke.

    python -m tests.chaos.chaos_program [--runs N] [--seed S] [--jobs J] [--case CASE] [--small]

Without `--runs` all cases are run; with `--small` one for each action, without the undisturbed runs that find all
boundaries. The same seed chooses the same sample, and the same moments within a run. The exit code is 1 when a promise
was broken, a registered boundary was met by no run, or a run of the small sample did not come to its boundary; 2 when a
worker died.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.chaos_cases import Case, cases, not_met, sample, small_sample, undisturbed
from tests.chaos.chaos_summary import Seen, failures, progress, summary
from tests.chaos.chaos_world import SPEED

from finops_operator.plugins.loaded import plugins

SPEED_OF_SAMPLE: Final = 30.0
"""The small sample runs beside other tests: on a fast clock a process that waits for a processor loses its lease."""
_LINES_EVERY: Final = 20
"""Runs between two lines of progress where the output is no terminal."""


@dataclass(slots=True)
class Workers:
    """Worker processes, each fed by a thread of this one."""

    jobs: int
    seed: int
    speed: float = SPEED
    planned: int = 0
    seen: list[Seen] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)
    died: bool = False
    _processes: list[subprocess.Popen[str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Start the workers; they make their worlds while nothing is asked of them yet."""
        command = [sys.executable, "-m", "tests.chaos.chaos_worker", str(self.seed), str(self.speed)]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(self.jobs)
        ]

    def run(self, wanted: Iterable[Case]) -> list[Seen]:
        """Run all cases; returns what was seen of them, fewer when a worker died."""
        waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
        for case in wanted:
            waiting.put(case)
        self.planned += waiting.qsize()
        before = len(self.seen)
        threads = [threading.Thread(target=self._feed, args=(one, waiting)) for one in self._processes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.seen[before:]

    def stop(self) -> None:
        """Let the workers end."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._processes:
            process.wait(60)

    def _feed(self, process: subprocess.Popen[str], waiting: queue.SimpleQueue[Case]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        while not self.died:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            process.stdin.write(case.text + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                self.died = True
                print(f"\na worker died at: {case.text}", file=sys.stderr)
                return
            self._note(Seen.of(case, json.loads(line)))

    def _note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)
            if seen.violations:
                print("\n" + failures([seen], self.seed), flush=True)
            text = progress(self.seen, self.planned, time.monotonic() - self.begun)
            if sys.stdout.isatty():
                print(f"\r{text}\x1b[K", end="", flush=True)
            elif len(self.seen) % _LINES_EVERY == 0:
                print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for, print the table, return the exit code."""
    asked = _parser().parse_args(arguments)
    plugins()
    workers = Workers(1 if asked.case else asked.jobs, asked.seed, SPEED_OF_SAMPLE if asked.small else SPEED)
    workers.start()
    left_out: frozenset[str] = frozenset()
    if asked.case:
        workers.run([Case.of(asked.case)])
    elif asked.small:
        seen = workers.run(small_sample(asked.seed))
        left_out = frozenset(one.case.text for one in seen if not one.reached)
    else:
        first = workers.run(undisturbed())
        left_out = not_met(one.met for one in first)
        found = cases({one.case: one.met for one in first})
        print(f"\n{len(found):,} cases: {len(first)} undisturbed acts × their boundaries × faults", flush=True)
        workers.run(sample(found, asked.runs or len(found), asked.seed))
    workers.stop()
    print("\n" + summary(workers.seen, time.monotonic() - workers.begun, asked.seed))
    if left_out:
        print(f"no run met the boundaries {', '.join(sorted(left_out))}")
    if workers.died:
        return 2
    return 1 if left_out or any(one.violations for one in workers.seen) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--runs", type=int, default=0, help="how many disturbed runs; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample and the moments within runs")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="runs side by side")
    parser.add_argument("--case", default="", help="one case, as a failure names it")
    parser.add_argument("--small", action="store_true", help="one run for each action, with each fault among them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
