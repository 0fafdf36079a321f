"""Where a service is asked: most in each region, some at one place for a whole partition, some in a few regions only.

Called by `clients.py`, so that whoever reads names the region it means and the request reaches an endpoint that exists.
For what has one endpoint in a partition (IAM, Route 53, CloudFront, Cost Explorer, Savings Plans, Organizations) the
SDK's own rules find endpoint and signing region from any region of it. They do not know the services that have an
endpoint of the usual kind in a few regions only, and would send the request to a host that does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import UnknownRegionError

_HOMES: Final[Mapping[str, str]] = {
    "aws": "us-east-1",
    "aws-cn": "cn-northwest-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
}
"""Where a partition keeps what it has once."""
_FEW: Final[Mapping[str, frozenset[str]]] = {
    "bcm-data-exports": frozenset({"us-east-1", "cn-northwest-1"}),
    "cost-optimization-hub": frozenset({"us-east-1"}),
    "cur": frozenset({"us-east-1", "cn-northwest-1"}),
    "pricing": frozenset({"us-east-1", "eu-central-1", "ap-south-1", "cn-northwest-1"}),
    "route53domains": frozenset({"us-east-1"}),
}
"""Regions of services that exist in a few (AWS General Reference, "Service endpoints and quotas")."""
_ONE: Final[Mapping[str, Mapping[str, str]]] = {"globalaccelerator": {"aws": "us-west-2"}}
"""Service → partition → its only region, where that is not the partition's home.

Global Accelerator API reference: "you must specify the US West (Oregon) Region".
"""


def region_that_serves(session: Any, service: str, region: str) -> str:
    """Return the region to make a client in when `service` is asked about `region`; sends nothing.

    Args:
        session: a botocore session, whose list of partitions is asked.
        service: as the SDK names its client.
        region: the region that is meant; for what exists once in a partition any region of it.
    """
    few = _FEW.get(service)
    if service not in _ONE and (few is None or region in few):
        return region
    try:
        return _ONE.get(service, _HOMES).get(session.get_partition_for_region(region), region)
    except UnknownRegionError:
        # The region is newer than the SDK, or wrong: the client says which.
        return region
