"""Old EBS snapshots of volumes that exist and have a newer one: nothing ends them but a person.

AWS publishes no threshold; ninety days are the habit of other tools. The newest snapshot of a volume is never named: it
is the point to restore from. Snapshots of deleted volumes are the affair of `ebs_snapshot_orphaned`, which also says
what else is left alone. A snapshot that an audit or a law asks for should carry the tag that protects it.

One that an act of ours made before it deleted a volume is named as soon as the days are over that its tag
`finops.dev/expires-after-days` says, whatever is left of the volume: as advice, since it may be the last copy.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.ec2.ebs_snapshot import SnapshotFacts
from finops_operator.services.ec2.judging.aged_snapshot import MINIMUM_AGE, aged, minimum_age
from finops_operator.services.ec2.rules.snapshot_tags import made_by_us

ID: Final = "ebs_snapshot_old"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    if made_by_us(facts.resource.tags):
        return aged(
            ID,
            facts,
            {**parameters, MINIMUM_AGE: Decimal(0)},
            "",
            "An act of the operator made it {age} days ago, and the days are over for which it was to be kept.",
            EvidenceFact("Taken of", "a volume right before its deletion"),
        )
    return aged(
        ID,
        facts,
        parameters,
        _spared(facts.own),
        "It was taken {age} days ago, its volume has a newer one, and nothing ends it.",
        EvidenceFact("Taken of", "a volume that exists and has a newer snapshot"),
    )


def _spared(own: SnapshotFacts) -> str:
    if own.image_id:
        return "it was made for an image"
    if own.volume_id == "":
        return "it is a copy, and of what is not known"
    if own.volume_exists is None or own.newer_exists is None:
        return "whether its volume exists and has a newer snapshot is not known"
    if not own.volume_exists:
        return "its volume no longer exists, and it may be the last copy"
    return "" if own.newer_exists else "it is the newest snapshot of its volume"


CHECK: Final = Check(
    id=ID,
    title="Old EBS snapshot",
    kinds=("ebs-snapshot",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(minimum_age(90),),
)
