"""Delete a NAT gateway that no route table uses and that carries nothing. Its addresses stay and are billed.

AWS deletes a gateway that is in use all the same and leaves its routes behind without a target, so both are read anew
right before the call: the routes that name it, and its connections and packets of the last week. Missing figures prove
nothing. Another gateway can be made in the same subnet with the same Elastic IP addresses: the plan keeps both in the
ledger. Its id is another one, and whatever names the old id has to be changed.
Source: EC2 API reference, DeleteNatGateway; VPC user guide, "Work with NAT gateways".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
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
    nothing_remains,
)
from finops_operator.plugins.deletion import is_as_approved, one_call, removed_at_owner
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.protection import observed_tags, tag_refusals
from finops_operator.plugins.recent_use import METRICS, NONE, SOME, WINDOW
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.services.ec2.nat_gateway import AVAILABLE
from finops_operator.services.ec2.rules.gateway_use import use_of
from finops_operator.services.ec2.rules.signs import SIGNS

ID: Final = "nat_gateway_delete"
_READ: Final = "ec2:DescribeNatGateways"
_ROUTES: Final = "ec2:DescribeRouteTables"
_DELETE: Final = "ec2:DeleteNatGateway"
_ZONAL: Final = "zonal"
_GONE: Final = frozenset({"deleted", "failed"})
_ON_ITS_WAY: Final = "deleting"
_KEPT: Final = ("donotdelete",)
_DELETED_SECONDS: Final = 3600.0
"""How long a deletion may take before a person is called; it takes minutes as a rule."""
_ASSUMED: Final = ("state", "vpcId", "subnetId", "connectivity", "addresses", "createTime")


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the gateway, the route tables that name it, and what it carried in the last week.

    Facts: `state`, `vpcId`, `subnetId`, `connectivity`, `availability`, `createTime`, `routeTables` (ids, joined),
    `addresses` (allocations, joined), `publicIps` (joined), `use` (`none`, `some` or `unknown`), `tags`.
    """
    named = [{"Name": "nat-gateway-id", "Values": [target.resource.id]}]
    found: Sequence[Mapping[str, Any]] = reader.read(_READ, {"Filter": named}).get("NatGateways", ())
    if not found or found[0].get("State") in _GONE:
        return Observation(exists=False)
    facts = _described(found[0])
    if target.full:
        facts |= {
            "routeTables": _route_tables(reader, target.resource.id),
            "use": use_of(reader, target.resource.id, target.now),
        }
    fingerprint = {name: str(facts[name]) for name in _ASSUMED}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _described(gateway: Mapping[str, Any]) -> dict[str, Json]:
    addresses = gateway.get("NatGatewayAddresses") or ()
    return {
        "state": str(gateway.get("State") or ""),
        "vpcId": str(gateway.get("VpcId") or ""),
        "subnetId": str(gateway.get("SubnetId") or ""),
        "connectivity": str(gateway.get("ConnectivityType") or ""),
        # Before regional gateways came, AWS did not say it, and all of them were zonal.
        "availability": str(gateway.get("AvailabilityMode") or _ZONAL),
        "createTime": str(gateway.get("CreateTime") or ""),
        "addresses": _joined(str(one["AllocationId"]) for one in addresses if one.get("AllocationId")),
        "publicIps": _joined(str(one["PublicIp"]) for one in addresses if one.get("PublicIp")),
        "tags": dict(tags_of(gateway)),
    }


def _joined(texts: Any) -> str:
    return ", ".join(sorted(texts))


def _route_tables(reader: Reader, gateway: str) -> str:
    answer = reader.read(_ROUTES, {"Filters": [{"Name": "route.nat-gateway-id", "Values": [gateway]}]})
    return _joined(str(table.get("RouteTableId") or "") for table in answer.get("RouteTables", ()))


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The NAT gateway does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, SIGNS, _KEPT),
        *_use_refusals(observation),
    )


def _use_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") != AVAILABLE:
        found.append(Refusal("NotAvailable", f"It is {observation.text('state') or 'in an unknown state'}."))
    if observation.text("availability") != _ZONAL:
        found.append(Refusal("Regional", "A regional gateway reports by zone, so its use is not known."))
    if observation.text("routeTables"):
        found.append(Refusal("UsedByRoute", f"Route tables send traffic to it: {observation.text('routeTables')}."))
    if observation.text("use") == SOME:
        found.append(Refusal("InUse", f"It had connections or packets within the last {WINDOW.days} days."))
    elif observation.text("use") != NONE:
        why = f"CloudWatch does not show for all of the last {WINDOW.days} days that it carried nothing."
        found.append(Refusal("UseUnknown", why))
    return found


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    addresses = observation.text("publicIps")
    stay = (f"Its addresses ({addresses}) stay in the account and are billed as before.",)
    return (
        "A gateway kept for the failure of another zone is idle on purpose. We did not check whether this one is.",
        *(stay if addresses else ()),
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence="The gateway is deleted. No route table uses it, and its addresses stay in the account.",
        downtime="Permanent",
        undo="It cannot be undone. Another gateway can be made in the same subnet with the same addresses.",
        steps={"delete": "Delete the NAT gateway"},
        facts=(EvidenceFact("Addresses that stay", observation.text("publicIps") or "none"),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    return Plan(ID, resource, {}, (PlanStep("delete", _DELETE, {"NatGatewayId": resource.id}),), dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and now.text("state") == AVAILABLE


def _going(_plan: Plan, now: Observation) -> bool:
    return not now.exists or now.text("state") == _ON_ITS_WAY


def _found(plan: Plan, now: Observation) -> str:
    if now.exists:
        return f"The NAT gateway is {now.text('state')}."
    addresses = plan.fingerprint.get("addresses", "")
    return (
        f"The NAT gateway is deleted; its addresses ({addresses}) stay and are billed."
        if addresses
        else "The NAT gateway is deleted."
    )


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"nat-gateway"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="make another gateway in the same subnet with the same addresses; it has another id",
    effort=Effort.LOW,
    permissions=(_DELETE,),
    read_permissions=(_READ, _ROUTES, METRICS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=_going, expected=_unchanged, destroys=True), _found, gone_seconds=_DELETED_SECONDS
    ),
    statements=on_its_arn,
    rights=Rights(probes={_DELETE: lambda gateway: {"NatGatewayId": gateway}}),
    calls=CallRules(repeated=frozenset({"NatGatewayNotFound"}), dry_run_passed="DryRunOperation"),
    at_owner=removed_at_owner("aws_nat_gateway"),
    remaining_cost=nothing_remains,
    sample=ActSample(assumed={"state": AVAILABLE, "subnetId": "subnet-0123456789abcdef0"}),
)
