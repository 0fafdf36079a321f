"""What was kept of a volume before its deletion, and whether the volume was used since.

Called by the deletion's `observe`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from finops.errors import AwsUnreachable
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import parse_time
from finops_operator.services.ec2.rules.volume_observation import snapshots_of_request

_PERIOD_SECONDS: Final = 300
_LONGEST: Final = timedelta(days=2)
"""Longer than an act waits for its snapshots."""
_BEST_FIRST: Final = ("completed", "pending", "error")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot of a step; no state while AWS shows none, no id either when none is recorded."""

    id: str = ""
    state: str = ""
    started: datetime | None = None


def snapshot_of_step(reader: Reader, target: Target, step: str) -> Snapshot:
    """Return the snapshot that a step of the request made, as AWS shows it."""
    recorded = target.made.get(step, "")
    snapshots = snapshots_of_request(reader, target.resource.id, target.request_uid, step, recorded)
    # While it is not recorded which one is ours, one good snapshot is enough; a failed one beside it does no harm.
    found = ((word, item) for word in _BEST_FIRST for item in snapshots if item.get("State") == word)
    state, best = next(found, ("", {}))
    return Snapshot(str(best.get("SnapshotId", recorded)), state, parse_time(best.get("StartTime")))


def reported_since(reader: Reader, volume_id: str, since: datetime) -> bool:
    """Return whether CloudWatch has any figure of the volume since then: only volumes of running instances report.

    The whole period in which `since` lies counts. An act of minutes lies in one, and its volume does not report when it
    begins: a figure from before `since` turns an act back without need; one that is left out loses what was written.

    Raises:
        AwsUnreachable: CloudWatch did not answer in full; no figure proves nothing then.
    """
    start = datetime.fromtimestamp(int(since.timestamp()) // _PERIOD_SECONDS * _PERIOD_SECONDS, UTC)
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/EBS",
                    "MetricName": name,
                    "Dimensions": [{"Name": "VolumeId", "Value": volume_id}],
                },
                "Period": _PERIOD_SECONDS,
                "Stat": "Sum",
            },
        }
        for number, name in enumerate(("VolumeWriteOps", "VolumeReadOps"))
    ]
    window = {"StartTime": start, "EndTime": start + _LONGEST}
    answer = reader.read("cloudwatch:GetMetricData", {"MetricDataQueries": queries, **window})
    results = answer.get("MetricDataResults", ())
    if any(len(result.get("Values", ())) > 0 for result in results):
        return True
    # Pages follow each other: the word on an id's last page is the one about all of them.
    words = {str(result.get("Id")): str(result.get("StatusCode")) for result in results}
    missing = {str(query["Id"]) for query in queries} - {key for key, word in words.items() if word == "Complete"}
    if missing:
        reasons = ", ".join(sorted(set(words.values()))) or "no answer"
        why = f"CloudWatch does not say whether {volume_id} was used since its first snapshot ({reasons})"
        raise AwsUnreachable(why, operation="cloudwatch:GetMetricData")
    return False
