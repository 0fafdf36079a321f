"""Kinesis streams on moto's servers: a scan lists them with their shards."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_streams_are_listed_with_their_shards(aws: AwsDouble, scanned: Scan) -> None:
    kinesis = aws.client("kinesis", role=MAKER)
    for name in ("events", "clicks"):
        kinesis.create_stream(StreamName=name, ShardCount=2)
    outcome = scanned("kinesis-stream")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert sorted(found) == ["clicks", "events"]
    assert (found["events"]["state"], found["events"]["monthlyCost"]) == ("active", None)
    assert (found["events"]["attributes"]["shards"], found["events"]["attributes"]["retention_hours"]) == (2, 24)
