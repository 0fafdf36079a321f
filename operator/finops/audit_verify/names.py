"""Which record each request and each operation was named by last.

The operation ids of one act begin with the uid of its request and come within a few records of each other. So they are
kept together, a few at one place: a ledger has ten times as many operations as requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from finops.audit_verify.shelf import NAMES_NEAR, Kept, Shelf

_TOGETHER: Final = 64
"""Operations at one place; further ones that begin alike are kept each by itself: no place grows without end."""


@dataclass(slots=True)
class _Place(Kept):
    last: int = 0
    operations: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Names:
    """Sequences by name. Every method raises OSError when the temporary file cannot be written or read."""

    together: int = _TOGETHER
    _places: Shelf[_Place] = field(default_factory=lambda: Shelf(NAMES_NEAR))

    def follow(self, request: str, sequence: int) -> int:
        """Return the last record of a request, by its uid, and take in the next one; 0: there is none."""
        place = self._place(request)
        before, place.last = place.last, sequence
        return before

    def first(self, operation: str, sequence: int) -> int:
        """Return the record that holds an operation id; `sequence` where none did."""
        place = self._place(operation.partition(":")[0])
        known = place.operations.get(operation)
        if known is not None:
            return known
        if len(place.operations) >= self.together:
            place = self._place(operation)
        return place.operations.setdefault(operation, sequence)

    def _place(self, name: str) -> _Place:
        found = self._places.get(name)
        if found is None:
            found = _Place()
            self._places.put(name, found)
        return found
