"""Elastic IP addresses as AWS keeps and releases them: what moto takes and AWS refuses, and what moto does not know.

Error codes: EC2 API reference, "Error codes", and ReleaseAddress; transfers: VPC user guide, "Transfer Elastic IP
addresses". Seeded by the seeding module; changes by hand come through the control side.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import AddressSpec, Place, resource_id
from finops_sandbox.aws.live_estate import LiveEstate

PREFIX = "eipalloc-"
_OFFER = timedelta(days=7)
"""How long another account may accept a transfer."""


def seed(estate: LiveEstate, place: Place, spec: AddressSpec) -> None:
    """Put an address into moto, with its instance where the estate names one."""
    backend = estate.backend(place.account, place.region)
    new_id = resource_id("address", place.account, place.region, spec.name)
    # A range for documentation (RFC 5737): moto would take the address from 127.0.0.0/8.
    elastic = backend.allocate_address(domain="vpc", address=f"198.51.100.{int(new_id[-2:], 16)}")
    elastic.allocation_id = elastic.id = new_id
    elastic.public_ipv4_pool, elastic.network_border_group = "amazon", place.region
    backend.tags[elastic.id].update({"Name": spec.name, **spec.tags})
    if spec.instance:
        instance_id = resource_id("instance", place.account, place.region, spec.instance)
        instance = estate.instance(place.account, place.region, instance_id)
        backend.associate_address(instance=instance, allocation_id=elastic.allocation_id)


def _address(estate: LiveEstate, account: str, region: str, allocation: str) -> Any:
    """Return moto's address.

    Raises:
        AwsError: InvalidAllocationID.NotFound.
    """
    for one in estate.backend(account, region).addresses:
        if one.allocation_id == allocation:
            return one
    raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{allocation}' does not exist")


def shown(estate: LiveEstate, account: str, region: str, allocation: str) -> dict[str, Any]:
    """State of one address."""
    address, further = _address(estate, account, region, allocation), estate.further
    return {
        "id": allocation,
        "kind": "elastic-ip",
        "publicIp": address.public_ip,
        "instance": address.instance_id,
        "reverseName": further.reverse_names.get(allocation, ""),
        "offeredTo": further.transfers.get(allocation, ""),
        "tags": estate.tags(account, region, allocation),
    }


def change(estate: LiveEstate, account: str, region: str, allocation: str, changes: Mapping[str, Any]) -> None:
    """Change an address as a person would: `instance` (empty: none), `reverseName`, `offeredTo`, `delete`."""
    address, backend = _address(estate, account, region, allocation), estate.backend(account, region)
    if "reverseName" in changes:
        estate.further.reverse_names[allocation] = str(changes["reverseName"])
    if "offeredTo" in changes:
        estate.further.transfers[allocation] = str(changes["offeredTo"])
    if changes.get("instance"):
        instance = estate.instance(account, region, str(changes["instance"]))
        backend.associate_address(instance=instance, allocation_id=allocation, reassociate=True)
    elif "instance" in changes:
        backend.disassociate_address(address=address.public_ip)
    if changes.get("delete"):
        backend.release_address(allocation_id=allocation)


def release_address(call: Call) -> Mapping[str, Any]:
    """In a default VPC AWS takes an address away from its instance; anywhere else it refuses one that is in use."""
    allocation = str(call.parameters.get("AllocationId") or "")
    if not allocation:
        raise AwsError("MissingParameter", "The request must contain the parameter AllocationId")
    address = _address(call.estate, call.account, call.region, allocation)
    group = str(call.parameters.get("NetworkBorderGroup") or call.region)
    if group != getattr(address, "network_border_group", call.region):
        raise AwsError("InvalidAddress.NotFound", f"The address '{address.public_ip}' is not found in '{group}'.")
    if call.estate.further.reverse_names.get(allocation):
        message = f"The address with allocation id {allocation} cannot be released because it is locked."
        raise AwsError("InvalidAddress.Locked", message)
    if address.eni is not None and not _on_instance_of_default_vpc(call, address):
        raise AwsError("InvalidIPAddress.InUse", f"The address '{address.public_ip}' is in use.")
    call.backend.release_address(allocation_id=allocation)
    call.estate.further.transfers.pop(allocation, None)
    return {}


def _on_instance_of_default_vpc(call: Call, address: Any) -> bool:
    if address.instance is None:
        return False
    vpc = call.backend.vpcs.get(address.instance.vpc_id)
    return vpc is not None and vpc.is_default in {True, "true"}


def describe_addresses_attribute(call: Call) -> Mapping[str, Any]:
    """The reverse DNS names of the addresses that are named."""
    wanted = [str(one) for one in call.parameters.get("AllocationIds") or ()]
    found = [_address(call.estate, call.account, call.region, one) for one in wanted] or call.backend.addresses
    names = call.estate.further.reverse_names
    return {
        "Addresses": [
            {
                "PublicIp": one.public_ip,
                "AllocationId": one.allocation_id,
                **({"PtrRecord": names[one.allocation_id]} if names.get(one.allocation_id) else {}),
            }
            for one in found
        ]
    }


def describe_address_transfers(call: Call) -> Mapping[str, Any]:
    """Every address that is offered to another account."""
    wanted = [str(one) for one in call.parameters.get("AllocationIds") or ()]
    expires = (call.estate.clock.now() + _OFFER).replace(microsecond=0)
    return {
        "AddressTransfers": [
            {
                "PublicIp": one.public_ip,
                "AllocationId": one.allocation_id,
                "TransferAccountId": call.estate.further.transfers[one.allocation_id],
                "TransferOfferExpirationTimestamp": expires,
                "AddressTransferStatus": "pending",
            }
            for one in call.backend.addresses
            if call.estate.further.transfers.get(one.allocation_id) and (not wanted or one.allocation_id in wanted)
        ]
    }


HANDLERS: dict[str, Handler] = {
    "ReleaseAddress": release_address,
    "DescribeAddressesAttribute": describe_addresses_attribute,
    "DescribeAddressTransfers": describe_address_transfers,
}
