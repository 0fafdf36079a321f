"""What a repository stores, in words, and which repositories may be judged. Pure; shared by the checks."""

from __future__ import annotations

from decimal import Decimal

from finops.domain.quantity import GIB
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.ecr.repository import RepositoryFacts


def not_judged(facts: Facts[RepositoryFacts]) -> str:
    """Return why nothing may be said about the repository, empty when something may."""
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    if facts.own.images is None:
        return "its images could not be read"
    return "" if facts.own.images else "it holds no image"


def gibibytes(number: int | None) -> Decimal:
    """Return bytes as GiB with one decimal."""
    return ((number or 0) / GIB).quantize(Decimal("0.1"))


def stored_facts(own: RepositoryFacts) -> tuple[EvidenceFact, ...]:
    """Return what it stores."""
    return (
        EvidenceFact("Images", f"{own.images:,}"),
        EvidenceFact(
            "Stored", f"{gibibytes(own.image_bytes):,} GiB at most; shared layers are counted with each image"
        ),
    )
