"""Queries of logs in the double: they run for a while, count what stands in the lines, and refuse what AWS refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from finops_operator.services.awslambda.rules.report_lines import QUERY
from finops_sandbox.aws.double import AwsDouble

GROUP = "/aws/lambda/logging"
ROLE = "arn:aws:iam::111111111111:role/finops-logs"
ONE_GROUP = {
    "Effect": "Allow",
    "Action": "logs:StartQuery",
    "Resource": f"arn:aws:logs:us-east-1:111111111111:log-group:{GROUP}:*",
}
ANSWERS = {"Effect": "Allow", "Action": ["logs:GetQueryResults", "logs:StopQuery"], "Resource": "*"}
ESTATE: dict[str, Any] = {
    "accounts": {
        "111111111111": {
            "name": "production",
            "regions": ["us-east-1"],
            "roles": {"finops-logs": {"externalId": "", "policies": [{"Statement": [ONE_GROUP, ANSWERS]}]}},
        }
    },
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "functions": [
                {"name": "logging", "memory": 512, "reports": {"perDay": 3, "used": 128, "days": 5}},
                {"name": "private", "reports": {"perDay": 1, "used": 128}},
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE) as running:
        yield running


@pytest.fixture
def logs(double: AwsDouble) -> Any:
    double.control.reset()
    return double.client("logs", role=ROLE)


def start(logs: Any, **changes: Any) -> str:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = {
        "logGroupNames": [GROUP],
        "queryString": QUERY,
        "startTime": int((midnight - timedelta(days=2)).timestamp()),
        "endTime": int(midnight.timestamp()) - 1,
    }
    return str(logs.start_query(**{**asked, **changes})["queryId"])


def test_a_query_runs_at_first_and_then_counts_the_lines_of_each_day(logs: Any) -> None:
    query = start(logs)
    first, second = (logs.get_query_results(queryId=query) for _ in range(2))
    assert (first["status"], first["results"]) == ("Running", [])
    assert second["status"] == "Complete"
    rows = [{one["field"]: one["value"] for one in row} for row in second["results"]]
    assert [(one["@log"], one["lines"], one["most"], one["mean"]) for one in rows] == [
        (f"111111111111:{GROUP}", "3", "25", "25")
    ] * 2
    assert second["statistics"]["recordsScanned"] == 6
    assert second["statistics"]["bytesScanned"] > 600


def test_a_query_that_was_stopped_stays_stopped_and_one_that_ended_cannot_be(logs: Any) -> None:
    stopped, ended = start(logs), start(logs)
    assert logs.stop_query(queryId=stopped)["success"]
    assert logs.get_query_results(queryId=stopped)["status"] == "Cancelled"
    for _ in range(2):
        logs.get_query_results(queryId=ended)
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.stop_query(queryId=ended)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.get_query_results(queryId="nothing")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"logGroupNames": ["/aws/lambda/private"]}, "AccessDeniedException"),
        ({"queryString": "fields @message"}, "MalformedQueryException"),
        ({"endTime": 1_796_000_000_000}, "InvalidParameterException"),
        ({"logGroupNames": [GROUP, GROUP]}, "InvalidParameterException"),
    ],
)
def test_what_aws_refuses_is_refused(logs: Any, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        start(logs, **changes)


def test_a_group_that_is_not_there_fails_the_query_for_all(double: AwsDouble) -> None:
    double.control.reset()
    logs = double.client("logs", role="arn:aws:iam::111111111111:role/finops-scanner", ExternalId="finops-sandbox")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        start(logs, logGroupNames=[GROUP, "/aws/lambda/gone"])
