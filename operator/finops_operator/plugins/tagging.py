"""Tags of services whose listings leave them out: one paged question of the tagging API, instead of one a resource.

Called by the collectors, and by actions for one resource. The API names only what has or had a tag, so what it does not
name has none; where it cannot be read, nothing is known of any tag, and a check must not judge what may be protected.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.ports.aws_steps import Reader
from finops_operator.plugins.described import gap_of, tags_of

PERMISSION: Final = "tag:GetResources"
OPERATION: Final = "resourcegroupstaggingapi:GetResources"
CALLS: Final = {PERMISSION: OPERATION}
"""IAM names the API otherwise than the SDK; for a kind's `Listing.calls`."""
_PAGE: Final = 100

_ALL_OF_IT: Final = ":*"
"""Ends an ARN that AWS lists together with what the resource holds, such as a log group's with its streams."""

Tags = dict[str, dict[str, str]]


def tags_by_arn(reader: PageReader, resource_type: str) -> Generator[Gap, None, Tags | None]:
    """Yield a Gap when tags cannot be read, and return None then; else ARN → tags of what has any.

    Args:
        reader: of the account and region.
        resource_type: the API's name of the type, such as `sqs` or `ec2:instance`.
    """
    found: Tags = {}
    try:
        for page in reader.pages(OPERATION, {"ResourceTypeFilters": [resource_type], "ResourcesPerPage": _PAGE}):
            for one in page.get("ResourceTagMappingList", ()):
                found[str(one.get("ResourceARN") or "")] = tags_of(one)
    except AwsError as error:
        yield gap_of(error, reader)
        return None
    return found


def tags_of_arn(reader: Reader, arn: str) -> Mapping[str, str]:
    """Return the tags of one resource, read afresh; raises what Reader raises."""
    return tags_of_arns(reader, (arn,))[arn]


def tags_of_arns(reader: Reader, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of each of several resources, read afresh; raises what Reader raises."""
    found: dict[str, dict[str, str]] = {arn: {} for arn in arns}
    for at in range(0, len(arns), _PAGE):
        answer = reader.read(OPERATION, {"ResourceARNList": list(arns[at : at + _PAGE])})
        for one in answer.get("ResourceTagMappingList", ()):
            arn = str(one.get("ResourceARN") or "").removesuffix(_ALL_OF_IT)
            if arn in found:
                found[arn].update(tags_of(one))
    return found
