"""What ListKeys leaves out: what a key is, and when it was used last. One question a key; called by the kind.

A key's own policy may refuse a question that other keys answer, so that the next key is asked all the same; after a few
refusals, or any other error, nothing more is asked. AWS lets GetKeyLastUsage through 5 times a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsDenied, AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of, moment_of

DESCRIBE: Final = "kms:DescribeKey"
LAST_USE: Final = "kms:GetKeyLastUsage"
_REFUSALS: Final = 3
"""Of one question, after which it is the role's right that is missing and not a single key's."""


@dataclass(slots=True)
class KeyReading:
    """Asks about keys one by one; `gaps` are what could not be read."""

    reader: PageReader
    gaps: list[Gap] = field(default_factory=list)
    _left: dict[str, int] = field(default_factory=dict)

    def description(self, key: str) -> Mapping[str, Any]:
        """Return what a key is, empty when that is not known."""
        return self._asked(DESCRIBE, key).get("KeyMetadata") or {}

    def last_use(self, key: str) -> tuple[str | None, str | None]:
        """Return when a key was used last and since when AWS keeps that, ISO times.

        The first is empty where AWS knows of no use since then, and both are None when the question was not answered.
        """
        answer = self._asked(LAST_USE, key)
        tracked = moment_of(answer.get("TrackingStartDate"))
        if tracked is None:
            return None, None
        used = moment_of((answer.get("KeyLastUsage") or {}).get("Timestamp"))
        return "" if used is None else used.isoformat(), tracked.isoformat()

    def _asked(self, operation: str, key: str) -> Mapping[str, Any]:
        left = self._left.get(operation, _REFUSALS)
        if not left:
            return {}
        try:
            return self.reader.once(operation, {"KeyId": key})
        except AwsError as error:
            self._left[operation] = left - 1 if isinstance(error, AwsDenied) else 0
            if all(gap.operation != operation.partition(":")[2] for gap in self.gaps):
                self.gaps.append(gap_of(error, self.reader))
            return {}
