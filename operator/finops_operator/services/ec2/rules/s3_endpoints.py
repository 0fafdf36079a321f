"""Which VPCs reach S3 by a gateway endpoint; asked once a day for an account and region.

Called by the kind for NAT gateways that carry something. Source: EC2 API reference, DescribeVpcEndpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from finops.ports.aws_read import PageReader

S3_ENDPOINTS: Final = "s3-gateway-endpoints"
"""Question of the kind: ids of the VPCs that have a gateway endpoint for S3."""
LIST_ENDPOINTS: Final = "ec2:DescribeVpcEndpoints"
READ: Final = "read"
"""Is in every answer, so that an answer without such a VPC is one."""
_PAGE: Final = 1000


def s3_endpoints(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return region → ids of the VPCs, with `read`.

    Raises:
        AwsError: a page could not be read; half an answer would miss endpoints that are there.
    """
    found = {READ}
    for page in reader.pages(LIST_ENDPOINTS, {"MaxResults": _PAGE}):
        found.update(
            str(one["VpcId"])
            for one in page.get("VpcEndpoints", ())
            if one.get("VpcEndpointType") == "Gateway"
            and str(one.get("ServiceName") or "").endswith(".s3")
            and str(one.get("State") or "").lower() == "available"
        )
    return {reader.region: found}
