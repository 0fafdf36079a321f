"""Which security groups let somebody in from the internet; asked once a day for an account and region.

Called by the kind for instances with a public address. A range counts as the internet unless all of it is private, and
so does a prefix list, whose ranges are not read. Source: EC2 API reference, DescribeSecurityGroups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any, Final

from finops.ports.aws_read import PageReader

OPEN_GROUPS: Final = "open-groups"
"""Question of the kind: ids of the security groups that let an address of the internet in."""
LIST_GROUPS: Final = "ec2:DescribeSecurityGroups"
READ: Final = "read"
"""Is in every answer, so that an answer without open groups is one."""
_PAGE: Final = 1000


def open_groups(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return region → ids of open groups, with `read`.

    Raises:
        AwsError: a page could not be read; half an answer would close groups that are open.
    """
    found = {READ}
    for page in reader.pages(LIST_GROUPS, {"MaxResults": _PAGE}):
        found.update(
            str(group["GroupId"])
            for group in page.get("SecurityGroups", ())
            if any(_lets_in(rule) for rule in group.get("IpPermissions") or ())
        )
    return {reader.region: found}


def _lets_in(rule: Mapping[str, Any]) -> bool:
    ranges = (str(one.get("CidrIp") or "") for one in rule.get("IpRanges") or ())
    return bool(rule.get("PrefixListIds")) or any(
        not IPv4Network(one, strict=False).is_private for one in ranges if one
    )
