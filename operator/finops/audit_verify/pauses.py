"""Checks that no act of a paused kind begins, and none destroys, after its pause and before its resumption.

A record `acts paused` (operation id `acts paused:NAMESPACE/POLICY/ACTION:N`) holds for every act of that action and
policy but the one that failed and undos, which do not wait, until an `acts resumed` record of the same number or a
higher one; who may make that is checked in `words`. An act's `started` record names its policy and plan. The intents
for which permission is asked (`story`) are written only while no such pause stands before them.
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
    """Follows the whole ledger.

    Attributes:
        in_force: namespace, policy and action, with strokes between → its pauses that nobody ended.
    """

    in_force: dict[str, list[_Pause]] = field(default_factory=dict)

    def changed(self, record: Mapping[str, Any]) -> None:
        """Take in the next record that names a request."""
        kind = record["kind"]
        if kind not in {_PAUSED, _RESUMED}:
            return
        scope, _, text = record["operationId"].removeprefix(f"{kind}:").rpartition(":")
        number = int(text) if text.isdecimal() else 0
        pauses = self.in_force.setdefault(scope, [])
        if kind == _PAUSED:
            pauses.append(_Pause(number, record["sequence"], record["request"]))
        else:
            self.in_force[scope] = [one for one in pauses if one.number > number]

    def problem(self, what: str, scope: str, request: str) -> str:
        """Return why an intent for which permission is asked breaks the rule, empty when it does not.

        Args:
            what: what the intent begins, for the sentence.
            scope: what a pause of its act would name.
            request: its name in the ledger.
        """
        for one in self.in_force.get(scope, ()):
            if one.request != request:
                return f"{what} while record {one.sequence} paused acts of its kind"
        return ""


def scope_of(started: Mapping[str, Any]) -> str:
    """Return what a pause of an act would name, by its `started` record; nothing names the scope of a malformed one."""
    detail, plan = started["detail"], started["detail"].get("plan")
    action = plan.get("action") if isinstance(plan, Mapping) else ""
    return f"{started['request'].partition('/')[0]}/{detail.get('policy')}/{action}"
