"""Delete a manual snapshot of a database that still exists and has automated backups. It cannot be restored.

Deleting takes AWS a moment. A call whose answer was lost is made again only while the very snapshot that people
approved is still there; its time of creation differs from that of one that was made anew under its name. Source: Amazon
RDS API reference, DeleteDBSnapshot, DeleteDBClusterSnapshot, DescribeDBSnapshots and DescribeDBSnapshotAttributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Target,
)
from finops_operator.plugins.check import Facts
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.services.rds.judging.aged_snapshot import SAVING_UNKNOWN
from finops_operator.services.rds.rules.snapshot_refusals import AVAILABLE, MANUAL, snapshot_refusals

ID: Final = "rds_snapshot_delete"
_DELETING: Final = "deleting"
_SETTLE_SECONDS: Final = 120.0
"""How long a deletion may stay invisible."""
_GONE_SECONDS: Final = 900.0
"""How long a deletion may take before a person is called: AWS names no limit."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """How RDS names one sort of snapshot and its database: words of operations and answers."""

    delete: str
    read: str
    identifier: str
    arn: str
    answer: str
    attributes: str
    attributes_result: str
    attributes_list: str
    sources: str
    sources_answer: str
    source_filter: str
    source_id: str
    source_status: str


_INSTANCE: Final = _Sort(
    delete="rds:DeleteDBSnapshot",
    read="rds:DescribeDBSnapshots",
    identifier="DBSnapshotIdentifier",
    arn="DBSnapshotArn",
    answer="DBSnapshots",
    attributes="rds:DescribeDBSnapshotAttributes",
    attributes_result="DBSnapshotAttributesResult",
    attributes_list="DBSnapshotAttributes",
    sources="rds:DescribeDBInstances",
    sources_answer="DBInstances",
    source_filter="dbi-resource-id",
    source_id="DbiResourceId",
    source_status="DBInstanceStatus",
)
_CLUSTER: Final = _Sort(
    delete="rds:DeleteDBClusterSnapshot",
    read="rds:DescribeDBClusterSnapshots",
    identifier="DBClusterSnapshotIdentifier",
    arn="DBClusterSnapshotArn",
    answer="DBClusterSnapshots",
    attributes="rds:DescribeDBClusterSnapshotAttributes",
    attributes_result="DBClusterSnapshotAttributesResult",
    attributes_list="DBClusterSnapshotAttributes",
    sources="rds:DescribeDBClusters",
    sources_answer="DBClusters",
    source_filter="db-cluster-resource-id",
    source_id="DbClusterResourceId",
    source_status="Status",
)
_SORTS: Final[Mapping[str, _Sort]] = {"snapshot": _INSTANCE, "cluster-snapshot": _CLUSTER}
_STANDING: Final = frozenset({"available", "backing-up", "stopped"})
"""States of a database that stays; one that is being deleted takes its automated backups with it."""
_GONE: Final = frozenset({"DBSnapshotNotFound", "DBSnapshotNotFoundFault", "DBClusterSnapshotNotFoundFault"})
_NOT_IN_THIS_STATE: Final = frozenset({"InvalidDBSnapshotState", "InvalidDBClusterSnapshotStateFault"})
"""AWS refuses to delete what is not available, also what it deletes already."""


def _named(resource: ResourceRef) -> tuple[_Sort, dict[str, Json]]:
    """Return the sort of a snapshot and how a call names it; its id is `snapshot:name` or `cluster-snapshot:name`."""
    sort, _, name = resource.id.partition(":")
    return _SORTS[sort], {_SORTS[sort].identifier: name}


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the snapshot. Facts: `state`, `type`, `name`, `createdAt`, `engine`, `sizeGb`, `tags`.

    With `target.full` also `shared`, and `source`: `backed up`, `unprotected`, `not standing` (nobody knows whether
    it stays) or `gone`.
    """
    sort, named = _named(target.resource)
    try:
        described = next(iter(reader.read(sort.read, named).get(sort.answer, ())), None)
        further: dict[str, Json] = {}
        if described is not None and target.full:
            further = {"shared": _shared(reader, sort, named), "source": _source(reader, sort, described)}
    except AwsRejected as error:
        if error.code in _GONE:
            return Observation(exists=False)
        raise
    if described is None:
        return Observation(exists=False)
    seen = _seen(described, str(named[sort.identifier]))
    return Observation(exists=True, fingerprint=seen.fingerprint, facts={**seen.facts, **further})


def _shared(reader: Reader, sort: _Sort, named: Mapping[str, Any]) -> Json:
    """Return whether another account may restore it; AWS answers for manual snapshots alone."""
    result = reader.read(sort.attributes, named).get(sort.attributes_result) or {}
    return any(one.get("AttributeValues") for one in result.get(sort.attributes_list) or ())


