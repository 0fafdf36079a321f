"""elastic_ip_release: what speaks against it, what it calls, and what people are warned of."""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader, granted

from finops.domain.execution import Observation
from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected
from finops_operator.plugins.action import PolicyFacts, Target
from finops_operator.plugins.ownership import Owner
from finops_operator.services.ec2.actions.elastic_ip_release import ACTION

_ARN: Final = "arn:aws:ec2:us-east-1:111111111111:elastic-ip/eipalloc-1"
_ADDRESS: Final = ResourceRef("elastic-ip", "eipalloc-1", _ARN, "111111111111", "us-east-1")
_DESCRIBED: Final[dict[str, Any]] = {
    "AllocationId": "eipalloc-1",
    "PublicIp": "198.51.100.7",
    "PublicIpv4Pool": "amazon",
    "NetworkBorderGroup": "us-east-1",
}
_NO_FACTS: Final = PolicyFacts()


def reader(
    tags: dict[str, str] | None = None,
    *,
    name: dict[str, Any] | None = None,
    transfers: tuple[dict[str, Any], ...] = (),
    gateways: tuple[dict[str, Any], ...] = (),
    **described: Any,
) -> CannedReader:
    listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return CannedReader(
        {
            "ec2:DescribeAddresses": {"Addresses": [_DESCRIBED | described | {"Tags": listed}]},
            "ec2:DescribeAddressesAttribute": {"Addresses": [{"AllocationId": "eipalloc-1", **(name or {})}]},
            "ec2:DescribeAddressTransfers": {"AddressTransfers": list(transfers)},
            "ec2:DescribeNatGateways": {"NatGateways": list(gateways)},
        }
    )


def observed(tags: dict[str, str] | None = None, **changes: Any) -> Observation:
    return ACTION.observe(reader(tags, **changes), Target(_ADDRESS, {}))


def codes(seen: Observation, facts: PolicyFacts = _NO_FACTS) -> list[str]:
    return [refusal.code for refusal in ACTION.preflight(seen, {}, facts)]


def gateway(allocation: str) -> dict[str, Any]:
    return {"NatGatewayId": "nat-1", "State": "pending", "NatGatewayAddresses": [{"AllocationId": allocation}]}


def offer(status: str) -> dict[str, Any]:
    return {"AllocationId": "eipalloc-1", "TransferAccountId": "222222222222", "AddressTransferStatus": status}


def test_nothing_speaks_against_an_address_on_nothing() -> None:
    assert codes(observed({"team": "web", "cost": "bookkeeping", "housekeeping": "no"})) == []
    assert codes(observed(gateways=(gateway("eipalloc-2"),), transfers=(offer("disabled"), offer("accepted")))) == []


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Observation(exists=False), "NotFound"),
        (observed({"finops.dev/protected": "true"}), "Protected"),
        (observed({"kubernetes.io/cluster/shop": "owned"}), "OwnedByController"),
        (observed({"aws:cloudformation:stack-name": "shop"}), "OwnedByTemplate"),
        (observed({"legal-hold": ""}), "KeptByTag"),
        (observed({"Do-Not-Release": ""}), "KeptByTag"),
        (observed({"Reserved for": "partner"}), "KeptByTag"),
        (observed({"partner-allowlist": "yes"}), "KeptByTag"),
        (observed({"Keep": "true"}), "KeptByTag"),
        (observed(AssociationId="eipassoc-1"), "InUse"),
        (observed(InstanceId="i-1"), "InUse"),
        (observed(NetworkInterfaceId="eni-1"), "InUse"),
        (observed(gateways=(gateway("eipalloc-1"),)), "UsedByNatGateway"),
        (observed(name={"PtrRecord": "mail.example.com."}), "ReverseDnsSet"),
        (observed(name={"PtrRecordUpdate": {"Value": "mail.example.com.", "Status": "PENDING"}}), "ReverseDnsSet"),
        (observed(transfers=(offer("pending"),)), "TransferOffered"),
        (observed(ServiceManaged="rds"), "ManagedByService"),
        (observed(PublicIpv4Pool="ipv4pool-ec2-1"), "BroughtAlong"),
        (observed(CustomerOwnedIpv4Pool="coip-1"), "BroughtAlong"),
        (observed(PublicIpv4Pool=None), "PoolUnknown"),
    ],
)
def test_every_reason_against_it_has_its_rule(seen: Observation, code: str) -> None:
    assert codes(seen) == [code]


def test_an_address_that_its_owner_brought_along_is_named_as_such() -> None:
    (refusal,) = ACTION.preflight(observed(PublicIpv4Pool="ipv4pool-ec2-1"), {}, _NO_FACTS)
    assert refusal.message == "Its owner brought it along, so it costs nothing."


def test_what_the_policy_protects_is_refused() -> None:
    assert codes(observed({"env": "prod"}), PolicyFacts({"env": ("prod",)})) == ["Protected"]


