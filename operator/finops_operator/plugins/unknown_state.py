"""What stands in a cost for a state of which AWS's documents do not say what it bills: unknown, never nothing.

AWS adds words for states; a resource in one that a kind does not know would otherwise be shown as 0.00.
"""

from __future__ import annotations

from decimal import Decimal

from finops_operator.plugins.kind import BilledPart


def billed_as_unknown(dimension: str, state: str) -> tuple[BilledPart, ...]:
    """Return one part without a price; `dimension` is what the kind is billed first of all."""
    reason = f"what AWS bills in the state {state or 'that it did not give'} is not known"
    return (BilledPart(dimension, Decimal(0), None, reason),)
