"""The account's quotas of running vCPUs in a region, asked once a day where another type may be advised.

Only the limit is asked, not how much of it is in use: by default AWS gives a new account none of some quotas (P, X, F,
high memory), and a type whose quota is smaller than itself can never start. What is in use now is read right before an
act. All quotas of EC2 come on two or three pages, where each alone would be a request. Without the right the quotas are
unknown, which the advice says. Source: Service Quotas API reference, ListServiceQuotas; EC2 user guide, "Amazon EC2
On-Demand Instance quotas".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_read import PageReader
from finops_operator.services.ec2.rules.vcpu_quota import QUOTA_CODES, quota_code

VCPU_LIMITS: Final = "vcpu-limits"
"""Question of instances: how many vCPUs each quota of their region holds."""
LIST_QUOTAS: Final = "servicequotas:ListServiceQuotas"
"""IAM's name of the right; the SDK calls the service service-quotas."""
LIST_QUOTAS_CALL: Final = "service-quotas:ListServiceQuotas"
ALL_QUOTAS: Final[Mapping[str, str]] = {"ServiceCode": "ec2"}
_DENIED: Final = "denied"


def vcpu_limits(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return region → `CODE=LIMIT` of each quota that AWS describes there; where the right is missing, one word.

    Raises:
        AwsError: AWS could not be asked.
    """
    try:
        pages = list(reader.pages(LIST_QUOTAS_CALL, ALL_QUOTAS))
    except AwsDenied:
        return {reader.region: (_DENIED,)}
    except AwsRejected:
        # A partition without the service has no quota that it could name.
        return {reader.region: ()}
    listed = {str(quota.get("QuotaCode")): quota.get("Value") for page in pages for quota in page.get("Quotas", ())}
    found = [f"{code}={int(listed[code])}" for code in QUOTA_CODES if listed.get(code) is not None]
    return {reader.region: found}


@dataclass(frozen=True, slots=True)
class VcpuLimits:
    """What is known of the quotas: code → vCPUs; `denied`: the right to ask is missing."""

    known: Mapping[str, int] = field(default_factory=dict)
    denied: bool = False

    def lacks(self, instance_type: str, vcpus: int) -> bool:
        """Return whether the quota that counts a type is known to be smaller than a single instance of it."""
        limit = self.known.get(quota_code(instance_type))
        return limit is not None and limit < vcpus

    def words(self, instance_type: str) -> str:
        """Return what is known of the quota that counts a type, to be put after its name."""
        limit = self.known.get(quota_code(instance_type))
        if limit is not None:
            return f"of {limit} vCPUs, how many are in use is read before an act"
        return f"whose room is not known{f': allow {LIST_QUOTAS} to the scanner role' if self.denied else ''}"


def limits_of(answer: Iterable[str] | None) -> VcpuLimits:
    """Return what an answer says; None: AWS gave none."""
    words = frozenset(answer or ())
    pairs = (one.partition("=") for one in words if one != _DENIED)
    return VcpuLimits({code: int(limit) for code, _, limit in pairs}, _DENIED in words)
