"""NAT gateways of an estate, with what they carry and how AWS deletes them: in minutes, and whatever routes name them.

Sources: EC2 API reference, DeleteNatGateway; VPC user guide, "Work with NAT gateways". Seeded by the seeding module;
transitions let deletions end; the metrics come from the catalog.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import NatGatewaySpec, Place, resource_id
from finops_sandbox.aws.live_estate import LiveEstate

PREFIX = "nat-"
_GOING = ("deleting", "deleted")


def seed(estate: LiveEstate, place: Place, spec: NatGatewaySpec) -> None:
    """Put a gateway with an address of its own into moto's default network; no route table names it."""
    backend = estate.backend(place.account, place.region)
    new_id = resource_id("nat-gateway", place.account, place.region, spec.name)
    # A range for documentation (RFC 5737), as the addresses of an estate.
    elastic = backend.allocate_address(domain="vpc", address=f"203.0.113.{int(new_id[-2:], 16)}")
    elastic.public_ipv4_pool, elastic.network_border_group = "amazon", place.region
    subnet = backend.get_default_subnets()[f"{place.region}a"]
    gateway = backend.create_nat_gateway(subnet.id, elastic.allocation_id, tags={"Name": spec.name, **spec.tags})
    backend.nat_gateways[new_id] = backend.nat_gateways.pop(gateway.id)
    backend.tags[new_id] = backend.tags.pop(gateway.id)
    gateway.id = new_id
    gateway._created_at = naive_utc(estate.clock.now().replace(microsecond=0) - spec.age)  # noqa: SLF001 - no setter
    estate.further.gateway_traffic[new_id] = spec.traffic


def _gateway(estate: LiveEstate, account: str, region: str, gateway_id: str) -> Any:
    """Return moto's gateway.

    Raises:
        AwsError: NatGatewayNotFound.
    """
    gateway = estate.backend(account, region).nat_gateways.get(gateway_id)
    if gateway is None:
        raise AwsError("NatGatewayNotFound", f"NatGateway {gateway_id} was not found")
    return gateway


def _routes(backend: Any, gateway_id: str) -> list[str]:
    tables = backend.route_tables.values()
    return [table.id for table in tables if any(one.nat_gateway_id == gateway_id for one in table.routes)]


def shown(estate: LiveEstate, account: str, region: str, gateway_id: str) -> dict[str, Any]:
    """State of one gateway."""
    gateway = _gateway(estate, account, region, gateway_id)
    return {
        "id": gateway_id,
        "kind": "nat-gateway",
        "state": gateway.state,
        "traffic": estate.further.gateway_traffic.get(gateway_id, "zero"),
        "routeTables": _routes(estate.backend(account, region), gateway_id),
        "tags": estate.tags(account, region, gateway_id),
    }


def change(estate: LiveEstate, account: str, region: str, gateway_id: str, changes: Mapping[str, Any]) -> None:
    """Change a gateway past every rule: `route` to it, `traffic` (a shape), `delete`, or a `state`, which stays."""
    gateway, backend = _gateway(estate, account, region, gateway_id), estate.backend(account, region)
    if changes.get("route"):
        table = backend.create_route_table(vpc_id=gateway.vpc_id, tags=[])
        backend.create_route(table.id, "0.0.0.0/0", nat_gateway_id=gateway_id)
    if "traffic" in changes:
        estate.further.gateway_traffic[gateway_id] = str(changes["traffic"])
    if "state" in changes:
        gateway.state = str(changes["state"])
        estate.further.gateways_due.pop((account, region, gateway_id), None)
    if changes.get("delete"):
        _delete(estate, backend, gateway)


def delete_nat_gateway(call: Call) -> Mapping[str, Any]:
    """AWS asks for no routes and no traffic; a gateway that is going may be deleted again."""
    gateway_id = str(call.parameters.get("NatGatewayId") or "")
    gateway = _gateway(call.estate, call.account, call.region, gateway_id)
    if gateway.state not in _GOING:
        gateway.state = "deleting"
        delay = timedelta(seconds=call.estate.delays.state_seconds)
        call.estate.further.gateways_due[call.account, call.region, gateway_id] = call.estate.clock.now() + delay
    return {"NatGatewayId": gateway_id}


def settle(estate: LiveEstate, account: str, region: str) -> None:
    """Let the deletions that are due end; the addresses stay in the account, on nothing."""
    for key, due in list(estate.further.gateways_due.items()):
        if key[:2] == (account, region) and due <= estate.clock.now():
            del estate.further.gateways_due[key]
            backend = estate.backend(account, region)
            _delete(estate, backend, backend.nat_gateways[key[2]])


def _delete(estate: LiveEstate, backend: Any, gateway: Any) -> None:
    gateway.state = "deleted"
    estate.further.gateway_traffic.pop(gateway.id, None)
    for address in gateway.address_set:
        held = [one for one in backend.addresses if one.allocation_id == address.get("allocationId")]
        for one in held:
            backend.disassociate_address(address=one.public_ip)


HANDLERS: dict[str, Handler] = {"DeleteNatGateway": delete_nat_gateway}
