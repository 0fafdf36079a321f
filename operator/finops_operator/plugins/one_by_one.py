"""Questions that must be asked resource by resource, because the listing leaves out what they answer.

Called by the collectors. A right that is missing is missing for all resources, so that a question which failed is not
asked again: what it would have answered is unknown for the rest, and the Gap is given once, after the listing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsDenied, AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

_NONE: Final[frozenset[str]] = frozenset()


@dataclass(slots=True)
class OneByOne:
    """Asks about single resources.

    Attributes:
        reader: of the account and region.
        refusals: denials of one question in a row after which it is given up; more than one where a resource's own
            policy may refuse what others answer. Any other error gives it up at once.
        gone: error codes of a resource that was deleted since it was listed: only its own answer is not known.
        gaps: what could not be read, one for each question.
    """

    reader: PageReader
    refusals: int = 1
    gone: frozenset[str] = _NONE
    gaps: list[Gap] = field(default_factory=list)
    _left: dict[str, int] = field(default_factory=dict)

    def answer(
        self, operation: str, parameters: Mapping[str, Any], absent: frozenset[str] = _NONE
    ) -> Mapping[str, Any] | None:
        """Return the answer about one resource, None when it is not known.

        Args:
            operation: `service:Operation`.
            parameters: what names the resource.
            absent: error codes that mean that there is nothing to answer; the answer is empty then.
        """
        found: list[Mapping[str, Any]] = []
        complete = self.each(operation, parameters, found.append, absent, paged=False)
        return (found[0] if found else {}) if complete else None

    def each(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        take: Callable[[Mapping[str, Any]], None],
        absent: frozenset[str] = _NONE,
        *,
        paged: bool = True,
    ) -> bool:
        """Give every page about one resource to `take`; False when they could not be read to the end."""
        if not self._left.get(operation, self.refusals):
            return False
        try:
            if paged:
                for page in self.reader.pages(operation, parameters):
                    take(page)
            else:
                take(self.reader.once(operation, parameters))
        except AwsError as error:
            if error.code in absent:
                return True
            if error.code not in self.gone:
                self._failed(operation, error)
            return False
        self._left.pop(operation, None)
        return True

    def _failed(self, operation: str, error: AwsError) -> None:
        left = self._left.get(operation, self.refusals)
        self._left[operation] = left - 1 if isinstance(error, AwsDenied) else 0
        gap = gap_of(error, self.reader)
        if all(one.operation != gap.operation for one in self.gaps):
            self.gaps.append(gap)
