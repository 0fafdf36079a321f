"""Pictures of 5 minutes: what is asked for them, and how they stand beside hours. Pure; used by the measure stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.draft import Draft
from finops_operator.scan.metrics.queries import Window
from finops_operator.scan.metrics.summarize import BEYOND_RETENTION, NOT_APPLICABLE
from finops_operator.scan.metrics.windows import DAY


def peaks(spec: MetricSpec) -> MetricSpec:
    """Return what the 5-minute picture asks of a metric: of a level only the peaks, its mean is that of the hours."""
    return spec if spec.counter or not spec.hourly else replace(spec, statistics=("Maximum",))


def with_mean_of(hours: Draft, spec: MetricSpec, summary: MetricSummary | str) -> MetricSummary | str:
    """Return the summary of 5-minute peaks with the levels of the hours, which saw more than the peaks."""
    hourly = hours.metrics.get(spec.name)
    if isinstance(summary, str) or hourly is None or spec.counter:
        return summary
    return replace(summary, average=hourly.average, lowest=hourly.lowest)


def out_of_reach(resources: Iterable[Resource], drafts: Mapping[str, Draft], specs: Iterable[MetricSpec]) -> None:
    """Say of what only 5 minutes hold that no answer about the whole window can be had."""
    alone = [spec for spec in specs if not spec.hourly]
    for resource in resources:
        for spec in alone:
            reason = BEYOND_RETENTION if spec.applies(resource) else NOT_APPLICABLE
            drafts[resource.id].unknown[spec.name] = reason


def cut_within(window: Window, since: datetime | None) -> str:
    """Return what cut the window short, or a window of yesterday; empty when it was before both.

    What happened before it happened on another machine or another type.
    """
    return str(since) if since is not None and since.timestamp() >= window.start - DAY else ""


def show(draft: Draft, picture: Utilization, specs: Mapping[str, MetricSpec]) -> None:
    """Add a 5-minute picture to what is known of a resource."""
    draft.fine.update(picture.fine)
    for name, reason in picture.unknown.items():
        # Where the hours have data, 5 minutes without data take nothing back.
        if not specs[name].hourly:
            draft.unknown[name] = reason
