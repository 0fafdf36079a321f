"""Checks that no act of a paused kind begins after its pause and before its resumption.

A record `acts paused` (operation id `acts paused:NAMESPACE/POLICY/ACTION:N`) holds for every act of that action and
policy but the one that failed and undos, which do not wait, until an `acts resumed` record of the same number or a
higher one; who may make that is checked in `words`. Its `started` record names an act's policy and plan; it begins with
its first intent, which is written only while no such pause stands before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PAUSED, _RESUMED = "acts paused", "acts resumed"


@dataclass(frozen=True, slots=True)
class _Pause:
    """One pause: its number, the sequence of its record, and the request whose act failed."""

    number: int
    sequence: int
    request: str


@dataclass(slots=True)
class Pauses:
    """Follows the whole ledger; `problem` returns why a record breaks the rule, empty when it does not.

    Attributes:
        in_force: namespace, policy and action, with strokes between → its pauses that nobody ended.
        begun: request of an act that has called nothing yet → what a pause of it would name.
        undos: requests that undo an act and have called nothing yet.
    """

    in_force: dict[str, list[_Pause]] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)
    undos: set[str] = field(default_factory=set)

    def problem(self, record: Mapping[str, Any]) -> str:
        """Take in the next record that names a request."""
        kind, request = record["kind"], record["request"]
        if kind in {_PAUSED, _RESUMED}:
            scope, _, number = record["operationId"].removeprefix(f"{kind}:").rpartition(":")
            self._changed(record, scope, int(number) if number.isdecimal() else 0)
        elif kind == "proposed" and record["detail"].get("undoes"):
            self.undos.add(request)
        elif kind == "outcome" and record["attempt"] == 0 and record["result"] == "started":
            self.begun[request] = _scope(record)
        elif kind == "intent":
            return self._called(request)
        return ""

    def _changed(self, record: Mapping[str, Any], scope: str, number: int) -> None:
        pauses = self.in_force.setdefault(scope, [])
        if record["kind"] == _PAUSED:
            pauses.append(_Pause(number, record["sequence"], record["request"]))
        else:
            self.in_force[scope] = [one for one in pauses if one.number > number]

    def _called(self, request: str) -> str:
        scope = self.begun.pop(request, "")
        is_undo = request in self.undos
        self.undos.discard(request)
        if is_undo:
            return ""
        for one in self.in_force.get(scope, ()):
            if one.request != request:
                return f"the act began while record {one.sequence} paused acts of its kind"
        return ""


def _scope(started: Mapping[str, Any]) -> str:
    """Return what a pause of an act would name, by its `started` record; nothing names the scope of a malformed one."""
    detail, plan = started["detail"], started["detail"].get("plan")
    action = plan.get("action") if isinstance(plan, Mapping) else ""
    return f"{started['request'].partition('/')[0]}/{detail.get('policy')}/{action}"
