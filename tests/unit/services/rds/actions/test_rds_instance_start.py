"""rds_instance_start: an act of its own for what somebody else stopped; its undo stops under the same action."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import granted
from tests.unit.services.rds.actions.test_rds_instance_stop import observed, reader

from finops.audit_verify.plan import problem_of_undo
from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.rds.actions.rds_instance_start import ACTION

_ARN: Final = "arn:aws:rds:us-east-1:111111111111:db:reports"
_DATABASE: Final = ResourceRef("rds-instance", "reports", _ARN, "111111111111", "us-east-1")
_STOPPED: Final[dict[str, Any]] = {"DBInstanceStatus": "stopped"}
_ACT: Final = ACTION.plan(_DATABASE, {}, observed(**_STOPPED).fingerprint)


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (observed(**_STOPPED), []),
        (Observation(exists=False), ["NotFound"]),
        (observed(), ["NotStopped"]),
        (observed({"finops.dev/protected": "true"}, **_STOPPED), ["Protected"]),
        (observed({"crossplane-name": "reports"}, **_STOPPED), ["OwnedByController"]),
        (observed(DBClusterIdentifier="shop", **_STOPPED), ["ClusterMember"]),
        (observed(Engine="custom-oracle-ee", **_STOPPED), ["RdsCustom"]),
        (observed(Engine="", **_STOPPED), ["EngineUnknown"]),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, found: list[str]) -> None:
    assert [refusal.code for refusal in ACTION.preflight(seen, {}, PolicyFacts())] == found


def test_its_undo_stops_it_again_with_all_that_speaks_against_a_stop() -> None:
    assert ACTION.undo is not None
    parameters = ACTION.undo.parameters(_ACT, {})
    undo = ACTION.plan(_DATABASE, parameters, observed().fingerprint)
    assert [one.operation for one in undo.steps if one.changes] == ["rds:StopDBInstance"]
    assert problem_of_undo(_ACT.to_json(), undo.to_json()) == ""
    assert ACTION.undo.changed(_ACT, observed()) == ""
    assert ACTION.undo.changed(_ACT, observed(**_STOPPED)) == "It is stopped, not available."
    replica = observed(ReadReplicaSourceDBInstanceIdentifier="main")
    assert [one.code for one in ACTION.preflight(replica, parameters, PolicyFacts())] == ["ReadReplica"]
    assert ACTION.words(observed(), parameters, undo).verb == "Stop"
    assert {permission for plan in (_ACT, undo) for _, permission, _ in granted(ACTION, plan)} == set(
        ACTION.permissions
    )


def test_it_is_complete_once_the_database_can_be_used_and_a_start_that_falls_back_is_no_end() -> None:
    assert ACTION.procedure.verified(_ACT, observed())
    assert not ACTION.procedure.verified(_ACT, observed(DBInstanceStatus="starting"))
    assert ACTION.procedure.steps["wait_started"].failed(_ACT, observed(**_STOPPED))
    assert ACTION.procedure.restored(_ACT, observed(**_STOPPED))
    assert ACTION.procedure.compensation(_ACT) == ()


def test_it_reads_what_is_declared() -> None:
    asked = reader(**_STOPPED)
    ACTION.observe(asked, Target(_DATABASE, {}))
    assert asked.operations == set(ACTION.read_permissions) - {LIST_ALARMS}
