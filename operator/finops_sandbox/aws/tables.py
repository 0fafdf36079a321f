"""Tables of an estate, and the changes of their mode that AWS counts and moto does not.

Source: DynamoDB developer guide, "Considerations when switching capacity modes": four changes to on-demand mode in 24
hours; changes to provisioned mode at any time, with a capacity. Seeded by the seeding module; the gateway asks for
refusals before moto answers.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.further_specs import TableSpec

PREFIX = "table/"
"""Of a table's name where a resource of any kind is named."""
_ON_DEMAND = "PAY_PER_REQUEST"
_MOST_CHANGES = 4
_WINDOW = timedelta(hours=24)


def _backend(account: str, region: str) -> Any:
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415 - moto loads slowly

    return dynamodb_backends[account][region]


def seed(place: Place, spec: TableSpec) -> None:
    """Put a table with provisioned capacity into moto."""
    names = ["id", *spec.indexes]
    _backend(place.account, place.region).create_table(
        spec.name,
        schema=[{"AttributeName": "id", "KeyType": "HASH"}],
        throughput=_throughput(spec.read, spec.write),
        attr=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        global_indexes=[
            {
                "IndexName": name,
                "KeySchema": [{"AttributeName": name, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ProvisionedThroughput": _throughput(*units),
            }
            for name, units in spec.indexes.items()
        ],
        indexes=None,
        streams=None,
        billing_mode="PROVISIONED",
        sse_specification=None,
        tags=[{"Key": key, "Value": value} for key, value in spec.tags.items()],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )


def _throughput(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def shown(account: str, region: str, name: str) -> dict[str, Any]:
    """State of one table.

    Raises:
        AwsError: there is none of that name.
    """
    table = _named(account, region, name)
    units = table.throughput
    capacity = f"{units['ReadCapacityUnits']}/{units['WriteCapacityUnits']}"
    return {"id": f"{PREFIX}{name}", "kind": "dynamodb-table", "mode": table.billing_mode, "capacity": capacity}


def change(account: str, region: str, name: str, changes: Mapping[str, Any]) -> None:
    """Change a table as a person would: `mode`, `capacity` in read and write units, `delete`."""
    table = _named(account, region, name)
    if "mode" in changes:
        table.billing_mode = str(changes["mode"])
    if "capacity" in changes:
        table.throughput.update(_throughput(*changes["capacity"]))
    if changes.get("delete"):
        _backend(account, region).tables.pop(name)


def _named(account: str, region: str, name: str) -> Any:
    found = _backend(account, region).tables.get(name)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return found


def _refuse_mode(call: Call) -> None:
    name, mode = str(call.parameters.get("TableName")), call.parameters.get("BillingMode")
    table = _named(call.account, call.region, name)
    if mode != _ON_DEMAND:
        if mode and table.billing_mode == _ON_DEMAND and not call.parameters.get("ProvisionedThroughput"):
            message = "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
            raise AwsError("ValidationException", message)
        return
    if call.parameters.get("ProvisionedThroughput"):
        message = "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST"
        raise AwsError("ValidationException", message)
    if table.billing_mode == _ON_DEMAND:
        return
    now = call.estate.clock.now()
    made = call.estate.further.mode_changes.setdefault((call.account, call.region, name), [])
    made[:] = [one for one in made if one > now - _WINDOW]
    if len(made) >= _MOST_CHANGES:
        message = "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 24 hours."
        raise AwsError("LimitExceededException", message)
    made.append(now)


REFUSALS: dict[tuple[str, str], Callable[[Call], None]] = {("dynamodb", "UpdateTable"): _refuse_mode}
"""What is asked before moto answers; raises AwsError for what AWS refuses."""
