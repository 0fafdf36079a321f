"""dynamodb_table_set_mode: what speaks against it, what it calls, what people are asked, and what leads back."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted
from tests.unit.services.dynamodb.tables import TABLES, consumed, table

from finops.audit_verify.plan import problem_of_undo
from finops.domain.execution import Journal, Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import ResourceRef
from finops.errors import AwsRejected, InvalidInput
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.watch_shape import PERMISSIONS
from finops_operator.services.dynamodb.actions.dynamodb_table_set_mode import ACTION
from finops_operator.services.dynamodb.checks.dynamodb_table_to_on_demand import CHECK

_ARN: Final = "arn:aws:dynamodb:us-east-1:111111111111:table/orders"
_TABLE: Final = ResourceRef("dynamodb-table", "orders", _ARN, "111111111111", "us-east-1")
_ON_DEMAND: Final[dict[str, Any]] = {"billingMode": "PAY_PER_REQUEST"}
_SCALING: Final = "application-autoscaling:DescribeScalableTargets"


def index(name: str, read: int, write: int, status: str = "ACTIVE") -> dict[str, Any]:
    return {"IndexName": name, "IndexStatus": status, "ProvisionedThroughput": units(read, write)}


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


_DESCRIBED: Final[dict[str, Any]] = {
    "TableName": "orders",
    "TableStatus": "ACTIVE",
    "TableId": "t-1",
    "ProvisionedThroughput": units(100, 50),
    "GlobalSecondaryIndexes": [index("by-user", 10, 2), index("by-date", 5, 5)],
}


def reader(tags: dict[str, str] | None = None, scaled: str = "", **described: Any) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return CannedReader(
        {
            "dynamodb:DescribeTable": {"Table": _DESCRIBED | described},
            _SCALING: {"ScalableTargets": [{"ResourceId": scaled}] if scaled else []},
            "resourcegroupstaggingapi:GetResources": {
                "ResourceTagMappingList": [{"ResourceARN": _ARN, "Tags": listed}]
            },
        }
    )


def observed(tags: dict[str, str] | None = None, scaled: str = "", **described: Any) -> Observation:
    return ACTION.observe(reader(tags, scaled, **described), Target(_TABLE, _ON_DEMAND))


def on_demand(**described: Any) -> Observation:
    return observed(BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"}, **described)


def codes(seen: Observation, facts: PolicyFacts | None = None) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, _ON_DEMAND, facts or PolicyFacts())]


def test_nothing_speaks_against_a_table_that_nobody_else_changes() -> None:
    assert codes(observed({"team": "shop"})) == []
    assert codes(observed(scaled="table/others")) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"services.k8s.aws/namespace": "shop"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"terraform": "true"}), "OwnedByTemplate"),
        (observed(TableStatus="UPDATING"), "NotActive"),
        (on_demand(), "SameMode"),
        (observed(GlobalSecondaryIndexes=[index("by-date", 5, 5, "CREATING")]), "IndexNotActive"),
        (observed(Replicas=[{"RegionName": "eu-west-1"}]), "Replicated"),
        (observed(scaled="table/orders"), "AutoScaled"),
        (observed(scaled="table/orders/index/by-date"), "AutoScaled"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_was_not_read_is_refused() -> None:
    partial = ACTION.observe(reader(), Target(_TABLE, _ON_DEMAND, full=False))
    assert codes(partial) == ["AutoScaled"]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


@pytest.mark.parametrize("mode", [None, "PROVISIONED", 1])
def test_there_is_no_other_mode_to_change_to(mode: Any) -> None:
    with pytest.raises(InvalidInput):
        ACTION.plan(_TABLE, {"billingMode": mode}, observed().fingerprint)


def test_a_table_that_aws_knows_no_more_does_not_exist_and_other_refusals_are_no_absence() -> None:
    def answered(code: str) -> CannedReader:
        return CannedReader(
            {"dynamodb:DescribeTable": AwsRejected("no", operation="dynamodb:DescribeTable", code=code)}
        )

    assert not ACTION.observe(answered("ResourceNotFoundException"), Target(_TABLE, {})).exists
    assert not ACTION.observe(CannedReader(), Target(_TABLE, {})).exists
    with pytest.raises(AwsRejected):
        ACTION.observe(answered("ValidationException"), Target(_TABLE, {}))


@pytest.mark.parametrize(
    "other",
    [
        observed(TableStatus="UPDATING"),
        on_demand(),
        observed(ProvisionedThroughput=units(100, 51)),
        observed(GlobalSecondaryIndexes=[index("by-user", 10, 2)]),
        observed(TableId="t-2"),
        observed({"team": "shop"}),
    ],
    ids=["state", "mode", "capacity", "indexes", "made anew", "tags"],
)
def test_the_fingerprint_shows_every_change_that_matters(other: Observation) -> None:
    assert other.fingerprint != observed().fingerprint


def test_it_changes_the_mode_and_a_turned_act_provisions_table_and_indexes_as_before() -> None:
    plan = ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint)
    (call, _), (back, _) = plan.steps, ACTION.procedure.compensation(plan)
    assert (call.operation, call.parameters) == (
        "dynamodb:UpdateTable",
        {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"},
    )
    assert call.inverse == back.id
    assert (back.operation, back.parameters) == (
        "dynamodb:UpdateTable",
        {
            "TableName": "orders",
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": units(100, 50),
            "GlobalSecondaryIndexUpdates": [
                {"Update": {"IndexName": "by-date", "ProvisionedThroughput": units(5, 5)}},
                {"Update": {"IndexName": "by-user", "ProvisionedThroughput": units(10, 2)}},
            ],
        },
    )


def test_a_table_without_indexes_is_provisioned_alone() -> None:
    plan = ACTION.plan(_TABLE, _ON_DEMAND, observed(GlobalSecondaryIndexes=[]).fingerprint)
    assert set(ACTION.procedure.compensation(plan)[0].parameters) == {
        "TableName",
        "BillingMode",
        "ProvisionedThroughput",
    }


def test_each_session_may_change_this_table_alone_and_reads_are_those_declared() -> None:
    found = list(granted(ACTION, ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint)))
    assert {(permission, arn) for _, permission, arn in found} == {("dynamodb:UpdateTable", _ARN)}
    assert {permission for _, permission, _ in found} == set(ACTION.permissions)
    asked = reader()
    ACTION.observe(asked, Target(_TABLE, _ON_DEMAND))
    names = {"resourcegroupstaggingapi:GetResources": "tag:GetResources"}
    # What its watch reads besides: see test_watches_of_settings.
    assert {names.get(one, one) for one in asked.operations} == set(ACTION.read_permissions) - {*PERMISSIONS}


def test_a_change_that_aws_still_applies_has_begun_and_is_not_done() -> None:
    plan = ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint)
    rules, updating = ACTION.procedure, observed(TableStatus="UPDATING")
    assert rules.steps["set_mode"].reached(plan, on_demand(TableStatus="UPDATING"))
    # Somebody else may be changing it.
    assert not rules.steps["set_mode"].reached(plan, updating)
    assert rules.steps["set_mode"].expected(plan, updating)
    assert not rules.steps["set_mode"].reached(plan, observed())
    assert not rules.steps["wait_active"].reached(plan, on_demand(TableStatus="UPDATING"))
    assert not rules.steps["wait_active"].failed(plan, updating)
    # It may be about to show.
    assert not rules.steps["wait_active"].failed(plan, observed())
    assert rules.steps["wait_active"].failed(plan, on_demand(TableId="t-2"))
    assert rules.verified(plan, on_demand())
    assert not rules.restored(plan, updating)
    assert rules.restored(plan, observed(ProvisionedThroughput=units(7, 7)))


def test_the_card_names_both_modes_and_what_they_mean_for_the_bill() -> None:
    words = ACTION.words(observed(), _ON_DEMAND, ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint))
    assert words.change == "Provisioned (100 read and 50 write units) → on demand"
    assert [(fact.label, fact.value) for fact in words.facts] == [("Indexes that change with it", "2")]
    assert "billed, not throttled" in ACTION.warnings(observed(), _ON_DEMAND)[0]


@pytest.mark.parametrize(
    ("step", "code", "said"),
    [
        (
            "set_mode",
            "LimitExceededException",
            (
                "AWS refused it for one of two limits: the table's four changes to on-demand mode in 24 hours are used "
                "up, or too many tables of the account are being changed at once."
            ),
        ),
        (
            "restore",
            "LimitExceededException",
            "AWS refused it for a limit: too many tables of the account are being changed at once.",
        ),
        ("set_mode", "ValidationException", ""),
    ],
)
def test_a_limit_is_said_in_words_with_each_cause_that_it_can_have(step: str, code: str, said: str) -> None:
    plan = ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint)
    assert ACTION.procedure.refused(plan, observed(), step, code) == said


def test_every_change_has_two_minutes_to_show() -> None:
    assert min(rules.settle_seconds for rules in ACTION.procedure.steps.values()) >= 120


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (observed(), "The table is ACTIVE with 100 read and 50 write units."),
        (on_demand(TableStatus="UPDATING"), "The table is UPDATING and on demand."),
        (Observation(exists=False), "The table does not exist any more."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint), seen) == sentence


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Properties: BillingMode: PAY_PER_REQUEST, without ProvisionedThroughput"),
        ("Terraform", 'billing_mode = "PAY_PER_REQUEST"'),
        ("Crossplane", "Wanted: on-demand mode"),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), table(), _ON_DEMAND) == patch


def test_the_check_proposes_it_with_parameters_that_make_a_plan() -> None:
    found = TABLES.found(CHECK, table(), consumed(5, 5))
    assert (found.action, found.parameters) == (ACTION.id, _ON_DEMAND)
    ACTION.plan(_TABLE, found.parameters, observed().fingerprint)


def undo_of(left: Observation) -> Plan:
    assert ACTION.undo is not None
    parameters = ACTION.undo.parameters(ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint), {})
    return ACTION.plan(_TABLE, parameters, left.fingerprint)


_EMPTY: Final[dict[str, Any]] = {
    "ProvisionedThroughput": units(0, 0),
    "GlobalSecondaryIndexes": [index("by-user", 0, 0), index("by-date", 0, 0)],
}


def test_an_undo_provisions_what_was_there_before_and_turns_back_to_on_demand() -> None:
    act, undo = ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint), undo_of(on_demand(**_EMPTY))
    (back, _) = ACTION.procedure.compensation(undo)

    assert undo.steps[0].parameters == ACTION.procedure.compensation(act)[0].parameters
    assert back.parameters == {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"}
    assert ACTION.plan(_TABLE, undo.parameters, on_demand(**_EMPTY).fingerprint).hash == undo.hash
    assert problem_of_undo(act.to_json(), undo.to_json()) == ""
    words = ACTION.words(on_demand(**_EMPTY), undo.parameters, undo)
    assert words.change == "On demand → provisioned (100 read and 50 write units)"
    assert "throttled again" in ACTION.warnings(on_demand(**_EMPTY), undo.parameters)[0]


def test_an_undo_is_done_once_all_its_capacity_shows_and_other_capacity_is_somebodys() -> None:
    undo, rules = undo_of(on_demand(**_EMPTY)), ACTION.procedure

    assert rules.steps["set_mode"].expected(undo, on_demand(**_EMPTY))
    assert not rules.verified(undo, on_demand(**_EMPTY))
    assert not rules.verified(undo, observed(TableStatus="UPDATING"))
    assert rules.verified(undo, observed())
    other = observed(ProvisionedThroughput=units(7, 7))
    assert not rules.verified(undo, other)
    taken = rules.steps["set_mode"].taken(undo, Journal(), other, 0.0)
    assert taken == "somebody provisioned other capacity meanwhile"
    assert rules.restored(undo, on_demand(**_EMPTY))


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        (on_demand(**_EMPTY), ""),
        (observed(), "After the act somebody provisioned capacity for the table."),
        (
            on_demand(TableId="t-2"),
            "After the act the table was deleted, and somebody made another one under its name.",
        ),
        (
            on_demand(GlobalSecondaryIndexes=[index("by-user", 0, 0)]),
            "After the act somebody added or removed an index, whose capacity before is not known.",
        ),
    ],
)
def test_a_table_that_somebody_changed_since_the_act_is_not_undone(left: Observation, reason: str) -> None:
    assert ACTION.undo is not None
    assert ACTION.undo.changed(ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint), left) == reason


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (on_demand(**_EMPTY), []),
        (on_demand(tags={"finops.dev/protected": "true"}, **_EMPTY), ["Protected"]),
        (on_demand(TableStatus="UPDATING", **_EMPTY), ["NotActive"]),
        (observed(), ["SameMode"]),
        (Observation(exists=False), ["NotFound"]),
    ],
)
def test_the_undo_has_reasons_of_its_own_against_it(left: Observation, found: list[str]) -> None:
    parameters = undo_of(on_demand(**_EMPTY)).parameters
    assert [one.code for one in ACTION.preflight(left, parameters, PolicyFacts())] == found


@pytest.mark.parametrize(
    ("capacity", "indexes"),
    [("", ""), ("0/0", ""), ("100", ""), ("100/50", "0/5,1/1"), ("100/50", "5/5"), ("100/50", "many,1/1")],
)
def test_no_capacity_that_is_not_known_is_provisioned(capacity: str, indexes: str) -> None:
    parameters = {"billingMode": "PROVISIONED", "capacity": capacity, "indexes": indexes}
    with pytest.raises(InvalidInput):
        ACTION.plan(_TABLE, parameters, on_demand(**_EMPTY).fingerprint)


def test_the_verifier_refuses_an_undo_that_provisions_other_capacity() -> None:
    act = ACTION.plan(_TABLE, _ON_DEMAND, observed().fingerprint)
    parameters = {"billingMode": "PROVISIONED", "capacity": "1/1", "indexes": "5/5,10/2"}
    forged = ACTION.plan(_TABLE, parameters, on_demand(**_EMPTY).fingerprint)
    assert problem_of_undo(act.to_json(), forged.to_json()) != ""
