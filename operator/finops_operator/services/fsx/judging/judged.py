"""Which file systems may be judged, and what was ordered of them, in words. Pure; shared by the checks."""

from __future__ import annotations

from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.check import Facts
from finops_operator.services.fsx.file_system import AVAILABLE, FsxFacts


def not_judged(facts: Facts[FsxFacts]) -> str:
    """Return why nothing may be said about the file system, empty when something may."""
    state = facts.resource.state
    if state != AVAILABLE:
        return f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    return "AWS is still carrying out a change of it" if facts.own.changing else ""


def ordered_facts(own: FsxFacts) -> tuple[EvidenceFact, ...]:
    """Return its type, storage and throughput."""
    storage = "not known" if own.storage_gib is None else f"{own.storage_gib:,} GiB"
    throughput = "by its storage" if own.throughput_mbps is None else f"{own.throughput_mbps:,} MB/s"
    return (
        EvidenceFact("Type", f"{own.file_system_type or 'not known'}, {own.deployment or 'zones not known'}"),
        EvidenceFact("Storage", storage),
        EvidenceFact("Throughput", throughput),
    )
