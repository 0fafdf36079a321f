"""MaxResults and NextToken as EC2 has them; the describe handlers cut their lists with this."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finops_sandbox.aws.errors import AwsError

# EC2 API reference, MaxResults of each operation: smallest, largest.
LIMITS = {
    "DescribeInstances": (5, 1000),
    "DescribeInstanceStatus": (5, 1000),
    "DescribeInstanceTypes": (5, 100),
    "DescribeInstanceTypeOfferings": (5, 1000),
    "DescribeInstanceCreditSpecifications": (5, 1000),
    "DescribeVolumes": (5, 1000),
    "DescribeVolumesModifications": (1, 500),
    "DescribeSnapshots": (5, 1000),
}
# Operations that page even when the caller names no MaxResults: page size.
_DEFAULT_PAGE = {"DescribeInstanceTypes": 100, "DescribeInstanceTypeOfferings": 1000}


@dataclass(frozen=True, slots=True)
class Window:
    """The slice of a list that one call asks for; ``size`` None means all of it."""

    action: str
    start: int
    size: int | None

    def token(self, total: int) -> str | None:
        """The NextToken after this window, or nothing at the end."""
        if self.size is None or self.start + self.size >= total:
            return None
        return base64.urlsafe_b64encode(f"{self.action}:{self.start + self.size}".encode()).decode()

    def cut(self, items: Sequence[Any]) -> list[Any]:
        end = None if self.size is None else self.start + self.size
        return list(items[self.start : end])


def window(action: str, parameters: Mapping[str, Any], ids: Sequence[Any] = (), id_set: str = "") -> Window:
    """Read MaxResults and NextToken.

    Raises:
        AwsError: MaxResults out of range or together with ids, or a token that is not ours.
    """
    size = parameters.get("MaxResults")
    if size is not None and ids:
        message = f"The parameter {id_set} cannot be used with the parameter maxResults"
        raise AwsError("InvalidParameterCombination", message)
    smallest, largest = LIMITS[action]
    if size is not None and not smallest <= size <= largest:
        message = (
            f"Value ( {size} ) for parameter maxResults is invalid. Expecting a value between {smallest} and {largest}."
        )
        raise AwsError("InvalidParameterValue", message)
    if size is None and not ids:
        size = _DEFAULT_PAGE.get(action)
    return Window(action, _offset(action, parameters.get("NextToken")), size)


def _offset(action: str, token: Any) -> int:
    if not token:
        return 0
    try:
        name, _, offset = base64.urlsafe_b64decode(str(token)).decode().partition(":")
        if name == action:
            return int(offset)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise AwsError("InvalidParameterValue", "Unable to parse pagination token")
