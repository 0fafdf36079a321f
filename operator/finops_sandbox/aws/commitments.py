"""Answers about Reserved Instances, capacity reservations and Savings Plans, which moto does not have.

What an estate declares is filtered and paged as AWS does it; a filter that the double does not know is refused.
Sources: EC2 API reference, DescribeReservedInstances and DescribeCapacityReservations; Savings Plans API reference,
DescribeSavingsPlans and DescribeSavingsPlanRates.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_JSON = (("content-type", "application/json"),)
_LARGEST = 1000


# ---------------------------------------------------------------- EC2


def _filtered(call: Call, items: Sequence[dict[str, Any]], members: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the items that all filters of the call let through. Raises AwsError for an unknown one."""
    chosen = list(items)
    for one in call.parameters.get("Filters") or ():
        member = members.get(str(one.get("Name")))
        if member is None:
            raise AwsError("InvalidParameterValue", f"The filter '{one.get('Name')}' is invalid")
        wanted = [str(value) for value in one.get("Values") or ()]
        chosen = [item for item in chosen if str(item.get(member)) in wanted]
    return chosen


def describe_reserved_instances(call: Call) -> Mapping[str, Any]:
    """All at once: AWS has no pages here."""
    held = call.estate.further.commitments.reserved.get((call.account, call.region), [])
    members = {"state": "State", "instance-type": "InstanceType", "scope": "Scope"}
    return {"ReservedInstances": _filtered(call, held, members)}


def describe_capacity_reservations(call: Call) -> Mapping[str, Any]:
    """Page by page, those of other accounts that are shared with this one among them."""
    held = call.estate.further.commitments.capacity.get((call.account, call.region), [])
    chosen = _filtered(call, held, {"state": "State", "instance-type": "InstanceType", "owner-id": "OwnerId"})
    start, size = _page(call.parameters, "NextToken", "MaxResults", "InvalidParameterValue")
    end = start + size
    return {"CapacityReservations": chosen[start:end], "NextToken": str(end) if end < len(chosen) else None}


def _page(parameters: Mapping[str, Any], token: str, size: str, code: str) -> tuple[int, int]:
    given, wanted = str(parameters.get(token) or "0"), int(parameters.get(size) or _LARGEST)
    if not given.isdecimal() or not 1 <= wanted <= _LARGEST:
        raise AwsError(code, f"The value of {token if not given.isdecimal() else size} is not valid")
    return int(given), wanted


# ---------------------------------------------------------------- Savings Plans


def _answer(members: Mapping[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(members).encode())


def _cut(call: Call, member: str, items: Sequence[Any], **beside: Any) -> Answer:
    start, size = _page(call.parameters, "nextToken", "maxResults", "ValidationException")
    end = start + size
    more = {"nextToken": str(end)} if end < len(items) else {}
    return _answer({**beside, member: list(items[start:end]), **more})


def _describe_plans(call: Call) -> Answer:
    if call.parameters.get("filters"):
        raise AwsError("ValidationException", "the AWS double filters Savings Plans by their states alone")
    states = call.parameters.get("states")
    held = [one for one, _, _ in call.estate.further.commitments.plans.get(call.account, [])]
    return _cut(call, "savingsPlans", [one for one in held if not states or one["state"] in states])


def _describe_rates(call: Call) -> Answer:
    wanted = str(call.parameters.get("savingsPlanId"))
    for described, region, rates in call.estate.further.commitments.plans.get(call.account, []):
        if described["savingsPlanId"] == wanted:
            rows = [
                row for row in _rows(described, region, rates) if _passes(row, call.parameters.get("filters") or ())
            ]
            return _cut(call, "searchResults", rows, savingsPlanId=wanted)
    raise AwsError("ResourceNotFoundException", f"Savings plan {wanted} was not found", 404)


def _rows(described: Mapping[str, Any], region: str, rates: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the rates of used and of unused capacity, as AWS lists them side by side."""
    for instance_type, rate in rates.items():
        properties = {
            "region": region,
            "instanceType": instance_type,
            "instanceFamily": instance_type.partition(".")[0],
            "productDescription": "Linux/UNIX",
            "tenancy": "shared",
        }
        for usage in ("BoxUsage", "UnusedBox"):
            yield {
                "rate": rate,
                "currency": described["currency"],
                "unit": "Hrs",
                "productType": "EC2",
                "serviceCode": "AmazonEC2",
                "usageType": f"{usage}:{instance_type}",
                "operation": "RunInstances",
                "properties": [{"name": key, "value": value} for key, value in properties.items()],
            }


def _passes(row: Mapping[str, Any], filters: Sequence[Mapping[str, Any]]) -> bool:
    said = {one["name"]: one["value"] for one in row["properties"]}
    said |= {name: row[name] for name in ("productType", "serviceCode", "usageType", "operation")}
    for one in filters:
        if one.get("name") not in said:
            raise AwsError("ValidationException", f"Unknown filter {one.get('name')}")
        if said[one["name"]] not in (one.get("values") or ()):
            return False
    return True


HANDLERS: dict[str, Handler] = {
    "DescribeReservedInstances": describe_reserved_instances,
    "DescribeCapacityReservations": describe_capacity_reservations,
}
PLAN_HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("savingsplans", "DescribeSavingsPlans"): _describe_plans,
    ("savingsplans", "DescribeSavingsPlanRates"): _describe_rates,
}
