"""Tables as collected and priced: throughput by hour or by use, indexes, recovery, scaling, tags, owners, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages, without
from tests.unit.services.dynamodb.tables import GIB, TABLES, consumed, on_demand, table

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.dynamodb.table import KIND, TableFacts

SESSION = botocore.session.get_session()
LIST, TABLE = "dynamodb:ListTables", "dynamodb:DescribeTable"
RECOVERY, TAGS = "dynamodb:DescribeContinuousBackups", "resourcegroupstaggingapi:GetResources"
SCALING = "application-autoscaling:DescribeScalableTargets"
ARN = "arn:aws:dynamodb:us-east-1:111122223333:table/orders"
TAGGED = {"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "TableName": "orders",
        "TableStatus": "ACTIVE",
        "CreationDateTime": "1767225600.0",
        "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 5},
        "TableSizeBytes": 2048,
        "ItemCount": 3,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "IndexSizeBytes": 1024,
                "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1},
            }
            for name in ("by-day", "by-name")
        ],
        "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        "DeletionProtectionEnabled": True,
        "StreamSpecification": {"StreamEnabled": True},
        "Replicas": [{"RegionName": "eu-west-1"}],
        **changes,
    }


def recovers(status: str) -> dict[str, Any]:
    recovery = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status}}
    return {"ContinuousBackupsDescription": recovery}


def answering(*pages: Sequence[str], error: Any = None, **answers: Any) -> Pages:
    listed: list[Any] = [{"TableNames": page} for page in pages]
    return Pages(
        {
            LIST: [*listed, *([error] if error is not None else [])],
            TAGS: (TAGGED,),
            TABLE: ({"Table": described()},),
            RECOVERY: (recovers("DISABLED"),),
            SCALING: ({"ScalableTargets": []},),
            **answers,
        }
    )


def collected(**answers: Any) -> Resource:
    (only,) = KIND.listing.collect(answering(["orders"], **answers), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_table_carries_mode_capacity_indexes_age_and_tags() -> None:
    one = collected()
    facts = facts_of(TableFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == ("orders", ARN, "ACTIVE", {"team": "shop"})
    assert one.created is not None
    assert one.created.isoformat() == "2026-01-01T00:00:00+00:00"
    assert (facts.billing_mode, facts.table_class) == ("PROVISIONED", "STANDARD_INFREQUENT_ACCESS")
    assert (facts.read_capacity, facts.write_capacity, facts.table_bytes) == (10, 5, 2048)
    assert (facts.index_names, facts.index_read_capacity, facts.index_write_capacity) == (("by-day", "by-name"), 4, 2)
    assert (facts.index_bytes, facts.table_replicas, facts.stream_enabled) == (2048, ("eu-west-1",), True)
    assert (facts.scaled, facts.recovers_to_any_point, facts.tags_known) == (False, False, True)


def test_a_mode_that_aws_names_is_taken_and_a_plain_table_has_the_standard_class() -> None:
    plain = described(
        BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"}, TableClassSummary=None, GlobalSecondaryIndexes=None
    )
    facts = facts_of(TableFacts, collected(**{TABLE: ({"Table": plain},)}))
    assert (facts.billing_mode, facts.table_class) == ("PAY_PER_REQUEST", "STANDARD")
    assert (facts.index_names, facts.index_bytes, facts.index_read_capacity) == ((), 0, 0)


def test_what_aws_did_not_say_is_absent() -> None:
    index = [{"IndexName": "new"}]
    shapes = collected(**{TABLE: ({"Table": described(TableSizeBytes=None, GlobalSecondaryIndexes=index)},)}).attributes
    assert not {"table_bytes", "index_bytes"} & shapes.keys()


@pytest.mark.parametrize(
    ("target", "scaled"),
    [("table/orders", True), ("table/orders/index/by-day", True), ("table/orders-archive", False)],
)
def test_a_table_is_scaled_when_it_or_an_index_of_it_is(target: str, scaled: bool) -> None:
    answer = ({"ScalableTargets": [{"ResourceId": target}]},)
    assert facts_of(TableFacts, collected(**{SCALING: answer})).scaled is scaled


def test_recovery_to_any_point_is_known_by_its_status() -> None:
    assert facts_of(TableFacts, collected(**{RECOVERY: (recovers("ENABLED"),)})).recovers_to_any_point is True


def test_every_page_is_listed_and_asked_at_the_documented_maximum() -> None:
    reader = answering(["a", "b"], ["c"])
    assert [one.id for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)] == ["a", "b", "c"]
    assert (LIST, {"Limit": 100}) in reader.asked
    for operation, parameters in reader.asked:
        service, _, name = operation.partition(":")
        shape = SESSION.get_service_model(service).operation_model(name).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()
    assert described().keys() <= SESSION.get_service_model("dynamodb").shape_for("TableDescription").members.keys()


def test_a_table_that_is_being_deleted_or_gone_meanwhile_is_left_out_without_a_gap() -> None:
    gone = AwsRejected("no such table", operation=TABLE, code="ResourceNotFoundException")
    leaving = ({"Table": described(TableStatus="DELETING")},)
    reader = answering(["gone", "leaving", "stays"], **{f"{TABLE} gone": gone, f"{TABLE} leaving": leaving})
    (only,) = KIND.listing.collect(reader, "aws")
    assert isinstance(only, Resource)
    assert only.id == "stays"


def test_a_table_that_cannot_be_read_is_a_gap_that_is_counted() -> None:
    denied = AwsDenied("no", operation=TABLE, code="AccessDeniedException")
    reader = answering(["a", "b", "c"], **{f"{TABLE} a": denied, f"{TABLE} b": denied})
    one, gap = KIND.listing.collect(reader, "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert (gap.operation, gap.code, gap.resources) == ("DescribeTable", "AccessDeniedException", 2)


@pytest.mark.parametrize(("operation", "fact"), [(SCALING, "scaled"), (RECOVERY, "recovers_to_any_point")])
def test_a_failed_question_leaves_the_fact_unknown_and_a_gap(operation: str, fact: str) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDeniedException")
    one, gap = KIND.listing.collect(answering(["orders"], **{operation: denied}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert fact not in one.attributes


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LIST, code="AccessDeniedException")
    (gap,) = KIND.listing.collect(answering(error=denied), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation) == ("dynamodb", "ListTables")
    slow = AwsThrottled("slow down", operation=LIST, code="ThrottlingException")
    one, cut = KIND.listing.collect(answering(["orders"], error=slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_tags_that_cannot_be_read_are_a_gap_and_not_known_to_be_none() -> None:
    denied = AwsDenied("no", operation=TAGS, code="AccessDeniedException")
    gap, one = KIND.listing.collect(answering(["orders"], **{TAGS: denied}), "aws")
    assert isinstance(gap, Gap)
    assert isinstance(one, Resource)
    assert facts_of(TableFacts, one).tags_known is False


def test_provisioned_capacity_is_billed_by_the_hour_used_or_not_with_that_of_the_indexes() -> None:
    known = TABLES.cost(table(), consumed(), hours=720)
    # 100 × 0.00013 + 100 × 0.00065 an hour, and 10 GiB × 0.25
    assert (known.hourly, known.monthly, known.monthly_by_use) == (
        Decimal("0.07800"),
        Decimal("58.66"),
        Decimal("0.00"),
    )
    with_index = table(index_names=["i"], index_read_capacity=100, index_write_capacity=0, index_bytes=10 * GIB)
    assert TABLES.cost(with_index, consumed(), hours=720).monthly == Decimal("70.52")


def test_on_demand_what_was_consumed_is_billed_by_use_with_that_of_the_indexes() -> None:
    # 10 reads and 2 writes a second over 30 days: 25,920,000 × 0.000000125 + 5,184,000 × 0.000000625
    known = TABLES.cost(on_demand(), consumed(10, 2), hours=720)
    assert (known.monthly, known.monthly_by_use, known.hourly) == (Decimal("8.98"), Decimal("6.48"), None)
    index = on_demand(index_names=["i"])
    assert TABLES.cost(index, consumed(10, 2, indexes=1), hours=720).monthly_by_use == Decimal("8.42")


def test_the_class_for_infrequent_access_has_prices_of_its_own() -> None:
    known = TABLES.cost(on_demand(table_class="STANDARD_INFREQUENT_ACCESS"), consumed(10, 2), hours=720)
    # 25,920,000 × 0.000000155 + 5,184,000 × 0.00000078 + 10 × 0.10
    assert known.monthly == Decimal("9.06")


def test_recovery_to_any_point_is_billed_by_size() -> None:
    plain, kept = (TABLES.cost(table(recovers_to_any_point=one), consumed()).monthly for one in (False, True))
    assert plain is not None
    assert kept == plain + 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"table_class": "STANDARD_INFREQUENT_ACCESS"}, "rcu_hour: no price for the class STANDARD_INFREQUENT_ACCESS"),
        ({"table_replicas": ["eu-west-1"]}, "wcu_hour: no price for replicated capacity"),
        ({"read_capacity": None}, "rcu_hour: its provisioned capacity is not known"),
        ({"table_bytes": None}, "storage_gb_month: its size is not known"),
        (
            {"recovers_to_any_point": None},
            "recovery_gb_month: whether it can be restored to a point in time is not known",
        ),
        ({"billing_mode": "OTHER"}, "throughput: its billing mode is not known"),
        ({"table_class": "OTHER"}, "storage_gb_month: its class is not known"),
    ],
)
def test_what_is_not_known_makes_the_cost_unknown(changes: dict[str, Json], why: str) -> None:
    unknown = TABLES.cost(table(**changes), consumed())
    assert unknown.monthly is None
    assert why in unknown.missing


@pytest.mark.parametrize("metric", ["consumedReadUnits", "consumedWriteUnits", "indexReadUnits1", "indexWriteUnits1"])
def test_a_bill_by_use_without_one_of_its_metrics_is_unknown(metric: str) -> None:
    one = on_demand(index_names=["i"])
    assert TABLES.cost(one, consumed(1, 1, indexes=1)).monthly is not None
    assert TABLES.cost(one, without(consumed(1, 1, indexes=1), metric)).monthly is None


def test_more_indexes_than_are_measured_make_a_bill_by_use_unknown() -> None:
    many = on_demand(index_names=[f"i{number}" for number in range(6)])
    assert TABLES.cost(many, consumed(1, 1)).missing == ("request_unit: what more than 5 indexes consume is not known",)


@pytest.mark.parametrize(("state", "billed"), [("CREATING", False), ("ARCHIVED", False), ("UPDATING", True)])
def test_only_a_table_that_works_is_billed(state: str, billed: bool) -> None:
    assert bool(KIND.billed_parts(table(state))) is billed


def test_what_aws_bills_of_a_table_that_lost_its_key_is_not_known() -> None:
    assert TABLES.cost(table("INACCESSIBLE_ENCRYPTION_CREDENTIALS"), consumed()).monthly is None


def test_each_index_is_asked_by_its_own_name() -> None:
    one = table(index_names=["by-day", "by-name"])
    asked = {spec.name: spec.also_of(one) for spec in KIND.metrics if spec.applies(one)}
    assert asked["indexReadUnits2"] == (("GlobalSecondaryIndexName", "by-name"),)
    assert asked["consumedReadUnits"] == ()
    assert "indexReadUnits3" not in asked
    assert all(spec.missing_means_zero for spec in KIND.metrics)


@pytest.mark.parametrize(
    ("tags", "system"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation"),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"services.k8s.aws/namespace": "shop"}, "a Kubernetes cluster"),
    ],
)
def test_an_owner_is_known_by_its_tags(tags: dict[str, str], system: str) -> None:
    owner = KIND.owner(replace(table(), tags=tags))
    assert owner is not None
    assert owner.system == system
