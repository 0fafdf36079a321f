"""What refers to a health check: records of all zones, checks that are calculated from it, and alarms on its metrics.

Called by the kind, once there is a check. Route 53 lets whoever may delete a check that is in use, so that a reference
that was not found is worse than none: one zone that could not be read leaves all of them unknown. Zones of other
accounts may refer to it as well and are not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from finops_operator.plugins.one_by_one import OneByOne

ZONES: Final = "route53:ListHostedZones"
RECORDS: Final = "route53:ListResourceRecordSets"
ALARMS: Final = "cloudwatch:DescribeAlarmsForMetric"
_ZONES_PAGE: Final = "100"
_RECORDS_PAGE: Final = "300"
_NO_ZONE: Final = frozenset({"NoSuchHostedZone"})
"""It was deleted since it was listed, and its records with it."""
_METRICS: Final = ("HealthCheckStatus", "HealthCheckPercentageHealthy")


def calculated_from(checks: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return id of a check → how many others are calculated from it."""
    return Counter(
        str(child)
        for check in checks
        for child in (check.get("HealthCheckConfig") or {}).get("ChildHealthChecks") or ()
    )


def records(asking: OneByOne) -> Counter[str] | None:
    """Return id of a check → how many records name it, None when a zone could not be read."""
    zones: list[str] = []
    found: Counter[str] = Counter()

    def take_zones(page: Mapping[str, Any]) -> None:
        zones.extend(str(zone["Id"]).rpartition("/")[2] for zone in page.get("HostedZones", ()))

    def take_records(page: Mapping[str, Any]) -> None:
        found.update(
            str(one["HealthCheckId"]) for one in page.get("ResourceRecordSets", ()) if one.get("HealthCheckId")
        )

    if not asking.each(ZONES, {"MaxItems": _ZONES_PAGE}, take_zones):
        return None
    for zone in zones:
        if not asking.each(RECORDS, {"HostedZoneId": zone, "MaxItems": _RECORDS_PAGE}, take_records, _NO_ZONE):
            return None
    return found


def alarms(asking: OneByOne, check: str) -> int | None:
    """Return how many alarms watch a check, None when that is not known."""
    count = 0
    for metric in _METRICS:
        answer = asking.answer(
            ALARMS,
            {
                "Namespace": "AWS/Route53",
                "MetricName": metric,
                "Dimensions": [{"Name": "HealthCheckId", "Value": check}],
            },
        )
        if answer is None:
            return None
        count += len(answer.get("MetricAlarms") or ())
    return count
