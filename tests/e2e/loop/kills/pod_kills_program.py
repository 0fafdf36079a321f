"""`make pod-kills`: kills pods and the API server of a real cluster while acts of all sorts are under way.

    python -m tests.e2e.loop.kills.pod_kills_program [--runs N] [--seed S] [--folder F]

Needs the cluster of the cluster tests (FINOPS_TEST_KUBECONFIG, TESTCLUSTER_HOST), made on this machine by its own
program. People vote by kubectl and in Slack while operators, bot, store and API server are killed at moments that the
seed chooses. After each batch everything may recover, and one checker joins what the AWS double saw, the objects and
the exported ledger, of all acts so far. The exit code is 1 when a promise was broken or a kill could not be done.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from tests.e2e.conftest import named_cluster
from tests.e2e.loop.installation import installed
from tests.e2e.loop.kills.kill_acts import ACTIONS, estate
from tests.e2e.loop.kills.kill_run import PER_BATCH, KillRun
from tests.e2e.loop.kills.kill_summary import summary
from tests.e2e.loop.world import Loop

_STATE_SECONDS: Final = 4.0
"""How long the AWS double takes to stop or start an instance: most acts meet several kills."""


@contextlib.contextmanager
def _loop(folder: Path, batches: int) -> Iterator[Loop]:
    file = folder / "estate.yaml"
    file.write_text(yaml.safe_dump(estate(batches)), encoding="utf-8")
    with (
        named_cluster() as cluster,
        installed(cluster, file, ACTIONS, cards=1000, state_seconds=_STATE_SECONDS) as loop,
    ):
        yield loop


def main(arguments: list[str] | None = None) -> int:
    """Kill as often as was asked for, print the table, return the exit code."""
    parser = argparse.ArgumentParser(prog="make pod-kills")
    parser.add_argument("--runs", type=int, default=200, help="how many kills")
    parser.add_argument("--seed", type=int, default=1, help="chooses who is killed and when")
    parser.add_argument("--folder", type=Path, help="where logs, objects and ledger are kept")
    asked = parser.parse_args(arguments)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="pod-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    batches = -(-asked.runs // PER_BATCH)
    begun = time.monotonic()
    print(f"{asked.runs} kills in {batches} batches, seed {asked.seed}; everything is kept in {folder}", flush=True)
    with _loop(folder, batches) as loop:
        run = KillRun(loop, asked.seed, folder)
        for number in range(batches):
            run.batch(number, min(PER_BATCH, asked.runs - number * PER_BATCH))
            # A run of half an hour that is broken off leaves what it found.
            (folder / "summary.txt").write_text(summary(run, time.monotonic() - begun) + "\n", encoding="utf-8")
    print("\n" + summary(run, time.monotonic() - begun))
    return 1 if run.violations or run.missed else 0


if __name__ == "__main__":
    sys.exit(main())
