"""Log groups on moto's servers: a scan lists, tags and prices them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_log_groups_are_listed_with_retention_and_tags_and_a_new_ones_cost_is_not_known(
    aws: AwsDouble, scanned: Scan
) -> None:
    logs = aws.client("logs", role=MAKER)
    for number in range(60):
        logs.create_log_group(logGroupName=f"/app/{number}", tags={"team": f"team-{number}"})
    logs.put_retention_policy(logGroupName="/app/7", retentionInDays=30)
    outcome = scanned("log-group")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one for one in report_of(outcome)["resources"]}
    assert {name: one["tags"] for name, one in found.items()} == {
        f"/app/{number}": {"team": f"team-{number}"} for number in range(60)
    }
    assert found["/app/7"]["attributes"]["retention_days"] == 30
    assert found["/app/8"]["attributes"]["retention_days"] == 0
    # Made a moment ago: no whole day has passed of which anything could be measured.
    assert found["/app/8"]["monthlyCost"] is None
    assert found["/app/8"]["priceMissing"] == ["ingested_gb: incomingBytes of the last 30 days is unknown (TooNew)"]
