"""Which Slack channels an alert goes to. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from finops.crds.budget import Budget
from finops.crds.scan_policy import ScanPolicy
from finops.domain.budget import Reached


def channels_in(policies: Iterable[ScanPolicy], namespace: str) -> tuple[str, ...]:
    """Return the channels that the policies of a namespace post to, each once."""
    slack = (one.spec.notify.slack for one in policies if one.metadata.namespace == namespace)
    return tuple(sorted({one.channel for one in slack if one is not None}))


def channels_of(budget: Budget, policies: Iterable[ScanPolicy]) -> tuple[str, ...]:
    """Return the budget's own channel; without one, those of the policies of its namespace."""
    own = budget.spec.notify.slack
    return (own.channel,) if own is not None else channels_in(policies, budget.metadata.namespace or "")


def is_loudest(one: Reached, reached: Iterable[Reached]) -> bool:
    """Return whether a threshold is the highest of its basis: of several passed at once one message is enough."""
    return all(one.percent >= other.percent for other in reached if other.basis is one.basis)
