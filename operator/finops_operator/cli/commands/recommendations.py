"""`finops recommendations`: what the last scans advise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from finops.store.recommendations import RecommendationStore, recommendation_to_json
from finops_operator.cli.command import Command
from finops_operator.cli.listings import RECOMMENDATIONS, Counting
from finops_operator.cli.options import Output, Policy, Redis
from finops_operator.cli.output import Format, emit, note
from finops_operator.cli.store_access import store_to_read
from finops_operator.cli.stored_gaps import chosen_policies, end_with_gaps


def _run(
    output: Output = Format.TABLE,
    policy: Policy = "",
    check: Annotated[str, typer.Option("--check", metavar="ID", help="Only of this check.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, metavar="N", help="At most N, 0 for all.")] = 0,
    redis: Redis = "",
) -> None:
    """List recommendations, the largest saving of each policy first. Exit code 3 when the scans had gaps."""
    with store_to_read(redis) as store:
        recommendations = RecommendationStore(store)
        policies = chosen_policies(recommendations, policy)

        def records() -> Iterator[dict[str, Any]]:
            told = 0
            for one in policies:
                for found in recommendations.stream(one):
                    if check and found.check != check:
                        continue
                    if limit and told >= limit:
                        return
                    told += 1
                    yield recommendation_to_json(found)

        counting = Counting()
        emit(counting.through(records()), RECOMMENDATIONS, output)
        if output in {Format.TABLE, Format.WIDE} and counting.sentence():
            note(counting.sentence())
        if not policies:
            note("the store holds no scan yet")
        heads = [head for one in policies if (head := recommendations.head(one)) is not None]
        gaps = [gap for head in heads for gap in head.summary.gaps]
    end_with_gaps(gaps)


COMMAND: Final = Command("recommendations", _run)
