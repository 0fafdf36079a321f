"""Keys as collected: only the customer's, with their last use, refusals of single keys as gaps, and their price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.kms.keys import ARN, ID, KEYS, key

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected
from finops_operator.plugins.facts import facts_of
from finops_operator.services.kms.key import KIND, KeyFacts

MODEL = botocore.session.get_session().get_service_model("kms")
LIST, DESCRIBE, USE = "kms:ListKeys", "kms:DescribeKey", "kms:GetKeyLastUsage"
TAGS = "resourcegroupstaggingapi:GetResources"
DENIED = "AccessDeniedException"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "KeyId": ID,
        "Arn": ARN,
        "KeyManager": "CUSTOMER",
        "KeyState": "Enabled",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "Origin": "AWS_KMS",
        "CreationDate": "1700000000.0",
        "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"},
        **changes,
    }


def used(**changes: Any) -> dict[str, Any]:
    return {"KeyLastUsage": {"Timestamp": "1769904000.0"}, "TrackingStartDate": "1760000000.0", **changes}


def reader(*ids: str, **answers: Any) -> Pages:
    keys = [{"KeyId": one, "KeyArn": ARN} for one in ids or (ID,)]
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    standard = {
        LIST: [{"Keys": keys}],
        DESCRIBE: [{"KeyMetadata": described()}],
        USE: [used()],
        TAGS: [{"ResourceTagMappingList": tags}],
    }
    return Pages({**standard, **answers})


def collected(pages: Pages) -> list[Resource | Gap]:
    return list(KIND.listing.collect(pages, "aws"))


def test_a_key_carries_what_it_is_and_when_it_was_used_last() -> None:
    asked = reader()
    (one,) = collected(asked)
    assert isinstance(one, Resource)
    facts = facts_of(KeyFacts, one)
    assert (one.id, one.arn, one.state, one.tags) == (ID, ARN, "enabled", {"team": "shop"})
    assert (facts.key_spec, facts.origin, facts.multi_region) == ("SYMMETRIC_DEFAULT", "AWS_KMS", "REPLICA")
    assert (facts.last_used, facts.tags_known) == ("2026-02-01T00:00:00+00:00", True)
    assert described().keys() <= MODEL.shape_for("KeyMetadata").members.keys()
    assert used().keys() <= MODEL.operation_model("GetKeyLastUsage").output_shape.members.keys()
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_key_without_any_use_is_known_as_such_only_with_the_day_from_which_uses_are_kept() -> None:
    (never,) = collected(reader(**{USE: [used(KeyLastUsage={})]}))
    (unknown,) = collected(reader(**{USE: [{"KeyId": ID}]}))
    assert isinstance(never, Resource)
    assert isinstance(unknown, Resource)
    assert (never.text("last_used"), "last_used" in never.attributes) == ("", True)
    assert "last_used" not in unknown.attributes


def test_keys_that_aws_manages_are_left_out_and_their_use_is_not_asked_for() -> None:
    asked = reader(**{DESCRIBE: [{"KeyMetadata": described(KeyManager="AWS")}]})
    assert collected(asked) == []
    assert USE not in [operation for operation, _ in asked.asked]


def test_a_key_whose_policy_refuses_is_a_gap_and_the_next_one_is_asked() -> None:
    def one_refuses(parameters: Mapping[str, Any]) -> list[Any]:
        if parameters["KeyId"] == "secret":
            return [AwsDenied("no", operation=DESCRIBE, code=DENIED)]
        return [{"KeyMetadata": described(KeyId=parameters["KeyId"])}]

    one, gap = collected(reader("secret", ID, **{DESCRIBE: one_refuses}))
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert (one.id, gap.operation) == (ID, "DescribeKey")


def test_a_key_that_is_gone_meanwhile_is_left_out_and_is_no_gap() -> None:
    gone = AwsRejected("gone", operation=DESCRIBE, code="NotFoundException")
    assert collected(reader("one", "two", **{DESCRIBE: [gone]})) == []


@pytest.mark.parametrize(("error", "times"), [(AwsDenied, 3), (AwsRejected, 1)])
def test_a_question_that_fails_for_all_keys_is_given_up_and_their_use_stays_unknown(
    error: type[AwsDenied | AwsRejected], times: int
) -> None:
    asked = reader(*(f"key-{number}" for number in range(5)), **{USE: [error("no", operation=USE, code=DENIED)]})
    *found, gap = collected(asked)
    assert isinstance(gap, Gap)
    assert [operation for operation, _ in asked.asked].count(USE) == times
    assert [one for one in found if isinstance(one, Resource) and "last_used" in one.attributes] == []
    assert len(found) == 5


def test_a_refused_listing_is_a_gap() -> None:
    (gap,) = collected(reader(**{LIST: [AwsDenied("no", operation=LIST, code=DENIED)]}))
    assert isinstance(gap, Gap)


def test_a_disabled_key_is_billed_like_any_other_and_one_that_is_being_deleted_is_free() -> None:
    assert KEYS.cost(key()).monthly == KEYS.cost(key("disabled")).monthly == Decimal("1.00")
    assert KIND.billed_parts(key("pendingdeletion")) == ()


def test_an_owner_is_known_by_tags() -> None:
    owner = KIND.owner(replace(key(), tags={"services.k8s.aws/namespace": "shop"}))
    assert owner is not None
    assert (owner.system, owner.name) == ("a Kubernetes cluster", "shop")
