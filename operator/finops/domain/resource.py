"""Inventory values: one AWS thing, and what a scan could not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from finops.domain.canonical import Json

IGNORE_TAG: Final = "finops.dev/ignore"
PROTECTED_TAG: Final = "finops.dev/protected"


@dataclass(frozen=True, slots=True)
class Shard:
    """The unit of discovery: one kind of resource in one region of one account."""

    account: str
    region: str
    kind: str

    def __str__(self) -> str:
        return f"{self.account}:{self.region}:{self.kind}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One AWS thing as a scan saw it.

    Attributes:
        kind: resource kind id with hyphens, e.g. `ec2-instance`.
        id: AWS's own id (`i-…`, `vol-…`).
        arn: full ARN.
        name: the Name tag, untrusted text, empty when absent.
        account: 12 digits.
        region: region code.
        state: AWS's own state word.
        tags: all tags, untrusted text.
        created: launch or creation time; None when AWS did not say.
        attributes: the kind's own facts, JSON values only, names as in the HTTP API (`instance_type`, `size_gb`).
    """

    kind: str
    id: str
    arn: str
    name: str
    account: str
    region: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    attributes: Mapping[str, Json] = field(default_factory=dict)

    @property
    def shard(self) -> Shard:
        return Shard(self.account, self.region, self.kind)

    def text(self, attribute: str) -> str:
        """Return a textual attribute, empty when absent."""
        value = self.attributes.get(attribute)
        return value if isinstance(value, str) else ""

    def number(self, attribute: str) -> int | None:
        """Return an integer attribute, None when absent."""
        value = self.attributes.get(attribute)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


PRICES: Final = "pricing"
"""The service of a gap that hides a price and no resource."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be seen. Never zero, never idle, always shown.

    Attributes:
        account: 12 digits, or the account object's name when the identity itself failed; for what the cluster keeps
            from a reader, the namespace.
        region: region code, or empty when the whole account is meant.
        service: AWS service prefix (`ec2`, `cloudwatch`, `sts`), or `kubernetes`.
        operation: AWS operation (`DescribeInstances`).
        code: AWS's error code, or our own (`PartialPages`, `MetricsIncomplete`).
        message: one sentence for people.
        resources: how many resources are affected, None when that is unknown too.
    """

    account: str
    region: str
    service: str
    operation: str
    code: str
    message: str
    resources: int | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """Return the gap as reports, the command line and the dashboard spell it."""
        return {
            "account": self.account,
            "region": self.region,
            "service": self.service,
            "operation": self.operation,
            "code": self.code,
            "message": self.message,
            "resources": self.resources,
        }
