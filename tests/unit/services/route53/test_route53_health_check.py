"""Health checks as collected: what refers to them, their home region, errors as gaps, and a cost no table knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.route53.health_checks import ARN, HEALTH, ID, health_check

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.services.route53.health_check import KIND, HealthCheckFacts

SESSION = botocore.session.get_session()
LIST, ZONES, RECORDS = "route53:ListHealthChecks", "route53:ListHostedZones", "route53:ListResourceRecordSets"
ALARMS, TAGS = "cloudwatch:DescribeAlarmsForMetric", "resourcegroupstaggingapi:GetResources"
DENIED = "AccessDenied"


def listed(identity: str = ID, **config: Any) -> dict[str, Any]:
    return {"Id": identity, "HealthCheckConfig": {"Type": "HTTPS", "RequestInterval": 30, **config}}


def reader(*checks: dict[str, Any], region: str = "us-east-1", answers: Mapping[str, Any] | None = None) -> Pages:
    standard = {
        LIST: [{"HealthChecks": list(checks)}],
        ZONES: [{"HostedZones": [{"Id": "/hostedzone/Z1"}]}, {"HostedZones": [{"Id": "/hostedzone/Z2"}]}],
        RECORDS: [{"ResourceRecordSets": [{"Name": "a.", "Type": "A"}]}],
        ALARMS: [{"MetricAlarms": []}],
        TAGS: [{"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": [{"Key": "Name", "Value": "shop"}]}]}],
    }
    return Pages({**standard, **(answers or {})}, region=region)


def collected(pages: Pages, partition: str = "aws") -> list[Resource | Gap]:
    return list(KIND.listing.collect(pages, partition))


def facts(pages: Pages, partition: str = "aws") -> HealthCheckFacts:
    one, *_ = collected(pages, partition)
    assert isinstance(one, Resource)
    return facts_of(HealthCheckFacts, one)


def test_a_check_that_nothing_refers_to_is_known_as_such_after_all_zones() -> None:
    asked = reader(listed())
    (one,) = collected(asked)
    assert isinstance(one, Resource)
    own = facts_of(HealthCheckFacts, one)
    assert (one.id, one.arn, one.state, one.name) == (ID, ARN, "active", "shop")
    assert (own.records, own.parents, own.alarms, own.check_type, own.interval_seconds) == (0, 0, 0, "HTTPS", 30)
    assert [parameters["HostedZoneId"] for operation, parameters in asked.asked if operation == RECORDS] == ["Z1", "Z2"]
    for operation, parameters in asked.asked:
        service, _, name = operation.partition(":")
        shape = SESSION.get_service_model(service).operation_model(name).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_records_calculated_checks_and_alarms_are_counted() -> None:
    record = {"Name": "a.", "Type": "A", "HealthCheckId": ID}
    named = reader(listed(), answers={RECORDS: [{"ResourceRecordSets": [record]}]})
    assert (facts(named).records, facts(named).alarms) == (2, None)
    assert ALARMS not in [operation for operation, _ in named.asked]
    assert facts(reader(listed(), listed("other", ChildHealthChecks=[ID]))).parents == 1
    assert facts(reader(listed(), answers={ALARMS: [{"MetricAlarms": [{"AlarmName": "a"}]}]})).alarms == 2


def test_a_zone_that_could_not_be_read_leaves_unknown_what_refers_to_any_check() -> None:
    slow = AwsThrottled("slow down", operation=RECORDS, code="Throttling")
    one, gap = collected(reader(listed(), answers={RECORDS: [{"ResourceRecordSets": []}, slow]}))
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert facts_of(HealthCheckFacts, one).records is None


def test_a_zone_that_is_gone_meanwhile_refers_to_nothing() -> None:
    gone = AwsRejected("gone", operation=RECORDS, code="NoSuchHostedZone")
    (one,) = collected(reader(listed(), answers={RECORDS: [gone]}))
    assert isinstance(one, Resource)
    assert facts_of(HealthCheckFacts, one).records == 0


def test_a_listing_that_broke_off_leaves_unknown_which_checks_are_calculated_from_others() -> None:
    slow = AwsThrottled("slow down", operation=LIST, code="Throttling")
    gap, one = collected(reader(answers={LIST: [{"HealthChecks": [listed()]}, slow]}))
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert facts_of(HealthCheckFacts, one).parents is None


def test_without_checks_no_zone_is_read_and_a_refused_listing_is_a_gap() -> None:
    asked = reader()
    assert collected(asked) == []
    assert ZONES not in [operation for operation, _ in asked.asked]
    (gap,) = collected(reader(answers={LIST: [AwsDenied("no", operation=LIST, code=DENIED)]}))
    assert isinstance(gap, Gap)


@pytest.mark.parametrize(
    ("region", "partition", "known"), [("eu-west-1", "aws", False), ("us-gov-west-1", "aws-us-gov", True)]
)
def test_tags_alarms_and_metrics_are_known_only_in_the_region_that_keeps_them(
    region: str, partition: str, known: bool
) -> None:
    (one,) = collected(reader(listed(), region=region), partition)
    assert isinstance(one, Resource)
    own = facts_of(HealthCheckFacts, one)
    assert (own.tags_known, own.alarms is not None) == (known, known)
    assert [spec.applies(one) for spec in KIND.metrics] == [known]
    assert KIND.is_global


def test_a_disabled_check_is_billed_as_well_and_its_cost_is_unknown() -> None:
    (one,) = collected(reader(listed(Disabled=True)))
    assert isinstance(one, Resource)
    assert one.state == "disabled"
    for state in ("active", "disabled"):
        assert HEALTH.cost(health_check(state)).missing == ("health_check_month: no price for health checks",)


def test_the_service_that_made_a_check_owns_it_and_else_its_tags_say_who() -> None:
    made = KIND.owner(health_check(linked_service="servicediscovery.amazonaws.com"))
    assert made is not None
    assert made.name == "servicediscovery.amazonaws.com"
    assert KIND.owner(replace(health_check(), tags={"crossplane-name": "x"})) is not None
    linked = {**listed(), "LinkedService": {"ServicePrincipal": "servicediscovery.amazonaws.com"}}
    assert facts(reader(linked)).linked_service == "servicediscovery.amazonaws.com"
