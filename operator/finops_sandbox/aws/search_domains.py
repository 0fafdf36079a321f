"""OpenSearch domains that the double holds itself: their description and their deletion, which takes time.

Source: OpenSearch Service API reference, DescribeDomain and DeleteDomain: ResourceNotFoundException has status 409, a
deletion is shown as `Deleted` until the domain is gone, and asking for it again changes nothing. Moto deletes at once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldCall, HeldResource, HeldSpec

_KIND = "opensearch-domain"
_NOT_FOUND, _CONFLICT = "ResourceNotFoundException", 409
_AT_ONCE = 5
_SMALL = 170
"""GiB up to which gp3 has 125 MiB/s."""


def _make(account: str, region: str, spec: HeldSpec, _created: datetime) -> HeldResource:
    described: dict[str, Any] = {
        "DomainId": f"{account}/{spec.name}",
        "DomainName": spec.name,
        "ARN": f"arn:aws:es:{region}:{account}:domain/{spec.name}",
        "Created": True,
        "Deleted": False,
        "Processing": False,
        "UpgradeProcessing": False,
        "DomainProcessingStatus": "Active",
        "Endpoint": f"search-{spec.name}-abcdefghijklmnopqrstuvwxyz.{region}.es.amazonaws.com",
        "EngineVersion": "OpenSearch_2.19",
        "ClusterConfig": {
            "InstanceType": "m7g.large.search",
            "InstanceCount": 2,
            "DedicatedMasterEnabled": False,
            "WarmEnabled": False,
            "ColdStorageOptions": {"Enabled": False},
        },
        **spec.members,
        "EBSOptions": _disks(spec.members.get("EBSOptions", {"EBSEnabled": True, "VolumeType": "gp3"})),
    }
    return HeldResource(_KIND, spec.name, described)


def _disks(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the disks of each node; AWS shows how fast gp3 and io1 are, and refuses it for others."""
    if not asked.get("EBSEnabled"):
        return {"EBSEnabled": False}
    disks = {"VolumeSize": 100, **asked}
    given = {"Iops", "Throughput"} & disks.keys()
    if disks.get("VolumeType") != "gp3":
        if "Throughput" in given or ("Iops" in given) != (disks.get("VolumeType") == "io1"):
            raise AwsError("ValidationException", "Throughput and IOPS do not fit the volume type.")
        return disks
    return {"Iops": 3000, "Throughput": 125 if disks["VolumeSize"] <= _SMALL else 250, **disks}


def _names(call: HeldCall) -> dict[str, Any]:
    return {"DomainNames": [{"DomainName": one.name, "EngineType": "OpenSearch"} for one in call.of(_KIND)]}


def _domains(call: HeldCall) -> dict[str, Any]:
    names = call.parameters["DomainNames"]
    if len(names) > _AT_ONCE:
        raise AwsError("ValidationException", f"At most {_AT_ONCE} domains can be described at once.")
    return {"DomainStatusList": [one.described for one in call.of(_KIND) if one.name in names]}


def _domain(call: HeldCall) -> dict[str, Any]:
    return {"DomainStatus": call.find(_KIND, str(call.parameters["DomainName"]), _NOT_FOUND, _CONFLICT).described}


def _delete(call: HeldCall) -> dict[str, Any]:
    one = call.find(_KIND, str(call.parameters["DomainName"]), _NOT_FOUND, _CONFLICT)
    if not one.described["Deleted"]:
        one.described.update(Deleted=True, Processing=True, DomainProcessingStatus="Deleting")
        one.due = (call.clock.now() + timedelta(seconds=call.seconds), lambda _: False)
    return {"DomainStatus": one.described}


FAMILY = Family(
    kinds={_KIND: _make},
    handlers={
        "opensearch:ListDomainNames": _names,
        "opensearch:DescribeDomains": _domains,
        "opensearch:DescribeDomain": _domain,
        "opensearch:DeleteDomain": _delete,
    },
)
