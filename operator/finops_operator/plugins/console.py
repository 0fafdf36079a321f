"""Where AWS's console stands: each partition has its own. Called by the kinds, for the link to a resource.

Source: the addresses that the guides of AWS, AWS China, GovCloud (US) and the European Sovereign Cloud give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from finops.domain.resource import Resource

_HOSTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aws": "console.aws.amazon.com",
        "aws-cn": "console.amazonaws.cn",
        "aws-us-gov": "console.amazonaws-us-gov.com",
        "aws-eusc": "console.amazonaws-eusc.eu",
    }
)


def console_page(path: str) -> Callable[[Resource], str]:
    """Return what makes the link to a resource's page.

    Args:
        path: what follows the console's address, with `{region}`, `{account}`, `{id}` and `{arn}` where they belong.
    """

    def url(resource: Resource) -> str:
        """Return the link, empty in a partition whose console is not known."""
        host = _HOSTS.get(partition_of(resource.arn))
        if host is None:
            return ""
        filled = path.format(region=resource.region, account=resource.account, id=resource.id, arn=resource.arn)
        return f"https://{resource.region}.{host}/{filled}"

    return url


def partition_of(arn: str) -> str:
    """Return the partition that an ARN names: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`."""
    return arn.split(":", 2)[1] if arn.startswith("arn:") else "aws"
