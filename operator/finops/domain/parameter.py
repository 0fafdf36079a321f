"""What a policy may set of a check: declared by the check, judged by the operator, shown by the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One number a policy may set for a check; inclusive range, figures in `unit`.

    `metrics` names those of the kind with whose figures the check compares the number as it is, in the same unit: pages
    draw it into their charts. Empty where it is compared with something else, such as a sum of two metrics.
    """

    name: str
    unit: str
    default: Decimal
    minimum: Decimal
    maximum: Decimal
    description: str
    metrics: tuple[str, ...] = ()
