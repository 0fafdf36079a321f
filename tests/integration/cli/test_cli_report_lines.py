"""`finops scan` reads the memory of functions from their logs where the policy wants it, once a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tests.integration.cli.aws_process import account, policy
from tests.integration.cli.conftest import Files, Finops

from finops_sandbox.aws.double import AwsDouble

PER_DAY = 288
"""What a written metric of a fifth in each minute adds up to."""


def measured(name: str) -> list[dict[str, Any]]:
    return [
        {"namespace": "AWS/Lambda", "metric": metric, "dimensions": {"FunctionName": name}, "value": 0.2}
        for metric in ("Invocations", "Duration")
    ]


def function(name: str, used: int, per_day: int = PER_DAY) -> dict[str, Any]:
    return {"name": name, "memory": 1024, "reports": {"perDay": per_day, "used": used}}


FUNCTIONS = [
    function("spacious", 150),
    function("full", 900),
    function("half-logged", 150, PER_DAY // 2),
    function("shared", 150, PER_DAY * 2),
    {"name": "unlogged"},
]
ESTATE: Mapping[str, Any] = {
    "accounts": {"111111111111": {"name": "production", "regions": ["us-east-1"]}},
    "externalId": "finops-sandbox",
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "functions": FUNCTIONS,
            "metrics": [one for each in FUNCTIONS for one in measured(each["name"])],
        }
    ],
}
QUERIES = ("logs:StartQuery", "logs:GetQueryResults", "logs:StopQuery")
Scanned = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE) as double:
        yield double


@pytest.fixture
def double(running_double: AwsDouble, shell: pytest.MonkeyPatch) -> AwsDouble:
    running_double.control.reset()
    for name, value in running_double.environment().items():
        shell.setenv(name, value)
    return running_double


@pytest.fixture
def scanned(double: AwsDouble, finops: Finops, files: Files, valkey_url: str) -> Scanned:
    """Return a function that scans the functions with these settings of `metrics` and returns the report."""

    def scan(code: int = 0, **metrics: Any) -> dict[str, Any]:
        path = files(policy("production", resources=["lambda-function"], metrics=metrics), account("production"))
        ended = finops("scan", "-f", path, "--redis", valkey_url, "-o", "json", "--why")
        assert ended.code == code, ended.err
        report: dict[str, Any] = json.loads(ended.out)
        return report

    return scan


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    """Return function → its new size, or why there is none."""
    check = "lambda_function_memory"
    made = (one for one in report["recommendations"] if one["check"] == check)
    found = {one["resource"]["id"]: f"{one['parameters']['memoryMb']} MB" for one in made}
    found |= {one["resource"]: one["reason"] for one in report["notRecommended"] if one["check"] == check}
    return found


def calls(report: dict[str, Any]) -> tuple[int, ...]:
    return tuple(report["summary"]["apiCalls"].get(one, 0) for one in QUERIES)


def test_a_policy_that_does_not_want_it_reads_no_logs_and_the_memory_is_unknown(scanned: Scanned) -> None:
    report = scanned()
    assert calls(report) == (0, 0, 0)
    assert "memory is unknown (NotPublished)" in verdicts(report)["spacious"]


def test_what_each_day_has_lines_of_decides_and_all_else_stays_unknown(scanned: Scanned) -> None:
    report = scanned(lambdaReportLines=True)
    found = verdicts(report)
    # 150 of 1,024 MB with a fifth kept free are 180 MB, in steps of 64.
    assert found["spacious"] == "192 MB"
    assert "it used up to 87.9 % of its memory" in found["full"]
    assert f"its logs have {PER_DAY // 2} REPORT lines of {PER_DAY} invocations on" in found["half-logged"]
    assert "others write to it" in found["shared"]
    assert "its log group is not there" in found["unlogged"]
    # All in one query, which runs when its answer is asked for first.
    assert calls(report) == (1, 2, 0)
    assert report["gaps"] == []
    (one,) = [one for one in report["recommendations"] if one["resource"]["id"] == "spacious"]
    assert one["evidence"]["memorySource"] == "reportLines"


def test_a_query_is_sent_once_a_day_whatever_it_found(scanned: Scanned) -> None:
    first, second = scanned(lambdaReportLines=True), scanned(lambdaReportLines=True)
    assert (calls(first), calls(second)) == ((1, 2, 0), (0, 0, 0))
    assert verdicts(first) == verdicts(second)


def test_a_policy_that_is_content_with_less_coverage_judges_the_same_answer(scanned: Scanned) -> None:
    assert verdicts(scanned(lambdaReportLines=True, minimumCoveragePercent=50))["half-logged"] == "192 MB"


@pytest.mark.parametrize("operation", ["StartQuery", "GetQueryResults", "DescribeLogGroups"])
def test_a_missing_right_is_a_gap_that_names_it_and_the_memory_stays_unknown(
    scanned: Scanned, double: AwsDouble, operation: str
) -> None:
    double.control.inject({"kind": "deny", "action": operation})
    report = scanned(3, lambdaReportLines=True)
    (gap,) = report["gaps"]
    assert (gap["service"], gap["code"]) == ("logs", "AccessDeniedException")
    assert f"logs:{operation}" in gap["message"]
    assert "memory is unknown" in verdicts(report)["spacious"]
    # What was begun may have been billed: it is stopped, and not begun anew within the day.
    assert calls(report)[2] == (operation == "GetQueryResults")
    double.control.reset()
    again = scanned(3 if operation == "GetQueryResults" else 0, lambdaReportLines=True)
    assert calls(again)[0] == (operation != "GetQueryResults")


def test_a_trial_judges_by_what_is_kept_of_the_logs_and_says_where_nothing_is(
    scanned: Scanned, finops: Finops, files: Files, valkey_url: str
) -> None:
    def tried(**metrics: Any) -> list[str]:
        wanted = policy("production", resources=["lambda-function"], metrics=metrics)
        ended = finops(
            *("policy", "test", "-f", files(wanted, account("production")), "--redis", valkey_url, "-o", "json")
        )
        assert ended.code == 0, ended.err
        check = "lambda_function_memory"
        return [f"{one['resource']['id']} {one['change']}" for one in json.loads(ended.out) if one["check"] == check]

    scanned(lambdaReportLines=True)
    assert tried(lambdaReportLines=True) == ["spacious Same"]
    assert tried() == ["spacious Gone"]
