"""Engine names of DescribeDBInstances, and under which engine and deployment the price tables hold an instance.

A licence is part of the price: Oracle Standard Edition 2 is sold with one or without. What the tables do not hold is
unknown with a reason: RDS Custom, Outposts, other services' engines. The capacity of Aurora's serverless instances has
its price from `serverless`, the hours of a Multi-AZ cluster theirs with the cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

OTHER_SERVICES: Final[Mapping[str, str]] = {"docdb": "Amazon DocumentDB", "neptune": "Amazon Neptune"}
"""Engine → the service whose members RDS's own listing names too."""

SERVERLESS: Final = "db.serverless"
IO_OPTIMIZED: Final = "aurora-iopt1"
SINGLE: Final = "single-az"
MULTI: Final = "multi-az"
READABLE: Final = "multi-az-readable"
"""A Multi-AZ cluster: the price is that of its three instances together."""

_OWN_LICENCE: Final = "bring-your-own-license"
_INCLUDED: Final = "license-included"
_FREE: Final = frozenset({"mysql", "mariadb", "postgres"})
_ALWAYS_OWN: Final = {"oracle-ee": "oracle-ee-byol", "oracle-ee-cdb": "oracle-ee-byol"}
_EITHER: Final = {"oracle-se2": "oracle-se2", "oracle-se2-cdb": "oracle-se2"}
_ALWAYS_INCLUDED: Final = frozenset({"sqlserver-ee", "sqlserver-se", "sqlserver-web", "sqlserver-ex"})
_AURORA: Final = {"aurora": "aurora-mysql", "aurora-mysql": "aurora-mysql", "aurora-postgresql": "aurora-postgresql"}
"""`aurora` alone was the name of Aurora with MySQL 5.6."""


@dataclass(frozen=True, slots=True)
class PricedEngine:
    """Where the tables hold the price of an instance's hours, or why they do not."""

    engine: str = ""
    deployment: str = ""
    reason_unknown: str = ""


def is_aurora(engine: str | None) -> bool:
    """Return whether an instance is a member of an Aurora cluster, whose storage is the cluster's."""
    return engine in _AURORA


def priced_engine(engine: str, licence: str, storage_type: str) -> PricedEngine:
    """Return the tables' name of an engine with its licence; the deployment is left empty."""
    if engine in OTHER_SERVICES:
        return PricedEngine(reason_unknown=f"no price for {OTHER_SERVICES[engine]}")
    if engine in _AURORA:
        suffix = "-iopt" if storage_type == IO_OPTIMIZED else ""
        return PricedEngine(engine=_AURORA[engine] + suffix)
    if engine in _FREE:
        return PricedEngine(engine=engine)
    if engine in _ALWAYS_OWN:
        return PricedEngine(engine=_ALWAYS_OWN[engine])
    if engine in _EITHER:
        return _by_licence(_EITHER[engine], licence)
    if engine in _ALWAYS_INCLUDED:
        if licence not in ("", _INCLUDED):
            return PricedEngine(reason_unknown=f"no price for {engine} with licence model {licence}")
        return PricedEngine(engine=engine)
    return PricedEngine(reason_unknown=f"no price for engine {engine}" if engine else "its engine is not known")


def _by_licence(engine: str, licence: str) -> PricedEngine:
    if licence == _OWN_LICENCE:
        return PricedEngine(engine=f"{engine}-byol")
    if licence == _INCLUDED:
        return PricedEngine(engine=engine)
    return PricedEngine(reason_unknown="its licence model is not known")
