"""What `make chaos` prints: progress, failures with the command that repeats them, and the table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.chaos_cases import Case, Fault
from tests.chaos.chaos_checker import Broken


@dataclass(frozen=True, slots=True)
class Seen:
    """One run as its worker reported it; one that did not reach its boundary counts as no run, what it broke counts."""

    case: Case
    reached: bool
    state: str
    seconds: float
    violations: tuple[tuple[Broken, str], ...] = ()
    met: Mapping[str, int] = field(default_factory=dict)
    log: str = ""

    @classmethod
    def of(cls, case: Case, document: Mapping[str, Any]) -> Seen:
        """Read a worker's line."""
        return cls(
            case=case,
            reached=bool(document["reached"]),
            state=str(document["state"]),
            seconds=float(document["seconds"]),
            violations=tuple((Broken[name], str(text)) for name, text in document["violations"]),
            met=document["met"],
            log=str(document["log"]),
        )


def progress(seen: Sequence[Seen], planned: int, seconds: float) -> str:
    """Return one line: how far it is, what it found, how long it will take."""
    left = (planned - len(seen)) * seconds / max(1, len(seen))
    broken = sum(1 for one in seen if one.violations)
    return f"{len(seen):,} of {planned:,} runs, {broken} with violations, about {left / 60:.0f} min left"


def failures(seen: Iterable[Seen], seed: int) -> str:
    """Return each run that broke a promise: the command that repeats it, what broke, and the operators' last words."""
    parts = []
    for one in seen:
        if one.violations:
            broken = "\n".join(f"  {kind.value}: {evidence}" for kind, evidence in one.violations)
            parts.append(f"make chaos SEED={seed} CASE={one.case.text}\n{broken}\n{one.log}")
    return "\n".join(parts)


def summary(seen: Sequence[Seen], seconds: float, seed: int) -> str:
    """Return the table of actions and faults, the promises with what broke them, and how to repeat each failure."""
    counted = [one for one in seen if one.reached]
    runs = Counter((one.case.action, one.case.fault) for one in counted)
    actions = sorted({one.case.action for one in seen})
    faults: tuple[Fault | None, ...] = (None, *Fault)
    width = max([len(action) for action in actions] + [6])
    names = [fault.value if fault else "none" for fault in faults]
    lines = ["  ".join([f"{'action':{width}}", *names])]
    lines += [
        "  ".join(
            [
                f"{action:{width}}",
                *(f"{runs[action, fault]:>{len(name)}}" for fault, name in zip(faults, names, strict=True)),
            ]
        )
        for action in actions
    ]
    broken = Counter(kind for one in seen for kind, _ in one.violations)
    lines += ["", *(f"{broken[kind]:>5}  {kind.value}" for kind in Broken), ""]
    missed = len(seen) - len(counted)
    lines.append(
        f"{len(counted):,} runs in {seconds:.0f} s, {sum(broken.values())} violations; "
        f"{missed} more did not come to their boundary; seed {seed}"
    )
    lines += [f"make chaos SEED={seed} CASE={one.case.text}" for one in seen if one.violations]
    return "\n".join(lines)
