"""The calls of one act by its records, and whether they follow the order of the plan.

Rules: a plan is called from its first step to its last one. A step is called once each earlier step that changes
something took effect: AWS accepted it (`ok`), an observation showed it (`recovered`, or `absent` with an effect that
showed late), or, of a call that destroys, the resource is gone whoever did it (`foreign`). A step is called again only
when its last call was refused (`rejected`) or had no effect (`absent`). A rollback follows what AWS shows and not a
position, so it has no such order; it begins only once something may have changed. An act is verified only when every
step was called and took effect; one that turned back only when a call that destroys may have had its effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finops.audit_verify.plan import destroys
from finops.audit_verify.shelf import Kept

_UNDECIDED = "unknown"
_DONE = frozenset({"ok", "recovered"})
_CHANGED = _DONE | {"foreign"}
_AGAIN = frozenset({"rejected", "absent"})
DUPLICATE = "Duplicate"
"""Code of the one problem that a `corrected` record can settle."""


@dataclass(slots=True)
class _Call(Kept):
    operation_id: str
    step: str
    outcomes: list[str] = field(default_factory=list)

    @property
    def closed(self) -> bool:
        return any(outcome != _UNDECIDED for outcome in self.outcomes)


@dataclass(slots=True)
class Calls(Kept):
    """Every intent of one act by step and attempt, in the ledger's order, with its outcomes.

    Attributes:
        found: (step, attempt) → the call.
        tried: whether AWS was asked by a dry run instead, of which there is no intent.
        turned: whether the act has turned back.
    """

    found: dict[tuple[str, int], _Call] = field(default_factory=dict)
    tried: bool = False
    turned: bool = False

    @property
    def may_have_changed(self) -> bool:
        """Whether something in AWS changed, or may have."""
        return any(not call.closed or _CHANGED.intersection(call.outcomes) for call in self.found.values())

    def open_intents(self) -> list[str]:
        """Return the operation ids of the intents without a final outcome."""
        return [call.operation_id for call in self.found.values() if not call.closed]

    def add(self, record: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Take in an intent; return what is wrong with its attempt."""
        step, attempt = record["step"], record["attempt"]
        earlier = [number for name, number in self.found if name == step]
        problems = [("Pairing", f"a new intent while {other} has no outcome") for other in self.open_intents()]
        if not step or attempt != max(earlier, default=0) + 1:
            problems.insert(0, ("Pairing", f"attempt {attempt} of step {step!r} is out of order"))
        self.found[step, attempt] = _Call(record["operationId"], step)
        return problems

    def close(self, record: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Take in what became of a call; return what is wrong with it."""
        call = self.found.get((record["step"], record["attempt"]))
        if call is None:
            return [("Pairing", "an outcome without an intent")]
        if call.closed:
            # Two processes that saw the same effect: harmless, and void once a correction names the second record.
            same = (call.outcomes[-1] in _DONE) == (record["result"] in _DONE)
            return [(DUPLICATE if same else "Pairing", "a second final outcome of the same attempt")]
        call.outcomes.append(record["result"])
        return []

    def problem_of_next(self, plan: Mapping[str, Any], step: str) -> str:
        """Return why a step of the plan may not be called now, empty when it may; asked before its intent is taken in.

        Whether the step is one of the plan is not judged here, nor whether a call is still open.
        """
        steps = _changing(plan)
        if step not in steps:
            return ""
        place = list(steps).index(step)
        for other, operation in list(steps.items())[:place]:
            if not self._took_effect(other, operation):
                return f"step {step!r} was called before step {other!r}, which the plan has first, took effect"
        for other in list(steps)[place + 1 :]:
            if self._of(other):
                return f"step {step!r} was called after step {other!r}, before which the plan has it"
        last = next((call.outcomes[-1] for call in reversed(self._of(step)) if call.closed), "")
        repeats = last and last not in _AGAIN
        return f"step {step!r} was called again though its last call came to {last!r}" if repeats else ""

    def problem_of_success(self, plan: Mapping[str, Any]) -> str:
        """Return why an act may not be verified, empty when it may."""
        steps = _changing(plan)
        if self.turned:
            gone = any(destroys(operation) and self._took_effect(step, operation) for step, operation in steps.items())
            return "" if gone else "verified after the act had turned back"
        missing = next((step for step, operation in steps.items() if not self._took_effect(step, operation)), "")
        return f"verified, and step {missing!r} of the plan took no effect" if missing else ""

    def _of(self, step: str) -> list[_Call]:
        return [call for call in self.found.values() if call.step == step]

    def _took_effect(self, step: str, operation: str) -> bool:
        calls = self._of(step)
        if not calls or not calls[-1].closed:
            return False
        last = calls[-1].outcomes[-1]
        # What seemed to have no effect may show late, also behind the refusal of its repetition.
        late = any("absent" in call.outcomes for call in calls) and not destroys(operation)
        return last in _DONE or late or (last == "foreign" and destroys(operation))


def _changing(plan: Mapping[str, Any]) -> dict[str, str]:
    """Return step → operation of a plan's calls, in its order."""
    steps = [step for step in plan.get("steps", ()) if isinstance(step, Mapping) and step.get("operation")]
    return {str(step.get("id")): str(step["operation"]) for step in steps}
