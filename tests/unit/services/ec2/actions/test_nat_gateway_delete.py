"""nat_gateway_delete: what speaks against it, how its use is read, what it calls, and what people are warned of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.services.ec2.actions.nat_gateway_delete import ACTION

_ARN: Final = "arn:aws:ec2:us-east-1:111111111111:natgateway/nat-1"
_GATEWAY: Final = ResourceRef("nat-gateway", "nat-1", _ARN, "111111111111", "us-east-1")
_NOW: Final = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
_DESCRIBED: Final[dict[str, Any]] = {
    "NatGatewayId": "nat-1",
    "State": "available",
    "VpcId": "vpc-1",
    "SubnetId": "subnet-1",
    "ConnectivityType": "public",
    "CreateTime": "2025-01-01T00:00:00Z",
    "NatGatewayAddresses": [{"AllocationId": "eipalloc-1", "PublicIp": "203.0.113.7"}],
}
_NO_FACTS: Final = PolicyFacts()
_WEEK: Final = [0.0] * 168


def series(*values: list[float], status: str = "Complete") -> tuple[dict[str, Any], ...]:
    return tuple({"Id": f"q{number}", "Values": one, "StatusCode": status} for number, one in enumerate(values))


_QUIET: Final = series(_WEEK, _WEEK, _WEEK)


def reader(
    tags: dict[str, str] | None = None,
    *,
    tables: tuple[str, ...] = (),
    results: tuple[dict[str, Any], ...] = _QUIET,
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return CannedReader(
        {
            "ec2:DescribeNatGateways": {"NatGateways": [_DESCRIBED | described | {"Tags": listed}]},
            "ec2:DescribeRouteTables": {"RouteTables": [{"RouteTableId": one} for one in tables]},
            "cloudwatch:GetMetricData": {"MetricDataResults": list(results)},
        }
    )


def observed(tags: dict[str, str] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(tags, **changes), Target(_GATEWAY, {}, now=_NOW))


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def test_nothing_speaks_against_a_gateway_without_routes_and_traffic() -> None:
    assert codes(observed({"team": "web"})) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"kubernetes.io/cluster/shop": "owned"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"legal-hold": ""}), "KeptByTag"),
        (observed({"do not delete": ""}), "KeptByTag"),
        (observed(State="pending"), "NotAvailable"),
        (observed(State="deleting"), "NotAvailable"),
        (observed(AvailabilityMode="regional"), "Regional"),
        (observed(tables=("rtb-1",)), "UsedByRoute"),
        (observed(results=series([*_WEEK, 1.0], _WEEK, _WEEK)), "InUse"),
        (observed(results=series(_WEEK, [*_WEEK, 1.0], _WEEK)), "InUse"),
        (observed(results=series(_WEEK, _WEEK, [1.0])), "InUse"),
        (observed(results=()), "UseUnknown"),
        (observed(results=series(_WEEK, _WEEK)), "UseUnknown"),
        (observed(results=series(_WEEK, _WEEK, _WEEK[:159])), "UseUnknown"),
        (observed(results=series(_WEEK, _WEEK, _WEEK, status="PartialData")), "UseUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


def test_the_route_tables_that_use_it_are_named() -> None:
    (refusal,) = ACTION.preflight(observed(tables=("rtb-2", "rtb-1")), {}, _NO_FACTS)
    assert refusal.message == "Route tables send traffic to it: rtb-1, rtb-2."


def test_hours_that_cloudwatch_shows_a_little_late_are_no_hole() -> None:
    assert codes(observed(results=series(_WEEK[:160], _WEEK[:160], _WEEK[:160]))) == []


def test_values_that_come_on_several_pages_are_put_together() -> None:
    pages = (*series(_WEEK[:80], _WEEK, _WEEK, status="PartialData"), *series(_WEEK[80:], [], []))
    assert codes(observed(results=pages)) == []


def test_the_week_before_the_act_is_asked_for_by_hours() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_GATEWAY, {}, now=_NOW))
    (window,) = [parameters for operation, parameters in asked.asked if operation == "cloudwatch:GetMetricData"]
    assert (window["StartTime"], window["EndTime"]) == (_NOW.replace(minute=0) - timedelta(days=7), _NOW)
    measured = [query["MetricStat"] for query in window["MetricDataQueries"]]
    assert [(one["Metric"]["MetricName"], one["Stat"], one["Period"]) for one in measured] == [
        ("ActiveConnectionCount", "Maximum", 3600),
        ("PacketsInFromSource", "Sum", 3600),
        ("PacketsInFromDestination", "Sum", 3600),
    ]


def test_its_reads_are_those_that_it_declares_and_after_the_call_it_asks_for_the_gateway_alone() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_GATEWAY, {}, now=_NOW))
    assert asked.operations == set(ACTION.read_permissions)
    after = reader()
    ACTION.observe(after, Target(_GATEWAY, {}, full=False, now=_NOW))
    assert after.operations == {"ec2:DescribeNatGateways"}


def test_without_a_time_its_use_is_not_known() -> None:
    assert codes(ACTION.observe(reader(), Target(_GATEWAY, {}))) == ["UseUnknown"]


@pytest.mark.parametrize("gateways", [[], [_DESCRIBED | {"State": "deleted"}], [_DESCRIBED | {"State": "failed"}]])
def test_a_gateway_that_is_deleted_or_was_never_made_is_gone(gateways: list[dict[str, Any]]) -> None:
    answers = {"ec2:DescribeNatGateways": {"NatGateways": gateways}}
    assert not ACTION.observe(CannedReader(answers), Target(_GATEWAY, {})).exists


@pytest.mark.parametrize("operation", ACTION.read_permissions)
def test_a_refused_read_proves_nothing(operation: str) -> None:
    answers = {**reader().answers, operation: AwsRejected("no", operation=operation, code="InvalidParameterValue")}
    with pytest.raises(AwsRejected):
        ACTION.observe(CannedReader(answers), Target(_GATEWAY, {}, now=_NOW))


@pytest.mark.parametrize(
    "other",
    [observed({"team": "web"}), observed(State="deleting"), observed(NatGatewayAddresses=[])],
    ids=["tags", "going", "addresses"],
)
def test_whatever_changed_since_the_plan_keeps_it_from_being_called(other: Observation) -> None:
    plan = ACTION.plan(_GATEWAY, {}, observed().fingerprint)
    assert ACTION.procedure.steps["delete"].expected(plan, observed())
    assert not ACTION.procedure.steps["delete"].expected(plan, other)


def test_it_makes_one_call_that_destroys_and_keeps_what_another_gateway_would_need() -> None:
    plan = ACTION.plan(_GATEWAY, {}, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == ("ec2:DeleteNatGateway", {"NatGatewayId": "nat-1"})
    assert ACTION.procedure.steps[step.id].destroys
    assert ACTION.procedure.compensation(plan) == ()
    assert (ACTION.destructive, ACTION.rollback_possible) == (True, False)
    kept = {name: plan.fingerprint[name] for name in ("vpcId", "subnetId", "connectivity", "addresses")}
    assert kept == {"vpcId": "vpc-1", "subnetId": "subnet-1", "connectivity": "public", "addresses": "eipalloc-1"}


def test_a_deletion_under_way_is_reached_and_not_yet_verified() -> None:
    plan, rules = ACTION.plan(_GATEWAY, {}, observed().fingerprint), ACTION.procedure
    going, gone = observed(State="deleting"), Observation(exists=False)
    assert [rules.steps["delete"].reached(plan, one) for one in (observed(), going, gone)] == [False, True, True]
    assert [rules.verified(plan, one) for one in (observed(), going, gone)] == [False, False, True]


def test_the_session_may_delete_this_gateway_alone() -> None:
    plan = ACTION.plan(_GATEWAY, {}, observed().fingerprint)
    assert list(granted(ACTION, plan)) == [("ec2:DeleteNatGateway", "ec2:DeleteNatGateway", _ARN)]
    assert ACTION.permissions == ("ec2:DeleteNatGateway",)


def test_people_are_asked_with_the_addresses_that_stay_billed() -> None:
    words = ACTION.words(observed(), {}, ACTION.plan(_GATEWAY, {}, observed().fingerprint))
    assert [(fact.label, fact.value) for fact in words.facts] == [("Addresses that stay", "203.0.113.7")]
    assert words.undo.startswith("It cannot be undone.")
    stand_by, addresses = ACTION.warnings(observed(), {})
    assert "idle on purpose" in stand_by
    assert addresses == "Its addresses (203.0.113.7) stay in the account and are billed as before."
    assert ACTION.warnings(observed(NatGatewayAddresses=[{"PrivateIp": "10.0.0.4"}]), {}) == (stand_by,)


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (Observation(exists=False), "The NAT gateway is deleted; its addresses (eipalloc-1) stay and are billed."),
        (observed(State="deleting"), "The NAT gateway is deleting."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    assert ACTION.procedure.found(ACTION.plan(_GATEWAY, {}, observed().fingerprint), seen) == sentence


def test_of_a_private_gateway_no_address_stays() -> None:
    private = observed(ConnectivityType="private", NatGatewayAddresses=[{"PrivateIp": "10.0.0.4"}])
    plan = ACTION.plan(_GATEWAY, {}, private.fingerprint)
    assert ACTION.procedure.found(plan, Observation(exists=False)) == "The NAT gateway is deleted."


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Remove the resource from the template."),
        ("Terraform", "Remove the aws_nat_gateway block."),
        ("Crossplane", ""),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    resource = Resource("nat-gateway", "nat-1", _ARN, "", "111111111111", "us-east-1", "available")
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), resource, {}) == patch
