"""The final snapshot of a database: its name, whether it is there, and what it costs at most.

The name follows from the database's identity, so that an executor that died finds the snapshot of its own call, and a
database that was made anew under the old name has another one. Source: RDS API reference, DeleteDBInstance
(constraints of FinalDBSnapshotIdentifier) and DescribeDBSnapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.ports.aws_steps import Reader
from finops_operator.plugins.check import Facts
from finops_operator.services.rds.rules.storage import backup_query

UNKNOWN_COST: Final = "no source has the price of its final snapshot, which AWS bills by what it holds"
"""Why nobody can say what a deletion saves; it saves no more than what the database costs."""
READ_SNAPSHOTS: Final = "rds:DescribeDBSnapshots"
PREFIX: Final = "finops-final-"
_DIGITS: Final = 12


def final_name(database: str, resource_id: str) -> str:
    """Return the name of a database's final snapshot; `resource_id` is AWS's own, which no other database ever has."""
    return f"{PREFIX}{database}-{sha256_hex(resource_id)[:_DIGITS]}"


def read_final_snapshots(reader: Reader, database: str) -> dict[str, Json]:
    """Return name → status of the final snapshots of databases of this name, gone or not. Raises as the reader."""
    answer = reader.read(READ_SNAPSHOTS, {"DBInstanceIdentifier": database, "SnapshotType": "manual"})
    found = ((str(one.get("DBSnapshotIdentifier") or ""), one) for one in answer.get("DBSnapshots", ()))
    return {name: str(one.get("Status") or "") for name, one in found if name.startswith(PREFIX)}


def snapshot_state(observation: Observation, name: str) -> str:
    """Return the status of a final snapshot, empty where AWS shows none."""
    found = observation.facts.get("finalSnapshots")
    return str(found.get(name, "")) if isinstance(found, Mapping) else ""


def final_snapshot_cost(facts: Facts[Any]) -> Decimal | None:
    """Return what a final snapshot costs at most: it holds no more than the storage, and part of it may be free."""
    price = facts.lookup(backup_query(facts.resource.region))
    size = facts.own.allocated_storage_gb
    return None if price is None or size is None else price.amount * size
