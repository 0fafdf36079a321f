"""Whether AWS offers a database class for an instance as it is: engine, version, licence, storage, zones, features.

Source: Amazon RDS API reference, DescribeOrderableDBInstanceOptions and OrderableDBInstanceOption. Each option is one
kind of storage of one class; capacity is no part of it, so an offered class may still find none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Refusal

READ_OPTIONS: Final = "rds:DescribeOrderableDBInstanceOptions"
_FEATURES: Final = {
    "StorageEncrypted": ("SupportsStorageEncryption", "encrypted storage"),
    "PerformanceInsightsEnabled": ("SupportsPerformanceInsights", "Performance Insights"),
    "IAMDatabaseAuthenticationEnabled": ("SupportsIAMDatabaseAuthentication", "IAM database authentication"),
    "MultiAZ": ("MultiAZCapable", "a Multi-AZ deployment"),
}
"""What an instance uses → the option's word for it, and ours."""


def read_options(reader: Reader, instance: Mapping[str, Any], wanted: str) -> list[Json]:
    """Return AWS's options of a class for the engine, version and licence of an instance. Raises as the reader."""
    asked = {
        "Engine": str(instance.get("Engine") or ""),
        "EngineVersion": str(instance.get("EngineVersion") or ""),
        "LicenseModel": str(instance.get("LicenseModel") or ""),
        "DBInstanceClass": wanted,
    }
    answer = reader.read(READ_OPTIONS, {name: value for name, value in asked.items() if value})
    return [_option(one) for one in answer.get("OrderableDBInstanceOptions", ())]


def _option(described: Mapping[str, Any]) -> dict[str, Json]:
    zones = sorted(str(one.get("Name")) for one in described.get("AvailabilityZones") or ())
    named = ("StorageType", "MinStorageSize", "MaxStorageSize", *(word for word, _ in _FEATURES.values()))
    return {"zones": [*zones], **{name: described[name] for name in named if name in described}}


def not_offered(options: object, instance: Mapping[str, Any], zones: Sequence[str], wanted: str) -> tuple[Refusal, ...]:
    """Return why AWS does not offer the class for the instance as it is; the first reason of a kind is enough.

    Args:
        options: as `read_options` returned them; anything else: they were not read.
        instance: AWS's description of the instance.
        zones: where it stands, both of a Multi-AZ deployment.
        wanted: the class.
    """
    if not isinstance(options, Sequence):
        return (Refusal("OfferUnknown", f"Whether AWS offers {wanted} was not read."),)
    known = [one for one in options if isinstance(one, Mapping)]
    if not known:
        engine = f"{instance.get('Engine')} {instance.get('EngineVersion') or ''}".strip()
        return (Refusal("ClassNotOffered", f"AWS does not offer {wanted} for {engine} with its licence."),)
    storage = str(instance.get("StorageType") or "")
    fitting = [one for one in known if one.get("StorageType") == storage]
    if not fitting:
        return (Refusal("StorageNotOffered", f"AWS does not offer {wanted} with storage of type {storage}."),)
    return tuple(_reasons(fitting[0], instance, zones, wanted))


def _reasons(
    option: Mapping[str, Any], instance: Mapping[str, Any], zones: Sequence[str], wanted: str
) -> Iterator[Refusal]:
    missing = [zone for zone in zones if zone not in option.get("zones", ())]
    if missing or not zones:
        where = " and ".join(missing) or "its zone, which AWS did not say"
        yield Refusal("ZoneNotOffered", f"AWS does not offer {wanted} in {where}.")
    for used, (word, title) in _FEATURES.items():
        if instance.get(used) is True and option.get(word) is not True:
            yield Refusal("FeatureNotOffered", f"AWS does not offer {wanted} with {title}.")
    size, least, most = (instance.get("AllocatedStorage"), option.get("MinStorageSize"), option.get("MaxStorageSize"))
    if isinstance(size, int) and ((least is not None and size < least) or (most is not None and size > most)):
        yield Refusal("StorageSizeNotOffered", f"AWS does not offer {wanted} with {size} GiB of storage.")
