"""What checks compare a resource's metrics with, as the policies that count it set it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from finops.crds.scan_policy import ScanPolicy
from finops.errors import ClusterUnavailable, Refused
from finops.store.what_if import KnownCheck
from finops_web.people.visitors import Visitor
from finops_web.readings.policies import ScannedPolicy
from finops_web.readings.what_ifs import live_policy

_MOST_POLICIES = 5


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure in a metric's unit that a check compares the metric with.

    Attributes:
        check: its title, of several with the same figure all of them.
        default: whether it is the release's figure because no policy could be read.
    """

    metric: str
    value: Decimal
    check: str
    default: bool = False


def limits_of(kind: str, checks: Iterable[KnownCheck], policies: Iterable[ScanPolicy]) -> tuple[Limit, ...]:
    """Return the limits of a kind's metrics, each figure of a metric once, the lowest first.

    Args:
        kind: of the resource.
        checks: of the release; those of other kinds have no say.
        policies: those that count the resource; what one of them turned off is no limit of it. Without a policy the
            figures of the release are returned, marked as such.
    """
    live = tuple(policies)
    found: dict[tuple[str, Decimal], list[str]] = {}
    for check in checks:
        if kind not in check.kinds:
            continue
        for parameter in check.thresholds:
            values = _values(check.id, parameter.name, parameter.default, live)
            for place in ((metric, value) for metric in parameter.metrics for value in values):
                titles = found.setdefault(place, [])
                if check.title not in titles:
                    titles.append(check.title)
    return tuple(
        Limit(metric, value, ", ".join(titles), default=not live)
        for (metric, value), titles in sorted(found.items(), key=lambda one: one[0])
    )


def live_among(visitor: Visitor, policies: Iterable[ScannedPolicy]) -> tuple[ScanPolicy, ...]:
    """Return the policies as the cluster has them, five at most; none that the visitor or nobody can read now."""
    found = []
    for one in list(policies)[:_MOST_POLICIES]:
        try:
            live = live_policy(visitor, *one.key)
        except (Refused, ClusterUnavailable):
            continue
        if live is not None:
            found.append(live)
    return tuple(found)


def _values(check: str, parameter: str, default: Decimal, policies: tuple[ScanPolicy, ...]) -> set[Decimal]:
    if not policies:
        return {default}
    found = set()
    for policy in policies:
        own = next((one for one in policy.spec.checks if one.id == check), None)
        if own is None or own.enabled:
            found.add(default if own is None else own.parameters.get(parameter, default))
    return found
