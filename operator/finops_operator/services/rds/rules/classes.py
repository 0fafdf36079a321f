"""What a database class offers: vCPUs, memory, sustained bandwidth to its storage, connections. Pure.

A class has the processors and the memory of the EC2 type whose name it carries: `db.m5.large` those of `m5.large`; a
test compares them with RDS's own table. Classes without such a type (`db.x2g.large`, Oracle's `….tpc2.mem4x`) are not
known here. Bandwidth: "Hardware specifications for DB instance classes" of
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html, which EC2 gives too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops_operator.pricing.instance_types import InstanceType, bundled_catalog

_PREFIX: Final = "db."
_NO_CLASS: Final = "nano"
"""The size that EC2 has and RDS has not."""
_MIB: Final = 1024 * 1024
_FULL: Final = 100.0
_BYTES_A_CONNECTION: Final[Mapping[str, tuple[int, int]]] = {
    "mysql": (12_582_880, 100_000),
    "mariadb": (12_582_880, 100_000),
    "postgres": (9_531_392, 5_000),
    "oracle-ee": (9_868_951, 20_000),
    "oracle-ee-cdb": (9_868_951, 20_000),
    "oracle-se2": (9_868_951, 20_000),
    "oracle-se2-cdb": (9_868_951, 20_000),
}
"""Engine → bytes of memory for each connection that RDS allows by default, and the most of them; others have no limit
that depends on the class. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html"""


def class_type(name: str) -> InstanceType | None:
    """Return the EC2 type behind a class, None where nothing is known of it."""
    return bundled_catalog().get(name.removeprefix(_PREFIX)) if name.startswith(_PREFIX) else None


def class_name(kind: InstanceType) -> str:
    """Return the name of the class that runs on a type."""
    return f"{_PREFIX}{kind.name}"


def smaller_types(current: InstanceType) -> tuple[InstanceType, ...]:
    """Return the sizes of the family with less memory and no more vCPUs, the largest first."""
    sizes = (
        one
        for one in bundled_catalog()
        if one.family == current.family
        and one.memory_mib < current.memory_mib
        and one.vcpus <= current.vcpus
        and one.size != _NO_CLASS
    )
    return tuple(sorted(sizes, key=lambda one: one.memory_mib, reverse=True))


def sustained_vcpus(kind: InstanceType) -> float:
    """Return the vCPUs that a type gives for ever: of a burstable one its baseline, beyond which credits are used."""
    share = _FULL if kind.baseline_percent is None else float(kind.baseline_percent)
    return kind.vcpus * share / _FULL


def allowed_connections(engine: str, kind: InstanceType) -> int | None:
    """Return how many connections RDS allows by default, None where the class does not limit them."""
    if engine not in _BYTES_A_CONNECTION:
        return None
    each, most = _BYTES_A_CONNECTION[engine]
    return min(kind.memory_mib * _MIB // each, most)
