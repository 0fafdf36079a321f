"""How much a file system stores, in words. Pure; shared by the checks."""

from __future__ import annotations

from decimal import Decimal

from finops.domain.quantity import GIB
from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.efs.file_system import AVAILABLE, FileSystemFacts


def not_available(facts: Facts[FileSystemFacts]) -> str:
    """Return why nothing may be said about the file system, empty when something may."""
    state = facts.resource.state
    return "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"


def gibibytes(number: int) -> Decimal:
    """Return bytes as GiB with one decimal."""
    return (number / GIB).quantize(Decimal("0.1"))


def stored_fact(own: FileSystemFacts) -> EvidenceFact:
    """Return what it stores in all classes together."""
    parts = (own.standard_bytes, own.infrequent_bytes, own.archive_bytes)
    known = [one for one in parts if one is not None]
    text = f"{gibibytes(sum(known)):,} GiB" if len(known) == len(parts) else "not known"
    return EvidenceFact("Stored", text)
