"""When a class that a check advises is applied: in the maintenance window, or at once. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops_operator.plugins.check import Parameters, ParameterSpec
from finops_operator.services.rds.rules.database_watch import NOW, WINDOW

_AT_ONCE: Final = Decimal(1)
APPLY_AT_ONCE: Final = ParameterSpec(
    name="applyAtOnce",
    unit="0 or 1",
    default=Decimal(0),
    minimum=Decimal(0),
    maximum=_AT_ONCE,
    description="1: the class is changed as soon as the act is approved and may start, with its downtime then. "
    "Otherwise AWS changes it in the next maintenance window of the instance.",
)


def apply_of(parameters: Parameters) -> str:
    """Return the parameter `apply` of the act, as the policy wants it."""
    return NOW if parameters[APPLY_AT_ONCE.name] >= _AT_ONCE else WINDOW
