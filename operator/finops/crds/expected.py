"""Changes of cost that people expect, as annotations of a policy: one for each part of the cost and direction.

Whoever may change a policy may say so, by the dashboard in their own name or by kubectl; the API server is asked for
the right, and its audit log says who it was. The operator reads the annotations and notes them in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from finops.crds.scan_policy import ScanPolicy
from finops.domain.analytics.expected import Expected, from_text, problem_of, to_text

PREFIX: Final = "expected.finops.dev/"
KEPT: Final = 200
"""Most that a policy is asked for: annotations have 256 KiB together."""


def by_annotation(policy: ScanPolicy) -> dict[str, Expected]:
    """Return name of an annotation → what it says is expected; what does not parse says nothing."""
    texts = sorted((key, text) for key, text in policy.metadata.annotations.items() if key.startswith(PREFIX))
    return {key: one for key, text in texts[:KEPT] if (one := from_text(text)) is not None}


def expected_of(policy: ScanPolicy) -> tuple[Expected, ...]:
    """Return what a policy's annotations say is expected."""
    return tuple(by_annotation(policy).values())


def in_force(policies: Iterable[ScanPolicy], namespace: str, today: date) -> tuple[Expected, ...]:
    """Return what is still expected of the policies of a namespace, as far ahead as may be said."""
    own = (one for one in policies if one.metadata.namespace == namespace)
    return tuple(found for policy in own for found in expected_of(policy) if found.is_in_force(today))


def too_far(policies: Iterable[ScanPolicy], namespace: str, today: date) -> tuple[str, ...]:
    """Return which annotations of a namespace keep no alert back because their last day is too far ahead."""
    own = (one for one in policies if one.metadata.namespace == namespace)
    return tuple(
        f"{policy.metadata.name}: {key} through {found.until}"
        for policy in own
        for key, found in by_annotation(policy).items()
        if found.is_too_far(today)
    )


def not_read(policies: Iterable[ScanPolicy], namespace: str) -> tuple[tuple[ScanPolicy, str], ...]:
    """Return what a namespace's annotations say that nobody can take, as (policy, sentence): it keeps no alert back."""
    own = (one for one in policies if one.metadata.namespace == namespace)
    return tuple((policy, words) for policy in own for words in _problems(policy))


def _problems(policy: ScanPolicy) -> Iterator[str]:
    texts = sorted((key, text) for key, text in policy.metadata.annotations.items() if key.startswith(PREFIX))
    for key, text in texts[:KEPT]:
        if problem := problem_of(text):
            yield f"the annotation {key} {problem}; it keeps no alert back"
    if len(texts) > KEPT:
        yield f"{len(texts) - KEPT} of its {len(texts)} annotations {PREFIX}… are above {KEPT}; they keep no alert back"


def annotation_of(one: Expected) -> tuple[str, str]:
    """Return name and text of the annotation that says so."""
    return f"{PREFIX}{one.mark}", to_text(one)
