"""Release an Elastic IP address that is on nothing. It cannot be undone: whoever allocates next may get the address.

AWS gives the same address back on request only while nobody else has it. So whatever shows that somebody counts on it
refuses: an association, a NAT gateway that is still being made with it, a reverse DNS name, an offered transfer, a tag.
Who else knows it - names in DNS, firewalls, partners - cannot be seen from the account, and people are warned of it.
In a default VPC AWS releases an address that is in use all the same, so the last reading right before the call counts.
An address that its owner brought along is never released: it costs nothing. The plan keeps address and pool in the
ledger. Source: EC2 API reference, ReleaseAddress, DescribeAddresses, DescribeAddressesAttribute and
DescribeAddressTransfers; VPC user guide, "Transfer Elastic IP addresses", "Use reverse DNS for Elastic IP addresses".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
)
from finops_operator.plugins.deletion import is_as_approved, is_gone, one_call, removed_at_owner
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.protection import kept, observed_tags, tag_refusals
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.services.ec2.rules.signs import SIGNS

ID: Final = "elastic_ip_release"
_READ: Final = "ec2:DescribeAddresses"
_NAMES: Final = "ec2:DescribeAddressesAttribute"
_TRANSFERS: Final = "ec2:DescribeAddressTransfers"
_GATEWAYS: Final = "ec2:DescribeNatGateways"
_RELEASE: Final = "ec2:ReleaseAddress"
_GONE: Final = "InvalidAllocationID.NotFound"
_AMAZON: Final = "amazon"
_NOT_OFFERED: Final = frozenset({"accepted", "disabled"})
_HOLDING: Final = ("pending", "available", "deleting")
"""States of a NAT gateway that has its addresses."""
_KEPT: Final = ("donotrelease", "donotdelete", "reserved", "allowlist", "whitelist")
"""Further words in tag keys by which people mark an address that others let through."""
_KEEP: Final = "keep"
"""As a whole key alone: `housekeeping` and `bookkeeping` mark nothing."""


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the address and who counts on it.

    Facts: `publicIp`, `pool`, `borderGroup`, `associated`, `reverseName`, `offeredTo` (all texts, empty for none),
    `natGateway`, `serviceManaged`, `customerPool`, `tags`.
    """
    allocation: dict[str, Json] = {"AllocationIds": [target.resource.id]}
    try:
        answer = reader.read(_READ, allocation)
    except AwsRejected as error:
        if error.code == _GONE:
            return Observation(exists=False)
        raise
    found: Sequence[Mapping[str, Any]] = answer.get("Addresses", ())
    if not found:
        return Observation(exists=False)
    facts = _described(found[0])
    if target.full:
        facts |= {
            "reverseName": _reverse_name(reader.read(_NAMES, {**allocation, "Attribute": "domain-name"})),
            "offeredTo": _offered_to(reader.read(_TRANSFERS, allocation)),
            "natGateway": _gateway_of(reader, target.resource.id),
        }
    named = ("publicIp", "pool", "borderGroup", "associated")
    fingerprint = {name: str(facts[name]) for name in named}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _described(address: Mapping[str, Any]) -> dict[str, Json]:
    associated = next((str(address[key]) for key in _ASSOCIATIONS if address.get(key)), "")
    return {
        "publicIp": str(address.get("PublicIp") or ""),
        "pool": str(address.get("PublicIpv4Pool") or ""),
        "borderGroup": str(address.get("NetworkBorderGroup") or ""),
        "customerPool": str(address.get("CustomerOwnedIpv4Pool") or ""),
        "serviceManaged": str(address.get("ServiceManaged") or ""),
        "associated": associated,
        "tags": dict(tags_of(address)),
    }


_ASSOCIATIONS: Final = ("AssociationId", "InstanceId", "NetworkInterfaceId")


def _reverse_name(answer: Mapping[str, Any]) -> str:
    """Return the name of its reverse DNS record, also one that is only being set."""
    for one in answer.get("Addresses", ()):
        name = one.get("PtrRecord") or (one.get("PtrRecordUpdate") or {}).get("Value")
        if name:
            return str(name)
    return ""


def _offered_to(answer: Mapping[str, Any]) -> str:
    """Return the account that may take the address over, empty when nobody may."""
    for one in answer.get("AddressTransfers", ()):
        if one.get("AddressTransferStatus") not in _NOT_OFFERED:
            return str(one.get("TransferAccountId") or "another account")
    return ""


