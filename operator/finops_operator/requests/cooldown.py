"""Which recommendations the proposer skips for a while, so that those it cannot propose now do not block others.

A preflight's refusal and a failed observation are remembered per policy as it was then: a changed policy, or a scan
that a person asked for, checks everything anew. Kept in memory: a restart forgets, and checks again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from finops.crds.scan_policy import ScanPolicy
from finops.domain.recommendation import Block, Recommendation
from finops_operator.rules.due import REQUESTED_AT

REFUSED_FOR: Final = timedelta(hours=6)
FAILED_FOR: Final = timedelta(hours=2)
_FAILURES_IN_A_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class CooldownReason:
    """Why something is passed over: a sentence, and the rules of the preflight when it was that which refused."""

    reason: str
    refusals: tuple[Block, ...] = ()


_Key: TypeAlias = tuple[str, int, str, str, str]


@dataclass(slots=True)
class Cooldowns:
    """What was refused or failed lately, by policy, resource and action; used under the proposer's lock."""

    _until: dict[_Key, tuple[datetime, CooldownReason]] = field(default_factory=dict)

    def why(self, policy: ScanPolicy, item: Recommendation, now: datetime) -> CooldownReason | None:
        """Return why `item` is passed over now, None when it is not."""
        until, passed = self._until.get(_key(policy, item), (now, None))
        return passed if now < until else None

    def note(
        self, policy: ScanPolicy, item: Recommendation, now: datetime, length: timedelta, passed: CooldownReason
    ) -> None:
        """Pass `item` over for `length`; what is over is dropped, so this holds the last hours alone."""
        for key in [key for key, (until, _) in self._until.items() if until <= now]:
            del self._until[key]
        self._until[_key(policy, item)] = (now + length, passed)


@dataclass(slots=True)
class FailingPlaces:
    """Accounts and regions that did not answer in one pass: after two failures in a row the rest of them waits."""

    _failures: Counter[tuple[str, str]] = field(default_factory=Counter)

    def why(self, item: Recommendation) -> str:
        """Return why `item` is passed over in this pass, empty when it is not."""
        place = _place(item)
        return f"AWS does not answer in {' '.join(place)}." if self._failures[place] >= _FAILURES_IN_A_ROW else ""

    def failed(self, item: Recommendation) -> None:
        self._failures[_place(item)] += 1

    def answered(self, item: Recommendation) -> None:
        self._failures[_place(item)] = 0


def _place(item: Recommendation) -> tuple[str, str]:
    return item.resource.account, item.resource.region


def _key(policy: ScanPolicy, item: Recommendation) -> _Key:
    metadata = policy.metadata
    asked = metadata.annotations.get(REQUESTED_AT, "")
    return metadata.uid or "", metadata.generation or 0, asked, item.resource.arn, item.action
