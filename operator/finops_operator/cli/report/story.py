"""Gathers what a scan's report says, so that terminal, Markdown and HTML say the same; reads the store once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from finops.crds.policy_actions import Mode
from finops.domain.money import CURRENCY, annual_from_monthly
from finops.domain.quantity import counted
from finops.domain.recommendation import BlockCode, Recommendation, Status
from finops.domain.report import ScanSummary, StatusSum
from finops_operator.cli.filters import Row
from finops_operator.cli.listings import (
    POSSIBLE,
    SHORT_ID,
    once_in_words,
    ready_first,
    row_of,
    total_line,
    unknown_in_words,
)
from finops_operator.cli.output import amount
from finops_operator.scan.report import reasons
from finops_operator.scan.scan import ScanOutcome

_FIGURE: Final = re.compile(r"\d[\d,.]*")
_FIGURE_OR_GAP: Final = re.compile(rf"{_FIGURE.pattern}|…")
_OBVIOUS: Final = re.compile(
    r"it is [a-z-]+(, not [a-z]+)?|it is in use|its type is (not \S+|current)|"
    r"it reports every five minutes, which is free"
)
"""Reasons that only say that a check is about something else: the state, type or setting of nearly all."""
_NAMES: Final = 5
SHOWN_ROWS: Final = 100
"""Recommendations in a report to read: of a large fleet the best; `finops recommendations` lists all."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why recommendations cannot become requests, and what they would save."""

    code: str
    message: str
    sum: StatusSum


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a check recommends nothing, for all resources with the same reason; `names` are the first of them."""

    check: str
    reason: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a report says about one scan.

    Attributes:
        rows: recommendations: ready ones, then those that would be ready if the policy asked for approval (their
            record's status says so), then the others by status and saving.
        possible: what would be saved if the policy asked for approval: ready, or blocked by its mode alone.
        observes: the policy only recommends.
        places: (account, region) that were scanned.
    """

    summary: ScanSummary
    rows: tuple[Row, ...]
    possible: StatusSum
    observes: bool
    places: tuple[tuple[str, str], ...]
    obstacles: tuple[Obstacle, ...]
    reasons: tuple[Reason, ...]
    gaps: tuple[Mapping[str, Any], ...]

    @property
    def headline(self) -> str:
        """Return what could be saved in one sentence."""
        if self.summary.complete_failure:
            # What each gap says is listed below the facts; saying it here too would only hide it.
            return (
                "Nothing could be scanned, so nothing is known; the reason is listed below."
                if self.gaps
                else f"Nothing is known: {self.summary.complete_failure}."
            )
        if not self.possible.count:
            return "Nothing to save was found that an action could carry out."
        if self.possible.unknown == self.possible.count:
            return f"What can be saved in {counted(self.possible.count, 'resource')} is unknown; each says why."
        monthly, cost = self.possible.monthly_savings, self.summary.known_monthly_cost
        share = f", {100 * monthly / cost:.0f} % of the cost" if cost else ""
        if not monthly and self.possible.once_savings:
            return (
                f"{amount(self.possible.once_savings)} {CURRENCY} can be saved once in "
                f"{counted(self.possible.count, 'resource')}{' if approved' if self.if_approved.count else ''}."
            )
        return (
            f"{amount(monthly)} {CURRENCY} a month can be saved in {counted(self.possible.count, 'resource')}"
            f"{' if approved' if self.if_approved.count else ''}{share}"
            f": {amount(annual_from_monthly(monthly))} {CURRENCY} a year{once_in_words(self.possible)}"
            f"{unknown_in_words(self.possible)}."
        )

    @property
    def if_approved(self) -> StatusSum:
        """Return what only the mode of the policy keeps from being ready."""
        ready = self.summary.savings.actionable
        return self.possible - ready

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return label and value of everything that stands above the recommendations."""
        summary, known = self.summary, self.summary.known_monthly_cost
        unpriced = f" ({summary.unpriced_resources} not fully priced)" if summary.unpriced_resources else ""
        least = "at least " if unpriced else ""
        unknown = f" ({summary.unknown_resources} with too little data to judge)" if summary.unknown_resources else ""
        took = (summary.completion_time - summary.start_time).total_seconds()
        calls = f"{sum(summary.api_calls.values())}, about {summary.estimated_api_cost:.4f} USD"
        accounts = sorted({account for account, _ in self.places})
        regions = sorted({region for _, region in self.places})
        seen = (
            ("account" if len(accounts) == 1 else "accounts", ", ".join(accounts)),
            ("regions", ", ".join(regions)),
            ("resources", f"{summary.resources}{unpriced}{unknown}"),
            (
                "monthly cost",
                "unknown" if known is None else f"{least}{amount(known)} {CURRENCY} at list prices{unpriced}",
            ),
            ("savings", total_line(summary.savings, self.if_approved)),
        )
        return (
            ("policy", summary.policy),
            *(() if summary.complete_failure else seen),
            ("not seen", f"{counted(len(self.gaps), 'gap')}, listed below" if self.gaps else "no gaps"),
            ("scanned", f"{local(summary.start_time)}, in {took:.1f} s"),
            ("AWS requests", calls),
        )

    def next_steps(self, command: str) -> tuple[str, ...]:
        """Return what a reader can do now; `command` is what reads this scan's store, such as `finops {}`."""
        if not self.rows:
            return ()
        explain = command.format(f"explain {str(self.rows[0].record['id'])[:SHORT_ID]}")
        more, listing = self.summary.recommendations - len(self.rows), command.format("recommendations")
        width = max(len(explain), len(listing) if more else 0)
        steps = [f"{listing:<{width}}  {more} more that save less"] if more else []
        steps.append(f"{explain:<{width}}  what the first one rests on")
        if self.observes:
            steps.append("Nothing was changed, and nobody is asked: the policy only recommends.")
        return tuple(steps)


