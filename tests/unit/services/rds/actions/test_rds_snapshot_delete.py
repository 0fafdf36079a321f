"""rds_snapshot_delete: what speaks against it, what it calls, what people are asked, and when it is done."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.unit.services.rds.clusters import SNAPSHOTS, snapshot

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.services.rds.actions.rds_snapshot_delete import ACTION
from finops_operator.services.rds.checks.rds_snapshot_old import CHECK

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:"


def reference(identifier: str) -> ResourceRef:
    return ResourceRef("rds-snapshot", identifier, _ARN + identifier, "111111111111", "us-east-1")


_SNAPSHOT: Final = reference("snapshot:before-upgrade")
_OF_CLUSTER: Final = reference("cluster-snapshot:before-upgrade")
_DESCRIBED: Final[dict[str, Any]] = {
    "Status": "available",
    "SnapshotType": "manual",
    "SnapshotCreateTime": "2026-01-01T00:00:00+00:00",
    "Engine": "postgres",
    "AllocatedStorage": 100,
    "DbiResourceId": "db-1",
    "DbClusterResourceId": "cluster-1",
}


def reader(
    tags: dict[str, str] | None = None,
    *,
    accounts: tuple[str, ...] = (),
    sources: tuple[str, ...] = ("db-1", "cluster-1"),
    backups: int = 7,
    state: str | None = "available",
    restorable: str | None = "2026-02-01T00:00:00+00:00",
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    found = _DESCRIBED | {"TagList": listed} | described
    attributes = [{"AttributeName": "restore", "AttributeValues": list(accounts)}]
    databases = [
        {
            "DbiResourceId": one,
            "DbClusterResourceId": one,
            "BackupRetentionPeriod": backups,
            "LatestRestorableTime": restorable,
            "DBInstanceStatus": state,
            "Status": state,
        }
        for one in sources
    ]
    return CannedReader(
        {
            "rds:DescribeDBSnapshots": {"DBSnapshots": [found]},
            "rds:DescribeDBClusterSnapshots": {"DBClusterSnapshots": [found]},
            "rds:DescribeDBSnapshotAttributes": {"DBSnapshotAttributesResult": {"DBSnapshotAttributes": attributes}},
            "rds:DescribeDBClusterSnapshotAttributes": {
                "DBClusterSnapshotAttributesResult": {"DBClusterSnapshotAttributes": attributes}
            },
            "rds:DescribeDBInstances": {"DBInstances": databases},
            "rds:DescribeDBClusters": {"DBClusters": databases},
        }
    )


def observed(tags: dict[str, str] | None = None, **described: Any) -> Observation:
    return ACTION.observe(reader(tags, **described), Target(_SNAPSHOT, {}))


def observed_of_cluster(**described: Any) -> Observation:
    return ACTION.observe(reader(**described), Target(_OF_CLUSTER, {}))


def codes(seen: Observation, facts: PolicyFacts | None = None) -> list[str]:
    return [one.code for one in ACTION.preflight(seen, {}, facts or PolicyFacts())]


def test_nothing_speaks_against_a_manual_snapshot_of_a_database_that_is_backed_up() -> None:
    assert codes(observed({"team": "data"})) == []
    assert codes(ACTION.observe(reader(), Target(_OF_CLUSTER, {}))) == []
    for state in ("backing-up", "stopped"):
        assert codes(observed(state=state)) == codes(observed_of_cluster(state=state)) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"legal hold": ""}), "KeptByTag"),
        (observed({"audit-2025": ""}), "KeptByTag"),
        (observed({"Do-Not-Delete": "yes"}), "KeptByTag"),
        (observed({"retention": "10y"}), "KeptByTag"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"aws:backup:source-resource": "x"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed(Status="creating"), "NotAvailable"),
        (observed(Status="deleting"), "NotAvailable"),
        (observed(SnapshotCreateTime=None), "CreationUnknown"),
        (observed(SnapshotType="automated"), "NotManual"),
        (observed(SnapshotType=None), "NotManual"),
        (observed(SnapshotType="awsbackup"), "UsedByBackup"),
        (ACTION.observe(reader(), Target(reference("snapshot:awsbackup:job-1"), {})), "UsedByBackup"),
        (observed(accounts=("222222222222",)), "Shared"),
        (observed(accounts=("all",)), "Shared"),
        (observed(sources=("db-2",)), "SourceGone"),
        (observed(sources=()), "SourceGone"),
        (observed(backups=0), "OnlyBackup"),
        (observed(restorable=None), "OnlyBackup"),
        (observed_of_cluster(backups=0), "OnlyBackup"),
        (observed_of_cluster(restorable=None), "OnlyBackup"),
        (observed(DbiResourceId=None), "SourceUnknown"),
        (observed(state="deleting"), "SourceUnknown"),
        (observed(state=None), "SourceUnknown"),
        (observed_of_cluster(state="deleting"), "SourceUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_is_refused() -> None:
    partial = ACTION.observe(reader(), Target(_SNAPSHOT, {}, full=False))
    assert codes(partial) == ["SharingUnknown", "SourceUnknown"]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize(
    ("resource", "code"),
    [(_SNAPSHOT, "DBSnapshotNotFound"), (_OF_CLUSTER, "DBClusterSnapshotNotFoundFault")],
)
def test_a_snapshot_that_aws_knows_no_more_does_not_exist_and_other_refusals_are_no_absence(
    resource: ResourceRef, code: str
) -> None:
    def answered(word: str) -> CannedReader:
        refused = AwsRejected("no", operation="rds:Describe", code=word)
        reads = ("rds:DescribeDBSnapshots", "rds:DescribeDBClusterSnapshots")
        return CannedReader(dict.fromkeys(reads, refused))

    assert not ACTION.observe(answered(code), Target(resource, {})).exists
    assert not ACTION.observe(CannedReader(), Target(resource, {})).exists
    with pytest.raises(AwsRejected):
        ACTION.observe(answered("InvalidParameterValue"), Target(resource, {}))


@pytest.mark.parametrize(
    "other",
    [
        observed(Status="deleting"),
        observed(SnapshotType="automated"),
        observed(SnapshotCreateTime="2026-02-01T00:00:00+00:00"),
        observed({"team": "data"}),
    ],
    ids=["state", "type", "made anew", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


@pytest.mark.parametrize(
    ("resource", "operation", "named"),
    [
        (_SNAPSHOT, "rds:DeleteDBSnapshot", {"DBSnapshotIdentifier": "before-upgrade"}),
        (_OF_CLUSTER, "rds:DeleteDBClusterSnapshot", {"DBClusterSnapshotIdentifier": "before-upgrade"}),
    ],
)
def test_it_deletes_this_one_and_its_session_may_do_nothing_else(
    resource: ResourceRef, operation: str, named: dict[str, str]
) -> None:
    plan = ACTION.plan(resource, {}, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == (operation, named)
    assert list(granted(ACTION, plan)) == [(operation, operation, resource.arn)]
    assert operation in ACTION.permissions
    assert ACTION.procedure.compensation(plan) == ()
    assert ACTION.procedure.steps["delete"].destroys


def test_both_sorts_together_read_what_is_declared() -> None:
    asked = reader()
    for resource in (_SNAPSHOT, _OF_CLUSTER):
        ACTION.observe(asked, Target(resource, {}))
    assert asked.operations == set(ACTION.read_permissions)


def test_it_is_done_once_the_very_snapshot_is_gone() -> None:
    plan = ACTION.plan(_SNAPSHOT, {}, observed().fingerprint)
    rules, step = ACTION.procedure, ACTION.procedure.steps["delete"]
    assert step.expected(plan, observed())
    assert not step.expected(plan, observed(Status="deleting"))
    assert not step.expected(plan, observed({"team": "data"}))
    assert step.reached(plan, observed(Status="deleting"))
    assert not rules.verified(plan, observed(Status="deleting"))
    anew = observed(SnapshotCreateTime="2026-02-01T00:00:00+00:00")
    for gone in (Observation(exists=False), anew):
        assert step.reached(plan, gone)
        assert rules.verified(plan, gone)
    assert not step.expected(plan, anew)


def test_the_card_says_that_it_is_permanent_and_what_stays() -> None:
    words = ACTION.words(observed(), {}, ACTION.plan(_SNAPSHOT, {}, observed().fingerprint))
    assert words.consequence == "The snapshot is deleted. Its database and the automated backups stay."
    assert (words.downtime, words.undo[:20]) == ("Permanent", "It cannot be undone:")
    assert [(fact.label, fact.value) for fact in words.facts] == [
        ("Engine", "postgres"),
        ("Storage of its database then", "100 GiB"),
    ]
    growing = observed(AllocatedStorage=1)
    words = ACTION.words(growing, {}, ACTION.plan(_SNAPSHOT, {}, growing.fingerprint))
    assert [fact.label for fact in words.facts] == ["Engine"]
    assert all(len(warning) <= 250 for warning in ACTION.warnings(observed(), {}))


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(Status="deleting"), "The snapshot is deleting."),
        (Observation(exists=False), "The snapshot does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_SNAPSHOT, {}, observed().fingerprint), seen) == sentence


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Remove the resource from the template."),
        ("Terraform", "Remove the aws_db_snapshot block."),
        ("Crossplane", ""),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), snapshot(), {}) == patch


def test_the_check_of_old_snapshots_proposes_it() -> None:
    found = SNAPSHOTS.found(CHECK, snapshot(source_exists=True))
    assert found.action == ACTION.id
    assert ACTION.plan(_SNAPSHOT, found.parameters, observed().fingerprint).steps
