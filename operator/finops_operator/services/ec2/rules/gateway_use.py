"""Whether a NAT gateway carried anything lately, read anew right before it is deleted.

Called by the deletion's `observe`. A gateway reports every minute, zeros included, as long as it is available; so hours
without data prove nothing. Source: VPC user guide, "NAT gateway metrics and dimensions".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.ports.aws_steps import Reader

METRICS: Final = "cloudwatch:GetMetricData"
WINDOW: Final = timedelta(days=7)
NONE: Final = "none"
SOME: Final = "some"
UNKNOWN: Final = "unknown"
_HOUR_SECONDS: Final = 3600
_LEAST_ANSWERED: Final = 0.95
"""Of the hours: CloudWatch shows the latest ones a little late."""
_MEASURED: Final = (
    ("ActiveConnectionCount", "Maximum"),
    ("PacketsInFromSource", "Sum"),
    ("PacketsInFromDestination", "Sum"),
)


def use_of(reader: Reader, gateway: str, now: datetime | None) -> str:
    """Return whether it had a connection or a packet within the last week: `none`, `some` or `unknown`."""
    if now is None:
        return UNKNOWN
    end = datetime.fromtimestamp(int(now.timestamp()) // _HOUR_SECONDS * _HOUR_SECONDS, UTC)
    queries = [_query(number, gateway, name, statistic) for number, (name, statistic) in enumerate(_MEASURED)]
    window = {"StartTime": end - WINDOW, "EndTime": now}
    answer = reader.read(METRICS, {"MetricDataQueries": queries, **window})
    values: dict[str, list[float]] = {str(query["Id"]): [] for query in queries}
    words: dict[str, str] = {}
    for result in answer.get("MetricDataResults", ()):
        # Pages follow each other: the word on an id's last page is the one about all of them.
        words[str(result.get("Id"))] = str(result.get("StatusCode"))
        values.setdefault(str(result.get("Id")), []).extend(result.get("Values", ()))
    if any(value > 0 for found in values.values() for value in found):
        return SOME
    least = _LEAST_ANSWERED * (WINDOW / timedelta(seconds=_HOUR_SECONDS))
    answered = all(words.get(one) == "Complete" and len(found) >= least for one, found in values.items())
    return NONE if answered else UNKNOWN


def _query(number: int, gateway: str, name: str, statistic: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/NATGateway",
        "MetricName": name,
        "Dimensions": [{"Name": "NatGatewayId", "Value": gateway}],
    }
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": _HOUR_SECONDS, "Stat": statistic}}