def _source(reader: Reader, sort: _Sort, described: Mapping[str, Any]) -> str:
    """Return how its database stands; a renamed one keeps its resource id, and a new one of an old name has another."""
    resource_id = described.get(sort.source_id)
    if not resource_id:
        return ""
    asked = {"Filters": [{"Name": sort.source_filter, "Values": [resource_id]}]}
    listed = reader.read(sort.sources, asked).get(sort.sources_answer, ())
    found = next((one for one in listed if one.get(sort.source_id) == resource_id), None)
    if found is None:
        return "gone"
    if str(found.get(sort.source_status) or "") not in _STANDING:
        return "not standing"
    # Backups that are due for later bring nothing back yet.
    reachable = found.get("BackupRetentionPeriod") and found.get("LatestRestorableTime")
    return "backed up" if reachable else "unprotected"


def _seen(described: Mapping[str, Any], name: str) -> Observation:
    tags = tags_of({"Tags": described.get("TagList")})
    size = described.get("AllocatedStorage")
    facts: dict[str, Json] = {
        "state": str(described.get("Status") or ""),
        "type": str(described.get("SnapshotType") or ""),
        "name": name,
        "createdAt": str(described.get("SnapshotCreateTime") or ""),
        "engine": str(described.get("Engine") or ""),
        # Storage that grows with the data is given as 1 or not at all.
        "sizeGb": size if isinstance(size, int) and size > 1 else None,
        "tags": dict(tags),
    }
    found = {word: str(facts[word]) for word in ("state", "type", "createdAt")}
    return Observation(exists=True, fingerprint={**found, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    return snapshot_refusals(observation, facts)


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "Automated backups reach back 35 days at most: an older state of the database is lost with it.",
        "A copy of it that is under way is ended.",
        "We did not check whether a person, a script or an audit still needs it.",
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    size, engine = observation.facts.get("sizeGb"), observation.text("engine")
    facts = (
        *((EvidenceFact("Engine", engine),) if engine else ()),
        *((EvidenceFact("Storage of its database then", f"{size} GiB"),) if isinstance(size, int) else ()),
    )
    return ActWords(
        verb="Delete",
        consequence="The snapshot is deleted. Its database and the automated backups stay.",
        downtime="Permanent",
        undo="It cannot be undone: a deleted snapshot cannot be recovered.",
        steps={"delete": "Delete the snapshot"},
        facts=facts,
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    sort, named = _named(resource)
    return Plan(ID, resource, {}, (PlanStep("delete", sort.delete, named),), dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint) and now.text("state") == AVAILABLE


def _gone(plan: Plan, now: Observation) -> bool:
    """Return whether the snapshot is gone; another one under its name was made after that."""
    return not now.exists or now.text("createdAt") != plan.fingerprint["createdAt"]


def _leaving(plan: Plan, now: Observation) -> bool:
    return _gone(plan, now) or now.text("state") == _DELETING


def _found(_plan: Plan, now: Observation) -> str:
    return f"The snapshot is {now.text('state')}." if now.exists else "The snapshot does not exist any more."


def _patch(owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
    if owner.system == "CloudFormation":
        return "Remove the resource from the template."
    return "Remove the aws_db_snapshot block." if owner.system == "Terraform" else ""


def _not_known(_facts: Facts[Any]) -> Decimal | None:
    """Return that nobody knows: what other backups need of a snapshot stays, and is billed with them."""
    return None


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"rds-snapshot"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="nothing brings a deleted snapshot back; take a new one of the database as it is now",
    effort=Effort.LOW,
    permissions=tuple(sort.delete for sort in _SORTS.values()),
    read_permissions=tuple(
        permission for sort in _SORTS.values() for permission in (sort.read, sort.attributes, sort.sources)
    ),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "delete": StepRules(reached=_leaving, expected=_unchanged, settle_seconds=_SETTLE_SECONDS, destroys=True),
        },
        compensation=lambda _: (),
        # Nothing is changed before the deletion; there is nothing to lead back to.
        restored=lambda _plan, _now: True,
        verified=_gone,
        verify_seconds=_GONE_SECONDS,
        found=_found,
    ),
    statements=on_its_arn,
    calls=CallRules(repeated=_GONE | _NOT_IN_THIS_STATE),
    at_owner=OwnerChange(patch=_patch),
    remaining_cost=_not_known,
    remaining_unknown=SAVING_UNKNOWN,
    sample=ActSample(assumed={"state": AVAILABLE, "type": MANUAL, "createdAt": "2026-01-01 00:00:00+00:00"}),
)