def test_its_reads_are_those_that_it_declares_and_after_the_call_it_asks_for_the_address_alone() -> None:
    asked = reader()
    ACTION.observe(asked, Target(_ADDRESS, {}))
    assert asked.operations == set(ACTION.read_permissions)
    after = reader()
    ACTION.observe(after, Target(_ADDRESS, {}, full=False))
    assert after.operations == {"ec2:DescribeAddresses"}


@pytest.mark.parametrize(
    "answer",
    [
        {"Addresses": []},
        AwsRejected("gone", operation="ec2:DescribeAddresses", code="InvalidAllocationID.NotFound"),
    ],
)
def test_an_address_that_aws_does_not_know_is_gone(answer: Any) -> None:
    assert not ACTION.observe(CannedReader({"ec2:DescribeAddresses": answer}), Target(_ADDRESS, {})).exists


@pytest.mark.parametrize(
    "operation", ["ec2:DescribeAddresses", "ec2:DescribeAddressTransfers", "ec2:DescribeNatGateways"]
)
def test_a_refused_read_proves_nothing(operation: str) -> None:
    answers = {**reader().answers, operation: AwsRejected("no", operation=operation, code="InvalidParameterValue")}
    with pytest.raises(AwsRejected):
        ACTION.observe(CannedReader(answers), Target(_ADDRESS, {}))


@pytest.mark.parametrize(
    "other",
    [observed({"team": "web"}), observed(AssociationId="eipassoc-1"), observed(PublicIp="198.51.100.8")],
    ids=["tags", "in use", "another address"],
)
def test_whatever_changed_since_the_plan_keeps_it_from_being_called(other: Observation) -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed().fingerprint)
    assert ACTION.procedure.steps["release"].expected(plan, observed())
    assert not ACTION.procedure.steps["release"].expected(plan, other)


def test_a_plan_made_of_an_address_in_use_is_never_called() -> None:
    used = observed(AssociationId="eipassoc-1")
    assert not ACTION.procedure.steps["release"].expected(ACTION.plan(_ADDRESS, {}, used.fingerprint), used)


def test_it_makes_one_call_that_destroys_and_that_nothing_leads_back() -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed().fingerprint)
    (step,) = plan.steps
    assert (step.operation, step.parameters) == ("ec2:ReleaseAddress", {"AllocationId": "eipalloc-1"})
    assert ACTION.procedure.steps[step.id].destroys
    assert ACTION.procedure.compensation(plan) == ()
    assert (ACTION.destructive, ACTION.rollback_possible) == (True, False)
    assert plan.fingerprint["publicIp"] == "198.51.100.7"


def test_an_address_of_a_local_zone_is_released_where_it_is_announced_from() -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed(NetworkBorderGroup="us-east-1-bos-1").fingerprint)
    assert plan.steps[0].parameters["NetworkBorderGroup"] == "us-east-1-bos-1"


def test_the_session_may_release_this_address_alone() -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed().fingerprint)
    assert list(granted(ACTION, plan)) == [("ec2:ReleaseAddress", "ec2:ReleaseAddress", _ARN)]
    assert ACTION.permissions == ("ec2:ReleaseAddress",)


def test_people_are_asked_with_the_address_and_with_what_nobody_can_take_back() -> None:
    words = ACTION.words(observed(), {}, ACTION.plan(_ADDRESS, {}, observed().fingerprint))
    assert [(fact.label, fact.value) for fact in words.facts] == [("Address", "198.51.100.7")]
    assert words.undo.startswith("It cannot be undone.")
    lost, unchecked = ACTION.warnings(observed(), {})
    assert "only while nobody else has it" in lost
    assert "a name in DNS, a firewall or a partner" in unchecked


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (Observation(exists=False), "The address 198.51.100.7 is released."),
        (observed(), "The address 198.51.100.7 is on nothing."),
        (observed(InstanceId="i-1"), "The address 198.51.100.7 is in use."),
    ],
)
def test_the_end_of_the_act_says_what_is_there(seen: Observation, sentence: str) -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed().fingerprint)
    assert ACTION.procedure.found(plan, seen) == sentence
    assert ACTION.procedure.verified(plan, seen) is not seen.exists


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("InvalidIPAddress.InUse", "Somebody uses the address meanwhile."),
        ("InvalidAddress.Locked", "Its reverse DNS name, or AWS itself, keeps the address."),
        ("RequestLimitExceeded", ""),
    ],
)
def test_a_refusal_of_aws_is_said_in_words_where_its_code_is_not_enough(code: str, sentence: str) -> None:
    plan = ACTION.plan(_ADDRESS, {}, observed().fingerprint)
    assert ACTION.procedure.refused(plan, observed(), "release", code) == sentence


@pytest.mark.parametrize(
    ("system", "patch"),
    [
        ("CloudFormation", "Remove the resource from the template."),
        ("Terraform", "Remove the aws_eip block."),
        ("Crossplane", ""),
    ],
)
def test_an_owner_gets_the_change_in_its_own_words(system: str, patch: str) -> None:
    resource = Resource("elastic-ip", "eipalloc-1", _ARN, "", "111111111111", "us-east-1", "unassociated")
    assert ACTION.at_owner.patch(Owner(system, "", "Change it there."), resource, {}) == patch