def _gateway_of(reader: Reader, allocation: str) -> str:
    """Return the NAT gateway that has it; one that is being made shows no association yet."""
    answer = reader.read(_GATEWAYS, {"Filter": [{"Name": "state", "Values": list(_HOLDING)}]})
    for gateway in answer.get("NatGateways", ()):
        if any(one.get("AllocationId") == allocation for one in gateway.get("NatGatewayAddresses") or ()):
            return str(gateway.get("NatGatewayId") or "")
    return ""


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The address does not exist any more."),)
    known = observed_tags(observation)
    return (
        *tag_refusals(known, facts, SIGNS, _KEPT),
        *(() if kept(known, _KEPT) else _kept_by_key(known)),
        *_use_refusals(observation),
        *_origin_refusals(observation),
    )


def _kept_by_key(known: Mapping[str, str]) -> tuple[Refusal, ...]:
    marked = any(key.strip().casefold() == _KEEP for key in known)
    return (Refusal("KeptByTag", "One of its tags says that it must be kept."),) if marked else ()


def _use_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("associated"):
        found.append(Refusal("InUse", f"It is associated: {observation.text('associated')}."))
    if observation.text("natGateway"):
        found.append(Refusal("UsedByNatGateway", f"The NAT gateway {observation.text('natGateway')} has it."))
    if observation.text("reverseName"):
        found.append(Refusal("ReverseDnsSet", "A reverse DNS name is set for it, so somebody counts on it."))
    if observation.text("offeredTo"):
        found.append(Refusal("TransferOffered", f"It is offered to {observation.text('offeredTo')}."))
    return found


def _origin_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    pool = observation.text("pool")
    if observation.text("serviceManaged"):
        found.append(Refusal("ManagedByService", f"The service {observation.text('serviceManaged')} manages it."))
    if observation.text("customerPool") or pool not in ("", _AMAZON):
        found.append(Refusal("BroughtAlong", "Its owner brought it along, so it costs nothing."))
    elif not pool:
        found.append(Refusal("PoolUnknown", "AWS did not say whether its owner brought it along."))
    return found


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "It cannot be undone: AWS gives the same address back only while nobody else has it.",
        "We did not check whether a name in DNS, a firewall or a partner refers to it. Whoever gets it next is let in.",
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Release",
        consequence="The address goes back to AWS, and somebody else may get it.",
        downtime="Permanent",
        undo="It cannot be undone. AWS gives the same address back only while nobody else has it.",
        steps={"release": "Release the address"},
        facts=(EvidenceFact("Address", observation.text("publicIp") or "not known"),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    call: dict[str, Json] = {"AllocationId": resource.id}
    group = assumed.get("borderGroup", "")
    if group not in ("", resource.region):
        # Addresses of Local and Wavelength Zones are announced from there, and AWS finds them there.
        call["NetworkBorderGroup"] = group
    return Plan(ID, resource, {}, (PlanStep("release", _RELEASE, call),), dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and not now.text("associated")


def _found(plan: Plan, now: Observation) -> str:
    address = f"The address {now.text('publicIp') or plan.fingerprint.get('publicIp', plan.resource.id)}"
    if not now.exists:
        return f"{address} is released."
    return f"{address} is {'in use' if now.text('associated') else 'on nothing'}."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return {
        "InvalidIPAddress.InUse": "Somebody uses the address meanwhile.",
        "InvalidAddress.Locked": "Its reverse DNS name, or AWS itself, keeps the address.",
    }.get(code, "")


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"elastic-ip"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="allocate the same address again, which AWS allows only while nobody else has it",
    effort=Effort.VERY_LOW,
    permissions=(_RELEASE,),
    read_permissions=(_READ, _NAMES, _TRANSFERS, _GATEWAYS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=is_gone, expected=_unchanged, destroys=True), _found, name="release", refused=_refused
    ),
    statements=on_its_arn,
    rights=Rights(probes={_RELEASE: lambda allocation: {"AllocationId": allocation}}),
    calls=CallRules(repeated=frozenset({_GONE}), dry_run_passed="DryRunOperation"),
    at_owner=removed_at_owner("aws_eip"),
    sample=ActSample(assumed={"publicIp": "198.51.100.7", "pool": _AMAZON, "associated": ""}),
    remaining_cost=lambda _: Decimal(0),
)
