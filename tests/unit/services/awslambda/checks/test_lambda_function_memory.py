"""lambda_function_memory: more memory than Lambda Insights ever saw in use, and what says nothing about it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.support.judging import Pages, without
from tests.unit.services.awslambda.functions import DAY, FUNCTIONS, ago, function, invoked, memory

from finops.domain.canonical import Json
from finops_operator.plugins.logged import FROM_LOGS
from finops_operator.services.awslambda.checks.lambda_function_memory import CHECK
from finops_operator.services.awslambda.rules.versions import LIST, PUBLISHED, QUESTION, READ


def test_a_function_that_used_a_fifth_of_its_memory_at_most_gets_a_smaller_size() -> None:
    use = invoked(100_000, memory=memory(10, peak=20))
    found = FUNCTIONS.found(CHECK, function(), use)
    # 20 % of 1,024 MB with a fifth kept free are 246 MB, in steps of 64.
    assert (found.target, found.parameters) == ("256 MB", {"memoryMb": 256})
    assert found.action == "lambda_function_set_memory"
    assert found.new_monthly_cost == FUNCTIONS.cost(function(memory_mb=256), use).unrounded_monthly
    assert found.expectation.startswith("Expected memory about 80 %. The saving is the most that it can be:")


@pytest.mark.parametrize(("milliseconds", "finds"), [(6_000, True), (6_001, False)])
def test_a_function_whose_longest_invocation_could_come_near_its_timeout_keeps_its_memory(
    milliseconds: float, finds: bool
) -> None:
    # A quarter of the memory is a quarter of a processor: 6 s become 24 s, four fifths of its 30 s.
    use = invoked(100, memory=memory(10, peak=20), milliseconds=milliseconds)
    verdict = FUNCTIONS.judged(CHECK, function(), use)
    assert hasattr(verdict, "evidence") is finds
    if not finds:
        assert FUNCTIONS.reason(CHECK, function(), use) == (
            "with 256 MB its longest invocation may take 24.0 s of 30 s"
        )


def test_without_its_longest_invocation_or_its_timeout_nothing_is_said() -> None:
    use = invoked(100, memory=memory(10, peak=20))
    unread = without(use, "longestMilliseconds")
    assert FUNCTIONS.reason(CHECK, function(), unread) == "longest milliseconds is unknown (Throttled)"
    assert FUNCTIONS.reason(CHECK, function(function_timeout_seconds=None), use) == "its timeout is not known"


def test_a_single_day_above_the_limit_breaks_it_and_doubled_use_removes_it() -> None:
    assert FUNCTIONS.reason(CHECK, function(), invoked(100, memory=memory(10, peak=50))) == (
        "it used up to 50 % of its memory, the limit is 50 %"
    )
    FUNCTIONS.found(CHECK, function(), invoked(100, memory=memory(10, peak=49.9)))


def test_memory_that_insights_does_not_measure_is_unknown() -> None:
    unread = without(invoked(100, memory=memory(10)), "memoryPercent", reason="NotPublished")
    assert FUNCTIONS.reason(CHECK, function(), unread) == "memory is unknown (NotPublished)"
    uncounted = without(invoked(100, memory=memory(10)), "invocations")
    assert FUNCTIONS.reason(CHECK, function(), uncounted) == "invocations is unknown (Throttled)"


def test_days_without_a_measurement_are_not_taken_for_little_use() -> None:
    holes = summarize([10.0] * 10, period=DAY, expected=14)
    assert "covers 71.4 %" in FUNCTIONS.reason(CHECK, function(), invoked(100, memory=holes))


@pytest.mark.parametrize(("a_day", "finds"), [(50 / 90, True), (49 / 90, False)])
def test_fewer_than_fifty_invocations_say_nothing(a_day: float, finds: bool) -> None:
    verdict = FUNCTIONS.judged(CHECK, function(), invoked(a_day, memory=memory(10)))
    assert hasattr(verdict, "evidence") is finds


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"memory_mb": 1793}, "above 1792 MB more memory also brings more processors"),
        ({"memory_mb": None}, "its memory is not known"),
        ({"memory_mb": 128}, "no smaller size has room for what it used"),
        ({"last_modified": ago(13)}, "it was changed within the last 14 days"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_cannot_be_smaller_or_be_compared_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert FUNCTIONS.reason(CHECK, function(**changes), invoked(100, memory=memory(10))) == why


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({}, "whether it has published versions is not known"),
        (
            {PUBLISHED: frozenset({READ, function().id})},
            "it has published versions, which keep their memory whatever is set",
        ),
    ],
)
def test_a_function_whose_versions_keep_their_memory_is_left_alone(
    answers: dict[str, frozenset[str]], why: str
) -> None:
    assert replace(FUNCTIONS, answers=answers).reason(CHECK, function(), invoked(100, memory=memory(10))) == why


def test_versions_are_asked_for_where_memory_was_measured_and_is_mostly_free() -> None:
    assert QUESTION.needed(function(), invoked(100, memory=memory(10, peak=79)))
    for use in (invoked(100), invoked(100, memory=memory(10, peak=80))):
        assert not QUESTION.needed(function(), use)


def test_a_version_of_any_page_counts_and_the_unpublished_function_is_none() -> None:
    names = [("a", "$LATEST"), ("b", "$LATEST"), ("b", "7"), ("c", "$LATEST")]
    listed = [{"FunctionName": name, "Version": version} for name, version in names]
    pages = Pages({LIST: [{"Functions": listed[:2]}, {"Functions": listed[2:]}]})
    assert QUESTION.ask(pages) == {"us-east-1": {READ, "b"}}
    assert pages.asked == [(LIST, {"FunctionVersion": "ALL", "MaxItems": 50})]
    assert QUESTION.ask(Pages({LIST: [{"Functions": listed[:2]}]})) == {"us-east-1": {READ}}


def test_a_policy_may_allow_more_use() -> None:
    use = invoked(100, memory=memory(60))
    assert "the limit is 50 %" in FUNCTIONS.reason(CHECK, function(), use)
    assert FUNCTIONS.found(CHECK, function(), use, maximumMemoryPercent=Decimal(70)).target == "768 MB"


def test_memory_from_report_lines_is_named_as_such() -> None:
    use = invoked(100, memory=memory(10, peak=20))
    assert "memorySource" not in FUNCTIONS.found(CHECK, function(), use).evidence
    known = {**FUNCTIONS.answers, FROM_LOGS: frozenset({"memoryPercent"})}
    found = replace(FUNCTIONS, answers=known).found(CHECK, function(), use)
    assert found.evidence["memorySource"] == "reportLines"
    assert ("Memory from", "REPORT lines of its logs, whole days in UTC") in {
        (one.label, one.value) for one in found.facts
    }
