"""Functions as collected and priced: facts as AWS gives them, provisioned concurrency, tags, owners, bill, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages, used, without
from tests.unit.services.awslambda.functions import FUNCTIONS, function, invoked

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.awslambda.function import KIND, FunctionFacts

MODEL = botocore.session.get_session().get_service_model("lambda")
LIST, TAGS = "lambda:ListFunctions", "resourcegroupstaggingapi:GetResources"
PROVISIONED = "lambda:ListProvisionedConcurrencyConfigs"
ARN = "arn:aws:lambda:us-east-1:111122223333:function:resize-images"
TAGGED = {"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]}
WAITING = {
    "ProvisionedConcurrencyConfigs": [
        {
            "FunctionArn": f"{ARN}:live",
            "RequestedProvisionedConcurrentExecutions": 5,
            "AllocatedProvisionedConcurrentExecutions": 5,
            "Status": "READY",
            "LastModified": "2026-05-01T00:00:00+0000",
        },
        {
            "FunctionArn": f"{ARN}:3",
            "RequestedProvisionedConcurrentExecutions": 2,
            "Status": "IN_PROGRESS",
            "LastModified": "2026-06-01T00:00:00+0000",
        },
    ]
}


def described(**changes: Any) -> dict[str, Any]:
    return {
        "FunctionName": "resize-images",
        "FunctionArn": ARN,
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "PackageType": "Zip",
        "MemorySize": 512,
        "Timeout": 30,
        "EphemeralStorage": {"Size": 1024},
        "CodeSize": 2048,
        "LastModified": "2026-01-01T00:00:00.000+0000",
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        **changes,
    }


def answering(*pages: Sequence[Mapping[str, Any]], error: Any = None, **answers: Any) -> Pages:
    listed: list[Any] = [{"Functions": page} for page in pages]
    none: Any = ({"ProvisionedConcurrencyConfigs": []},)
    known = {LIST: [*listed, *([error] if error is not None else [])], TAGS: (TAGGED,), PROVISIONED: none}
    return Pages({**known, **answers})


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(answering([described(**changes)]), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_function_carries_runtime_processor_memory_and_tags() -> None:
    one = collected()
    facts = facts_of(FunctionFacts, one)
    assert (one.id, one.arn, one.tags, KIND.type_of(one)) == ("resize-images", ARN, {"team": "shop"}, "python3.13")
    assert (facts.architecture, facts.memory_mb, facts.ephemeral_storage_mb) == ("arm64", 512, 1024)
    assert (facts.provisioned_instances, facts.provisioned_since) == (0, "")
    assert (facts.snap_start, facts.on_own_capacity, facts.tags_known) == (False, False, True)
    assert one.created is None


def test_what_aws_did_not_say_is_absent_and_a_processor_that_it_does_not_name_is_x86() -> None:
    one = collected(Runtime=None, MemorySize=None, Architectures=None)
    assert not {"runtime", "memory_mb"} & one.attributes.keys()
    assert facts_of(FunctionFacts, one).architecture == "x86_64"


def test_a_copy_that_was_made_for_a_distribution_names_its_main_function() -> None:
    main = "arn:aws:lambda:us-east-1:111122223333:function:viewer"
    copy = collected(MasterArn=main)
    owner = KIND.owner(copy)
    assert copy.attributes["main_function"] == main
    assert owner is not None
    assert owner.name == "replicator.lambda.amazonaws.com"


def test_what_snap_start_costs_is_named_as_left_out() -> None:
    started = facts_of(FunctionFacts, collected(SnapStart={"ApplyOn": "PublishedVersions"}))
    assert (started.snap_start, started.not_in_cost) == (True, ("snap_start_gb_second", "streamed_gb"))


def test_provisioned_concurrency_of_all_versions_is_added_up() -> None:
    reader = answering([described()], **{PROVISIONED: (WAITING,)})
    (one,) = KIND.listing.collect(reader, "aws")
    assert isinstance(one, Resource)
    facts = facts_of(FunctionFacts, one)
    assert (facts.provisioned_instances, facts.provisioned_since) == (7, "2026-06-01T00:00:00+0000")


def test_every_page_is_listed_and_asked_at_the_size_that_aws_gives() -> None:
    reader = answering([described(FunctionName="a")], [described(FunctionName="b")])
    assert [one.id for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)] == ["a", "b"]
    asked = [(operation, parameters) for operation, parameters in reader.asked if operation.startswith("lambda:")]
    assert asked[0] == (LIST, {"MaxItems": 50})
    assert asked[1] == (PROVISIONED, {"FunctionName": "a", "MaxItems": 50})
    for operation, parameters in asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()
    assert described().keys() <= MODEL.shape_for("FunctionConfiguration").members.keys()


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LIST, code="AccessDeniedException")
    (gap,) = KIND.listing.collect(answering(error=denied), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation, gap.code) == ("lambda", "ListFunctions", "AccessDeniedException")
    slow = AwsThrottled("slow down", operation=LIST, code="TooManyRequestsException")
    one, cut = KIND.listing.collect(answering([described()], error=slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_a_question_about_provisioned_concurrency_that_fails_is_asked_once_and_is_one_gap() -> None:
    denied = AwsDenied("no", operation=PROVISIONED, code="AccessDeniedException")
    reader = answering([described(FunctionName=name) for name in "abc"], **{PROVISIONED: denied})
    *functions, gap = KIND.listing.collect(reader, "aws")
    assert isinstance(gap, Gap)
    assert gap.operation == "ListProvisionedConcurrencyConfigs"
    assert [facts_of(FunctionFacts, one).provisioned_instances for one in functions if isinstance(one, Resource)] == [
        None,
        None,
        None,
    ]
    assert [operation for operation, _ in reader.asked].count(PROVISIONED) == 1


def test_a_function_that_is_deleted_meanwhile_is_no_gap_and_others_are_still_asked_about() -> None:
    gone = AwsRejected("no such function", operation=PROVISIONED, code="ResourceNotFoundException")
    reader = answering([described(FunctionName="a"), described(FunctionName="b")], **{f"{PROVISIONED} a": gone})
    first, second = KIND.listing.collect(reader, "aws")
    assert isinstance(first, Resource)
    assert isinstance(second, Resource)
    assert facts_of(FunctionFacts, first).provisioned_instances is None
    assert facts_of(FunctionFacts, second).provisioned_instances == 0


def test_tags_that_cannot_be_read_are_a_gap_and_not_known_to_be_none() -> None:
    denied = AwsDenied("no", operation=TAGS, code="AccessDeniedException")
    gap, one = KIND.listing.collect(answering([described()], **{TAGS: denied}), "aws")
    assert isinstance(gap, Gap)
    assert isinstance(one, Resource)
    assert facts_of(FunctionFacts, one).tags_known is False


# A million invocations of 100 ms with 1 GB: 100,000 GB-seconds.
BUSY = invoked(1_000_000 / 30)


def test_a_function_is_billed_its_invocations_and_their_duration_by_use() -> None:
    known = FUNCTIONS.cost(function(), BUSY, hours=720)
    # 1,000,000 × 0.0000002 + 100,000 × 0.0000166667
    assert (known.monthly, known.monthly_by_use, known.hourly) == (Decimal("1.87"), Decimal("1.87"), None)
    assert FUNCTIONS.cost(function(memory_mb=2048), BUSY, hours=720).monthly == Decimal("3.53")
    arm = FUNCTIONS.cost(function(architecture="arm64"), BUSY, hours=720)
    assert arm.monthly == Decimal("1.53")


def test_a_function_that_is_never_invoked_costs_nothing_and_that_is_known() -> None:
    assert FUNCTIONS.cost(function(), invoked(0)).monthly == Decimal("0.00")


def test_storage_above_what_is_free_is_billed_by_the_same_duration() -> None:
    more = FUNCTIONS.cost(function(ephemeral_storage_mb=10_752), BUSY, hours=720)
    (part,) = [one for one in more.components if one.dimension == "ephemeral_gb_second"]
    assert round(part.monthly, 5) == round(10 * 100_000 * part.price.amount, 5) == Decimal("0.03400")


def test_provisioned_concurrency_is_billed_every_second_of_the_month_used_or_not() -> None:
    known = FUNCTIONS.cost(function(provisioned_instances=2), invoked(0), hours=720)
    # 2 GB × 2,592,000 s × the price of eu-west-1
    part = known.components[0]
    assert part.dimension == "provisioned_gb_second"
    assert known.monthly == round(2 * 3600 * 720 * part.price.amount / 3600, 2)
    assert known.monthly_by_use == 0
    assert known.hourly is not None


def test_duration_on_provisioned_instances_is_never_billed_at_the_price_of_the_others() -> None:
    waiting = function(provisioned_instances=2)
    beside = FUNCTIONS.cost(waiting, invoked(1000))
    assert beside.monthly is not None  # None of them was served by a provisioned instance.
    for one in (invoked(1000, served_a_day=1000), invoked(1000, served_a_day=1)):
        cost = FUNCTIONS.cost(waiting, one)
        reason = "how much of its duration ran on provisioned instances is not known"
        assert (cost.monthly, cost.missing) == (None, (f"provisioned_duration_gb_second: {reason}",))
        # What is known of it is what waits and what is invoked: on-demand duration may be more than AWS bills.
        assert [part.dimension for part in cost.components] == ["provisioned_gb_second", "request"]
    assert FUNCTIONS.cost(waiting, without(invoked(1000), "provisionedInvocationsByDay")).monthly is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"memory_mb": None}, "gb_second: its memory or its processor is not known"),
        ({"architecture": "riscv"}, "gb_second: its memory or its processor is not known"),
        ({"provisioned_instances": None}, "provisioned_gb_second: whether concurrency is provisioned is not known"),
        ({"on_own_capacity": True}, "instance_hour: what the instances of its capacity provider cost is not known"),
        (
            {"architecture": "arm64", "provisioned_instances": 1},
            "provisioned_gb_second: no price in eu-west-1",
        ),
    ],
)
def test_what_is_not_known_makes_the_cost_unknown(changes: dict[str, Json], why: str) -> None:
    unknown = FUNCTIONS.cost(function(**changes), BUSY)
    assert unknown.monthly is None
    assert why in unknown.missing


@pytest.mark.parametrize("metric", ["invocations", "durationMilliseconds"])
def test_a_bill_without_its_metric_is_unknown(metric: str) -> None:
    assert FUNCTIONS.cost(function(), without(BUSY, metric)).monthly is None
    assert FUNCTIONS.cost(function(), used("resize-images")).monthly is None


def test_a_missing_point_is_zero_except_of_memory_which_only_insights_knows() -> None:
    assert {spec.name for spec in KIND.metrics if not spec.missing_means_zero} == {"memoryPercent"}


@pytest.mark.parametrize(("instances", "asked"), [(0, False), (1, True), (None, False)])
def test_what_provisioned_concurrency_served_is_asked_only_where_there_is_some(
    instances: int | None, asked: bool
) -> None:
    (spec,) = [one for one in KIND.metrics if one.name == "provisionedInvocations"]
    assert spec.applies(function(provisioned_instances=instances)) is asked


@pytest.mark.parametrize(
    ("tags", "system"),
    [
        ({"aws:cloudformation:stack-name": "shop", "lambda:createdBy": "SAM"}, "CloudFormation"),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"services.k8s.aws/namespace": "shop"}, "a Kubernetes cluster"),
    ],
)
def test_an_owner_is_known_by_its_tags(tags: dict[str, str], system: str) -> None:
    owner = KIND.owner(replace(function(), tags=tags))
    assert owner is not None
    assert owner.system == system
