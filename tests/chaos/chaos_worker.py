"""Carries out cases one after the other in a world of its own: `python -m tests.chaos.chaos_worker SEED SPEED`.

Reads one case a line and answers each with one line of JSON. A process has one AWS double at most, so that runs side by
side need a worker each.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from tests.chaos.chaos_cases import Case
from tests.chaos.chaos_run import Outcome, Run
from tests.chaos.chaos_world import running_world

_SETTLING_SECONDS = 6.1
"""Votes made in the five seconds after the admission policies were installed do not count."""


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as the worker's line says it."""
    violations = [[one.broken.name, one.evidence] for one in outcome.violations]
    return {
        "case": outcome.case,
        "reached": outcome.reached,
        "state": outcome.state,
        "seconds": outcome.seconds,
        "violations": violations,
        "met": outcome.met,
        "log": outcome.log,
    }


def main() -> None:
    """Serve cases until standard input closes."""
    seed, speed = int(sys.argv[1]), float(sys.argv[2])
    with running_world(speed) as world:
        time.sleep(_SETTLING_SECONDS)
        for line in sys.stdin:
            outcome = Run(world, Case.of(line.strip()), seed).carry_out()
            print(json.dumps(as_json(outcome)), flush=True)


if __name__ == "__main__":
    main()
