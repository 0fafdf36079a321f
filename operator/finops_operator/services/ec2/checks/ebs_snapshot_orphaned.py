"""EBS snapshots whose volume or image no longer exists: AWS bills them until somebody deletes them.

It may be the last copy of the data, of which the people who are asked are warned, and a young one is left alone. Where
the cost of one is unknown, because others of its volume share its blocks, it is advice. AWS publishes no threshold;
thirty days are the habit of other tools. Snapshots that an image uses, that AWS Backup, Data Lifecycle Manager or a
cluster keeps, that are locked, archived, shared or kept ready for fast restores are left alone, and so are copies, of
whose volume AWS says nothing, unless it says that they were made for an image that is gone. One that carries the tag
of an act of ours is never named here: `ebs_snapshot_old` names it when its days are over, as advice.
"""

from __future__ import annotations

from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.ec2.ebs_snapshot import SnapshotFacts
from finops_operator.services.ec2.judging.aged_snapshot import aged, minimum_age
from finops_operator.services.ec2.rules.snapshot_tags import of_an_act

ID: Final = "ebs_snapshot_orphaned"
_ACTION: Final = "ebs_snapshot_delete"


def _evaluate(facts: Facts[SnapshotFacts], parameters: Parameters) -> Finding | NotRecommended:
    own = facts.own
    lost = "image" if own.image_id else "volume"
    return aged(
        ID,
        facts,
        parameters,
        "an act of the operator made it, and it may be the only way to undo that"
        if of_an_act(facts.resource.tags)
        else _spared(own),
        f"Its {lost} no longer exists, and the snapshot is {{age}} days old.",
        EvidenceFact("Taken of", "an image that is gone" if own.image_id else "a volume that is gone"),
        # The action refuses a copy, of whose volume nothing is known, so for one it is advice.
        _ACTION if own.volume_id else "",
    )


def _spared(own: SnapshotFacts) -> str:
    if own.image_id:
        return _unless_gone("image", exists=own.image_exists)
    if own.volume_id == "":
        return "it is a copy, and of what is not known"
    return _unless_gone("volume", exists=own.volume_exists)


def _unless_gone(noun: str, *, exists: bool | None) -> str:
    if exists is None:
        return f"whether its {noun} exists is not known"
    return f"its {noun} exists" if exists else ""


CHECK: Final = Check(
    id=ID,
    title="EBS snapshot of a deleted volume or image",
    kinds=("ebs-snapshot",),
    documentation="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html",
    action=_ACTION,
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(minimum_age(30),),
)