def local(instant: datetime) -> str:
    """Return an instant in the reader's time zone, with the zone named."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def story_of(outcome: ScanOutcome, *, why: bool, limit: int | None = SHOWN_ROWS) -> Story:
    """Gather the story of a scan that just ended; `why` also reads why nothing is recommended.

    At most `limit` recommendations are kept to be listed, None for all; all of them count.

    Raises:
        StoreUnavailable: the store went away while its content was read.
    """
    summary, brief = outcome.summary, outcome.brief
    failed = bool(summary.complete_failure)
    found = _Found(limit)
    if not failed:
        for one in brief.stores.recommendations.stream(brief.policy, brief.generation):
            if one.counted:
                found.add(one)
    return Story(
        summary=summary,
        rows=found.rows(),
        possible=found.possible,
        observes=brief.spec_policy.spec.actions.mode is Mode.RECOMMEND,
        places=tuple(dict.fromkeys((shard.account, shard.region) for shard, _ in outcome.shards)),
        obstacles=found.obstacles(),
        reasons=_grouped(outcome) if why and not failed else (),
        gaps=tuple({**gap.to_json(), "call": f"{gap.service}:{gap.operation}"} for gap in summary.gaps),
    )


class _Found:
    """Counts recommendations as they come from the store, the largest saving first, and keeps those to be listed."""

    def __init__(self, limit: int | None) -> None:
        self.possible = StatusSum()
        self._limit = limit
        self._kept: dict[str, list[Row]] = {}
        self._obstacles: dict[tuple[str, str], StatusSum] = {}

    def add(self, one: Recommendation) -> None:
        """Count one recommendation."""
        status, part = one.status.value, StatusSum().plus(one.monthly_savings, once=bool(one.lasts_days))
        if {block.code for block in one.blocked_by} == {BlockCode.MODE_RECOMMEND}:
            status = POSSIBLE
        if status in {Status.ACTIONABLE, POSSIBLE}:
            self.possible += part
        for block in one.blocked_by:
            key = (block.code, block.message)
            self._obstacles[key] = self._obstacles.get(key, StatusSum()) + part
        kept = self._kept.setdefault(status, [])
        if self._limit is None or len(kept) < self._limit:
            kept.append(row_of(one))

    def rows(self) -> tuple[Row, ...]:
        """Return what is listed: what is ready or would be if it were approved first, then by status and saving."""
        listed = [
            replace(row, record={**row.record, "status": group}) if group == POSSIBLE else row
            for group in (Status.ACTIONABLE, POSSIBLE, Status.ADVICE, Status.BLOCKED)
            for row in ready_first(self._kept.get(group, ()))
        ]
        return tuple(listed[: self._limit])

    def obstacles(self) -> tuple[Obstacle, ...]:
        """Return what is in the way, what most have in common first."""
        made = (Obstacle(code, message, total) for (code, message), total in self._obstacles.items())
        return tuple(sorted(made, key=lambda one: (-one.sum.count, one.code, one.message)))


def _grouped(outcome: ScanOutcome) -> tuple[Reason, ...]:
    """Return reasons that differ in their figures alone as one, without those that say nothing."""
    names = _names(outcome)
    groups: dict[tuple[str, str], Reason] = {}
    for one in reasons(outcome):
        if _OBVIOUS.fullmatch(one["reason"]):
            continue
        general, name = _FIGURE.sub("…", one["reason"]), names.get(one["resource"], one["resource"])
        known = groups.get((one["check"], general))
        if known is None:
            made = Reason(one["check"], one["reason"], 1, (name,))
        else:
            shared = _shared(known.reason, one["reason"])
            made = Reason(one["check"], shared, known.count + 1, (*known.names, name)[:_NAMES])
        groups[one["check"], general] = made
    return tuple(sorted(groups.values(), key=lambda one: (one.check, -one.count, one.reason)))


def _shared(first: str, second: str) -> str:
    """Return two sentences that differ in their figures alone as one: the figures that both have stay."""
    figures = zip(_FIGURE_OR_GAP.findall(first), _FIGURE_OR_GAP.findall(second), strict=True)
    kept = iter([one if one == other else "…" for one, other in figures])
    return _FIGURE_OR_GAP.sub(lambda _: next(kept), first)


def _names(outcome: ScanOutcome) -> dict[str, str]:
    inventory = outcome.brief.stores.inventory
    return {
        one.id: one.name or one.id
        for shard, generation in outcome.shards
        for page in inventory.pages(shard, generation)
        for one in page
    }
