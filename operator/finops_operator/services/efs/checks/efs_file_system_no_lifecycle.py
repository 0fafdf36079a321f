"""File systems that keep everything in Standard storage: files that nobody opens cost a fraction in Infrequent Access.

A lifecycle policy moves files that were not opened for some days; reading them again is billed by the gigabyte, so
that the saving depends on how they are used, which AWS does not say, and is unknown. Below some gigabytes it is not
worth the work: by default 100 GiB.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.quantity import GIB
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.efs.file_system import FileSystemFacts
from finops_operator.services.efs.judging.size import gibibytes, not_available

ID: Final = "efs_file_system_no_lifecycle"


def _evaluate(facts: Facts[FileSystemFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumStandardGib"]
    reason = not_available(facts)
    if not reason and own.moves_to_infrequent is None:
        reason = "its lifecycle is not known"
    elif not reason and own.moves_to_infrequent:
        reason = f"it moves files to Infrequent Access: {own.moves_to_infrequent}"
    stored = own.standard_bytes
    if reason or stored is None:
        return NotRecommended(ID, facts.resource.id, reason or "how much it stores is not known")
    if stored / GIB < least:
        return NotRecommended(ID, facts.resource.id, f"it stores {gibibytes(stored)} GiB, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"standardBytes": stored, "thresholdStandardGib": str(least)},
        summary=f"All of its {gibibytes(stored):,} GiB stay in Standard storage, opened or not.",
        facts=(
            EvidenceFact("Standard storage", f"{gibibytes(stored):,} GiB"),
            EvidenceFact("Moved to Infrequent Access", "never"),
            EvidenceFact("Before the change", "files that are read again are billed for it by the gigabyte"),
        ),
        target="AFTER_30_DAYS",
    )


CHECK: Final = Check(
    id=ID,
    title="EFS file system without a lifecycle",
    kinds=("efs-file-system",),
    documentation="https://docs.aws.amazon.com/efs/latest/ug/lifecycle-management-efs.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumStandardGib",
            unit="GiB",
            default=Decimal(100),
            minimum=Decimal(1),
            maximum=Decimal(100000),
            description="A file system with less in Standard storage is left alone.",
        ),
    ),
)
