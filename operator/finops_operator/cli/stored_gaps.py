"""Which policies a listing means, and how it ends when the scans behind it did not see everything.

Missing data is never zero: a listing that may be short says so and exits with 3.
"""

from __future__ import annotations

from collections.abc import Iterable

import typer

from finops.domain.quantity import counted
from finops.domain.resource import Gap
from finops.errors import InvalidInput
from finops.store.recommendations import RecommendationStore
from finops_operator.cli.failures import GAPS
from finops_operator.cli.output import note

_SHOWN = 5


def chosen_policies(recommendations: RecommendationStore, wanted: str) -> tuple[tuple[str, str], ...]:
    """Return (namespace, name) of the policies with a finished scan; `wanted` is NAMESPACE/NAME, NAME or empty.

    Raises:
        InvalidInput: no scan of that policy has ended.
    """
    known = recommendations.policies()
    if not wanted:
        return known
    namespace, _, name = wanted.rpartition("/")
    key = (namespace or "default", name)
    if key not in known:
        names = ", ".join("/".join(one) for one in known) or "none"
        raise InvalidInput(f"no scan of {'/'.join(key)} is stored", field="--policy", hint=f"stored: {names}")
    return (key,)


def stored_checks(recommendations: RecommendationStore) -> frozenset[str]:
    """Return the checks of all stored advice, those that policies brought themselves among them."""
    return frozenset(one.check for policy in recommendations.policies() for one in recommendations.stream(policy))


def end_with_gaps(gaps: Iterable[Gap]) -> None:
    """Return when there are no gaps; else write them to stderr and end the command with exit code 3."""
    sentences = list(dict.fromkeys(_sentence(gap) for gap in gaps))
    if not sentences:
        return
    note(f"{counted(len(sentences), 'gap')}: what could not be seen is missing above")
    for text in sentences[:_SHOWN]:
        note(f"  {text}")
    if len(sentences) > _SHOWN:
        note(f"  and {len(sentences) - _SHOWN} more")
    raise typer.Exit(GAPS)


def _sentence(gap: Gap) -> str:
    where = " ".join(part for part in (gap.account, gap.region) if part)
    return f"{where} {gap.service}:{gap.operation} {gap.code}: {gap.message}"
