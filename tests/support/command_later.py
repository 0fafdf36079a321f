"""The command line as if it were later: `python -m tests.support.command_later SECONDS scan …`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from finops.ports.clock import SystemClock
from finops_operator.cli.main import main


def _run() -> None:
    ahead = timedelta(seconds=float(sys.argv.pop(1)))

    def later(_clock: SystemClock) -> datetime:
        return datetime.now(UTC) + ahead

    # The process is this one's own.
    setattr(SystemClock, "now", later)  # noqa: B010 - a method of a frozen class
    raise SystemExit(main())


if __name__ == "__main__":
    _run()
