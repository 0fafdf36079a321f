"""What a kind declares about commitments: Reserved Instances, Savings Plans and capacity that is paid for, used or not.

A saving at list price is not what the bill falls by where a commitment pays for the resource: the commitment goes on.
A kind whose service sells commitments reads them; what it does not read is unknown, and never taken for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import ActionType
from finops.domain.resource import Gap, Resource
from finops.ports.aws_read import PageReader


@dataclass(frozen=True, slots=True)
class Act:
    """What a recommendation does to the hours of one resource.

    Attributes:
        action_type: of the check that found it.
        target: what the resource should become, in AWS's word; empty where it becomes nothing else.
    """

    resource: Resource
    action_type: ActionType
    target: str = ""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What of a saving at list price stays on the bill, because a commitment is paid for all the same.

    Attributes:
        hourly: currency units an hour, not negative; None: not known.
        note: why, as the end of a sentence: `a Reserved Instance until 2027-03-01 covers it`; empty: nothing to say.
    """

    hourly: Decimal | None
    note: str = ""


class Committed(Protocol):
    """The commitments that reach the resources of one kind in one account and region, and these resources."""

    def unsaved(self, act: Act) -> Unsaved:
        """Return what `act` would not save."""
        ...

    def after(self, act: Act) -> Committed:
        """Return how it stands once `act` is done, so that two savings never count the same hours."""
        ...

    def seen(self, resources: Iterable[Resource]) -> Committed:
        """Return how it stands with what is known by now of the hours that these of its resources run."""
        ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """What commitments keep where none exist, or where they are not known; the same for every act."""

    answer: Unsaved

    def unsaved(self, act: Act) -> Unsaved:
        """Return the one answer."""
        del act
        return self.answer

    def after(self, act: Act) -> Nothing:
        """Return itself."""
        del act
        return self

    def seen(self, resources: Iterable[Resource]) -> Nothing:
        """Return itself."""
        del resources
        return self


@dataclass(frozen=True, slots=True)
class Reading:
    """What is needed to read the commitments of one account and region.

    Attributes:
        resources: all of the kind in the account and region, selected by the policy or not, each billed the hours that
            it ran as far as they are known.
        now: the scan's instant.
    """

    reader: PageReader
    resources: Iterable[Resource]
    lookup: Callable[[PriceQuery], Price | None]
    now: datetime


@dataclass(frozen=True, slots=True)
class Commitments:
    """How a kind's commitments are read.

    Attributes:
        read: reads them, once in a scan for an account and region, and only when something can be saved there. What
            cannot be read is a Gap, and what it leaves unknown says so.
        permissions: IAM actions that reading calls.
        otherwise: what is known without reading anything.
        probes: permission → (id of a resource) → parameters of a call about nothing, where the call needs some.
        granted_by: codes by which AWS answers such a call once it has found it allowed.
    """

    otherwise: Committed
    read: Callable[[Reading], tuple[Committed, tuple[Gap, ...]]] | None = None
    permissions: tuple[str, ...] = ()
    probes: Mapping[str, Callable[[str], Mapping[str, Any]]] = field(default_factory=dict)
    granted_by: frozenset[str] = frozenset()


NOT_READ: Final = Commitments(Nothing(Unsaved(None, "commitments for this service are not read")))
"""Of a kind that AWS may sell commitments for: what they keep is unknown."""
NONE_SOLD: Final = Commitments(Nothing(Unsaved(Decimal(0))))
"""Of a kind that AWS sells no commitment for: what its list price says is saved."""
