"""What `make pod-kills` prints at its end."""

from __future__ import annotations

from collections import Counter

from tests.chaos.chaos_checker import Broken
from tests.e2e.loop.kills.kill_run import KillRun
from tests.e2e.loop.kills.killer import Kill


def summary(run: KillRun, seconds: float) -> str:
    """Return who was killed how often, how the acts ended, and which promises were broken."""
    lines = ["kills"]
    lines += [f"{run.kills[kill]:>5}  {kill.value}" for kill in Kill]
    busy = sum(count > 0 for count in run.under_way)
    most = max(run.under_way, default=0)
    lines += ["", f"{busy:>5}  of them while acts were under way, up to {most} at once", "", "acts"]
    lines += [f"{count:>5}  {action}: {state}" for (action, state), count in sorted(run.ends.items())]
    broken = Counter(one.broken for one in run.violations)
    lines += ["", *(f"not killed: {one}" for one in run.missed)]
    lines += ["violations", *(f"{broken[kind]:>5}  {kind.value}" for kind in Broken), ""]
    lines.append(
        f"{sum(run.kills.values())} kills, {len(run.acts)} acts, {run.records} records in {seconds:.0f} s, "
        f"{len(run.violations)} violations; seed {run.seed}; kept in {run.folder}"
    )
    return "\n".join(lines)
