"""`finops recommendations`: what the last scans advise."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from finops.domain.recommendation import Status as AdviceStatus
from finops.store.recommendations import RecommendationStore
from finops_operator.cli import filters
from finops_operator.cli.command import Command
from finops_operator.cli.listings import (
    RECOMMENDATIONS,
    STATUS_WORDS,
    ready_first,
    row_of,
    savings_in,
    total_line,
)
from finops_operator.cli.options import Output, Policy, Redis
from finops_operator.cli.output import Format, emit, note
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import chosen_policies, end_with_gaps, stored_checks
from finops_operator.plugins.loaded import load_checks, load_kinds


def _run(
    *,
    output: Output = Format.TABLE,
    policy: Policy = "",
    account: filters.Account = "",
    region: filters.Region = "",
    kind: filters.Kind = "",
    check: filters.CheckOption = "",
    tag: filters.Tags = None,
    owner: filters.Owner = "",
    status: filters.Status = "",
    min_savings: filters.MinSavings = "",
    sort: filters.SortOption = None,
    limit: filters.Limit = 0,
    alternatives: Annotated[
        bool, typer.Option("--all", help="Also other advice for resources of which better advice counts.")
    ] = False,
    redis: Redis = "",
) -> None:
    """List recommendations: those you can approve first, then by saving. Exit code 3 when the scans had gaps.

    The last line splits what can be saved: ready to approve, advice for the owner of the resource, blocked by a rule.
    `-o wide` says what blocks each one.
    """
    wanted = filters.make_filter(
        account=account,
        region=region,
        kind=kind,
        check=check,
        tags=tag,
        owner=owner,
        status=status,
        min_savings=min_savings,
        known_statuses=[*(one.value for one in AdviceStatus), *STATUS_WORDS.values()],
        known_kinds=load_kinds(),
    )
    with store_to_read(redis) as store:
        recommendations = RecommendationStore(store)
        filters.require_check(check, load_checks(), lambda: stored_checks(recommendations))
        policies = chosen_policies(recommendations, policy)
        advice = (found for one in policies for found in recommendations.stream(one) if alternatives or found.counted)
        rows = [row for found in advice if wanted.matches(row := row_of(found))]
        heads = [head for one in policies if (head := recommendations.head(one)) is not None]
    rows = ready_first(rows) if sort is None else filters.ordered(rows, sort)
    emit((row.record for row in rows[: limit or None]), RECOMMENDATIONS, output)
    if not policies:
        note("Nothing is known yet: no scan has ended. Run `finops scan`, or name the operator's store with --redis.")
    elif output in {Format.TABLE, Format.WIDE}:
        sys.stdout.write(f"{total_line(savings_in(rows))}\n")
    end_with_gaps(gap for head in heads for gap in head.summary.gaps)


COMMAND: Final = Command("recommendations", _run)
