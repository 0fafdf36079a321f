"""What became of each recommendation when requests were made, gathered in one pass of the proposer.

Written back to the store at its end, so that listings and `finops explain` say why nobody was asked. How many wait, and
for what, stands in the policy's condition `ActsProposed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from finops.domain.recommendation import Block, Recommendation, Status
from finops_operator.requests.cooldown import CooldownReason
from finops_operator.rules.candidates import Skip, asked_in
from finops_operator.rules.readiness import refused
from finops_operator.rules.unproposed import Unproposed, unproposed


@dataclass(slots=True)
class Outcomes:
    """Holds only what differs from the stored record: of a large fleet most stays as the scan judged it."""

    _changed: dict[str, Recommendation] = field(default_factory=dict)
    _reasons: Counter[str] = field(default_factory=Counter)

    def skipped(self, skip: Skip) -> None:
        """Keep what `candidates` ruled out."""
        item = skip.recommendation
        if not item.counted:
            return
        if item.status is Status.BLOCKED:
            self._reasons[skip.reason] += 1
        if item.status is Status.ACTIONABLE and skip.is_asked:
            self._noted(item, skip.reason)
        elif item.status is Status.ACTIONABLE:
            self.waits(item, skip.reason)
        elif skip.is_news or item.note:
            self._changed[item.id] = replace(item, note="")

    def waits(self, item: Recommendation, why: str) -> None:
        """Keep that an actionable one is not asked for now."""
        self._reasons[why] += 1
        self._noted(item, why)

    def asked(self, item: Recommendation, request: str) -> None:
        """Keep which request asks for it."""
        self._noted(item, asked_in(request))

    def refused(self, item: Recommendation, refusals: Sequence[Block]) -> None:
        """Keep that the action's preflight refused it."""
        self._reasons.update([refusals[0].message] if refusals else [])
        self._changed[item.id] = refused(item, refusals)

    def passed_over(self, item: Recommendation, passed: CooldownReason) -> None:
        """Keep what an earlier pass found out and what is not asked again yet."""
        if passed.refusals:
            self.refused(item, passed.refusals)
        else:
            self.waits(item, passed.reason)

    def _noted(self, item: Recommendation, why: str) -> None:
        self._changed[item.id] = replace(item, note=why)

    def unproposed(self) -> Unproposed:
        """Return how many nobody is asked about, and why."""
        return unproposed(self._reasons)

    def changed(self) -> tuple[Recommendation, ...]:
        """Return the records to write."""
        return tuple(self._changed.values())
