"""Secrets as collected: the day of the last access, replicas, owners, errors as gaps, and their price."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.secretsmanager.secrets import ARN, SECRETS, secret

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.secretsmanager.secret import KIND, SecretFacts

MODEL = botocore.session.get_session().get_service_model("secretsmanager")
LIST = "secretsmanager:ListSecrets"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "ARN": ARN,
        "Name": "shop/database",
        "CreatedDate": "1767225600.0",
        "LastAccessedDate": "1769904000.0",
        "RotationEnabled": True,
        "PrimaryRegion": "us-east-1",
        "Tags": [{"Key": "team", "Value": "shop"}],
        **changes,
    }


def collected(*pages: Any) -> list[Resource | Gap]:
    return list(KIND.listing.collect(Pages({LIST: pages}), "aws"))


def test_a_secret_carries_the_day_of_its_last_access() -> None:
    asked = Pages({LIST: [{"SecretList": [listed()]}]})
    (one,) = KIND.listing.collect(asked, "aws")
    assert isinstance(one, Resource)
    facts = facts_of(SecretFacts, one)
    assert (one.id, one.name, one.arn, one.tags) == ("shop/database-AbCdEf", "shop/database", ARN, {"team": "shop"})
    assert one.created is not None
    assert (facts.last_accessed, facts.replica_of, facts.owning_service, facts.rotates) == ("2026-02-01", "", "", True)
    assert listed().keys() <= MODEL.shape_for("SecretListEntry").members.keys()
    shape = MODEL.operation_model("ListSecrets").input_shape
    assert not ParamValidator().validate(asked.asked[0][1], shape).has_errors()


def test_a_secret_without_a_day_of_access_was_never_read_and_a_replica_names_its_primary_region() -> None:
    (one,) = collected({"SecretList": [listed(LastAccessedDate=None, PrimaryRegion="eu-west-1")]})
    assert isinstance(one, Resource)
    facts = facts_of(SecretFacts, one)
    assert (facts.last_accessed, facts.replica_of) == ("", "eu-west-1")


def test_one_that_is_marked_for_deletion_is_left_out() -> None:
    assert collected({"SecretList": [listed(DeletedDate="1769904000.0")]}) == []


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    (gap,) = collected(AwsDenied("no", operation=LIST, code="AccessDeniedException"))
    assert isinstance(gap, Gap)
    one, cut = collected({"SecretList": [listed()]}, AwsThrottled("slow", operation=LIST, code="ThrottlingException"))
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_a_month_of_a_secret_has_its_price_and_one_that_a_service_keeps_has_none() -> None:
    assert SECRETS.cost(secret()).monthly == Decimal("0.40")
    assert SECRETS.cost(secret(owning_service="rds")).monthly is None
    assert KIND.billed_parts(replace(secret(), state="deleted")) == ()


def test_the_service_that_keeps_a_secret_owns_it_and_else_its_tags_say_who() -> None:
    service, cluster = (
        KIND.owner(secret(owning_service="rds")),
        KIND.owner(replace(secret(), tags={"crossplane-a": ""})),
    )
    assert service is not None
    assert cluster is not None
    assert (service.name, cluster.system) == ("rds", "Crossplane")
    assert KIND.owner(secret()) is None
