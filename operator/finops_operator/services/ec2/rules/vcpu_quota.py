"""Whether the account's quota of running vCPUs has room for a start; read and judged by the instance acts.

AWS has one quota for several families, counts what runs on demand in the account and region, and publishes the count
every five minutes. Capacity is another matter: AWS has no call that says beforehand whether a zone has room, so a start
that finds none is led back, or tried again, when it happens. Source: EC2 user guide, "Amazon EC2 On-Demand Instance
quotas"; Service Quotas API reference, GetServiceQuota and MetricInfo; CloudWatch user guide, "AWS usage metrics".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Refusal

GET_QUOTA: Final = "servicequotas:GetServiceQuota"
"""IAM's name of the right; the SDK calls the service service-quotas."""
GET_QUOTA_CALL: Final = "service-quotas:GetServiceQuota"
GET_METRICS: Final = "cloudwatch:GetMetricData"
QUOTA_PROBE: Final[Mapping[str, str]] = {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"}
_STANDARD: Final = "L-1216C47A"
_BY_LETTERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), _STANDARD),
    **dict.fromkeys(("g", "gr", "vt"), "L-DB2E81BA"),
    "p": "L-417A185B",
    "f": "L-74FC7D96",
    "x": "L-7295265B",
    "inf": "L-1945791B",
    "trn": "L-2C3B7624",
    "dl": "L-6E869C2A",
    "u": "L-43DA4232",
    "hpc": "L-F7808C92",
}
"""First letters of a type → code of the quota of running on-demand instances that counts it."""
QUOTA_CODES: Final = tuple(sorted(set(_BY_LETTERS.values())))
_LETTERS: Final = re.compile(r"[a-z]+")
_WINDOW: Final = timedelta(hours=1)
_PERIOD_SECONDS: Final = 300


@lru_cache(maxsize=2048)  # asked for each candidate of each resource, of the types that there are
def quota_code(instance_type: str) -> str:
    """Return the code of the quota that counts a type; empty for a family that is not known here."""
    found = _LETTERS.match(instance_type)
    return _BY_LETTERS.get(found.group(), "") if found else ""


def read_quota(reader: Reader, instance_type: str, now: datetime | None) -> dict[str, Json]:
    """Return the quota that counts a type: `code`, `name`, `limit` and `used` in vCPUs, None where AWS does not say.

    Raises:
        AwsError: as the reader; a missing right leaves figures unknown, and `denied` names it.
    """
    code = quota_code(instance_type)
    found: dict[str, Json] = {"code": code, "name": "", "limit": None, "used": None, "denied": ""}
    if not code:
        return found
    try:
        quota = reader.read(GET_QUOTA_CALL, {"ServiceCode": "ec2", "QuotaCode": code}).get("Quota") or {}
    except AwsDenied:
        return {**found, "denied": GET_QUOTA}
    except AwsRejected:
        # Not every partition has every quota.
        return found
    limit = quota.get("Value")
    found |= {"name": str(quota.get("QuotaName") or ""), "limit": None if limit is None else int(limit)}
    try:
        return {**found, "used": _used(reader, quota.get("UsageMetric") or {}, now)}
    except AwsDenied:
        return {**found, "denied": GET_METRICS}


def _used(reader: Reader, metric: Mapping[str, Any], now: datetime | None) -> int | None:
    name, namespace = metric.get("MetricName"), metric.get("MetricNamespace")
    if now is None or not name or not namespace:
        return None
    dimensions = [{"Name": key, "Value": value} for key, value in (metric.get("MetricDimensions") or {}).items()]
    asked = {
        "Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": dimensions},
        "Period": _PERIOD_SECONDS,
        "Stat": "Maximum",
    }
    window = {"StartTime": now - _WINDOW, "EndTime": now, "ScanBy": "TimestampDescending"}
    answer = reader.read(GET_METRICS, {"MetricDataQueries": [{"Id": "used", "MetricStat": asked}], **window})
    values = [value for result in answer.get("MetricDataResults", ()) for value in result.get("Values", ())]
    return int(values[0]) if values else None


def quota_refusals(observation: Observation, own: int, wanted: int | None, *, starts: bool) -> tuple[Refusal, ...]:
    """Return why the quota leaves no room for a type.

    Args:
        observation: with the quota of the type.
        own: vCPUs of this quota that the instance itself uses now, and gives back before it starts.
        wanted: vCPUs of the type; None: not known.
        starts: whether the act starts it. If not, only a quota that has no room for it alone is a reason.
    """
    quota = observation.facts.get("quota")
    if not isinstance(quota, Mapping) or wanted is None:
        return ()
    limit, used = quota.get("limit"), quota.get("used")
    name = f"{quota.get('name') or 'of running on-demand instances'} ({quota.get('code')})"
    others = max(0, used - own) if starts and isinstance(used, int) else 0
    if isinstance(limit, int) and others + wanted > limit:
        taken = f", others use {others} of them" if others else ""
        sentence = f"The quota {name} is {limit} vCPUs{taken}, and it needs {wanted}: ask AWS for a higher quota."
        return (Refusal("QuotaTooSmall", sentence),)
    if not starts or wanted <= own or (isinstance(limit, int) and isinstance(used, int)):
        # It takes no more than it gives back, so an unknown figure is no danger.
        return ()
    denied = quota.get("denied")
    why = f": allow {denied} to the scanner role" if denied else ""
    return (Refusal("QuotaUnknown", f"AWS did not say how much room the quota {name} has{why}."),)


def vcpus(instance_type: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> int | None:
    """Return the vCPUs of a described type, or those that an instance's own CPU options leave of it."""
    if options and options.get("CoreCount") and options.get("ThreadsPerCore"):
        return int(options["CoreCount"]) * int(options["ThreadsPerCore"])
    usual = instance_type.get("VCpuInfo", {}).get("DefaultVCpus")
    return None if usual is None else int(usual)
