"""What days decide for checks of common forms: `Check.settled_by_days` in words. Pure; used by every service.

A form is a promise of the check that uses it, and a check that keeps none of them says by itself what days decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from finops.domain.recommendation import Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts, Parameters, Pictures, Settled
from finops_operator.plugins.facts import KindFacts
from finops_operator.plugins.sufficiency import insufficient

Evaluate: TypeAlias = Callable[[Facts[Any], Parameters], Finding | NotRecommended]


def whatever_was_measured(_pictures: Pictures[Any], _parameters: Parameters) -> Settled:
    """Days decide, for a check that reads no metric, or only those that are read by the day anyway."""
    return Settled.BY_DAYS


def where_use_forbids(evaluate: Evaluate) -> Callable[[Pictures[Any], Parameters], Settled]:
    """Return what days decide for a check of idleness: more use may take its finding away and never brings one.

    So it decides that even the most which was used leaves the finding, or that the least takes it away already.
    """

    def settled(pictures: Pictures[Any], parameters: Parameters) -> Settled:
        # Most resources are in use, which the least of it shows.
        used = isinstance(evaluate(_as_if_seen_whole(pictures), parameters), NotRecommended)
        decided = used or isinstance(evaluate(pictures.most, parameters), Finding)
        return Settled.BY_DAYS if decided else Settled.OPEN

    return settled


def seen_enough(pictures: Pictures[Any]) -> bool:
    """Return whether days show enough of each metric to judge by; where they do not, hours still may."""
    least = pictures.least.utilization
    return not any(
        insufficient(seen, name, pictures.days.settings)
        for seen in (pictures.days.utilization, replace(least, fine={}), least)
        for name in {**seen.metrics, **seen.fine}
    )


def _as_if_seen_whole(pictures: Pictures[KindFacts]) -> Facts[KindFacts]:
    """Return the least that was used as if nothing of its windows were missing: hours may miss less than days show."""
    least, most = pictures.least.utilization, pictures.most.utilization
    metrics, fine = _whole(least.metrics, most.metrics), _whole(least.fine, most.fine)
    return replace(pictures.least, utilization=replace(least, metrics=metrics, fine=fine))


def _whole(least: Mapping[str, MetricSummary], most: Mapping[str, MetricSummary]) -> dict[str, MetricSummary]:
    # Where both are one, what is missing is known.
    return {
        name: one if most.get(name) is one else replace(one, points=one.expected, missing_at_end=0)
        for name, one in least.items()
    }
