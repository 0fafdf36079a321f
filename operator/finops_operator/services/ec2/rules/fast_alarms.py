"""Which instances an alarm watches more often than every five minutes; asked once a day for an account and region.

Called by the kind for instances with detailed monitoring, the only ones that report so often. An alarm that names no
instance, because it adds up several or finds them by a query, may need the figures of any.
Source: CloudWatch API reference, DescribeAlarms; EC2 user guide, "Enable or turn off detailed monitoring".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from finops.ports.aws_read import PageReader

FAST_ALARMS: Final = "fast-alarms"
"""Question of the kind: ids of the instances that an alarm watches with a period below five minutes."""
LIST_ALARMS: Final = "cloudwatch:DescribeAlarms"
READ: Final = "read"
"""Is in every answer, so that an answer without instances is one."""
ANY: Final = "any"
"""Stands for instances that an alarm does not name."""
_PAGE: Final = 100
_NAMESPACE: Final = "AWS/EC2"
_BASIC_SECONDS: Final = 300


def fast_alarms(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return region → ids of instances, with `read`, and `any` where an alarm names none.

    Raises:
        AwsError: a page could not be read; half an answer would call monitoring unused that is used.
    """
    found = {READ}
    for page in reader.pages(LIST_ALARMS, {"AlarmTypes": ["MetricAlarm"], "MaxRecords": _PAGE}):
        for alarm in page.get("MetricAlarms", ()):
            found.update(_watched(alarm))
    return {reader.region: found}


def _watched(alarm: Mapping[str, Any]) -> Iterator[str]:
    yield from _of_metric(alarm, alarm.get("Period"))
    for query in alarm.get("Metrics") or ():
        measured = query.get("MetricStat") or {}
        yield from _of_metric(measured.get("Metric") or {}, measured.get("Period") or query.get("Period"))
        if _NAMESPACE in str(query.get("Expression") or ""):
            yield ANY


def _of_metric(metric: Mapping[str, Any], period: Any) -> Iterator[str]:
    if metric.get("Namespace") != _NAMESPACE or not period:
        return
    dimensions = {str(one.get("Name")): str(one.get("Value")) for one in metric.get("Dimensions") or ()}
    instance = dimensions.get("InstanceId")
    if instance is None:
        # Sums over a type, an image or a group hold only what reports every minute, whatever the alarm's period.
        yield ANY
    elif int(period) < _BASIC_SECONDS:
        yield instance
