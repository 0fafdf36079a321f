"""Questions about single resources: given up after a failure, a gap for each, and what counts as no answer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.judging import Pages

from finops.errors import AwsDenied, AwsError, AwsRejected, AwsThrottled
from finops_operator.plugins.one_by_one import OneByOne

ASKED = "ecr:GetLifecyclePolicy"
OTHER = "ecr:DescribeImages"


def failing(error: type[AwsError], code: str = "AccessDenied") -> Pages:
    return Pages({ASKED: [error("no", operation=ASKED, code=code)], OTHER: [{"page": 1}, {"page": 2}]})


@pytest.mark.parametrize("error", [AwsDenied, AwsThrottled, AwsRejected])
def test_a_question_that_failed_is_not_asked_again_and_is_one_gap(error: type[AwsError]) -> None:
    reader = failing(error)
    asking = OneByOne(reader)
    assert [asking.answer(ASKED, {"name": str(number)}) for number in range(3)] == [None, None, None]
    assert len(reader.asked) == 1
    assert [(gap.service, gap.operation, gap.code) for gap in asking.gaps] == [
        ("ecr", "GetLifecyclePolicy", "AccessDenied")
    ]


def test_refusals_of_single_resources_are_borne_as_often_as_allowed_and_are_one_gap() -> None:
    reader = failing(AwsDenied)
    asking = OneByOne(reader, refusals=2)
    assert [asking.answer(ASKED, {}) for _ in range(4)] == [None] * 4
    assert (len(reader.asked), len(asking.gaps)) == (2, 1)


def test_an_answer_in_between_shows_that_the_right_is_there() -> None:
    denied = AwsDenied("no", operation=ASKED, code="AccessDenied")
    asking = OneByOne(Pages({ASKED: [denied]}), refusals=2)
    granted = Pages({ASKED: [{}]})
    answers = []
    for reader in (asking.reader, granted, asking.reader, granted, asking.reader, asking.reader, granted):
        asking.reader = reader
        answers.append(asking.answer(ASKED, {}))
    assert answers == [None, {}, None, {}, None, None, None]
    assert len(asking.gaps) == 1


def test_a_resource_that_is_gone_meanwhile_is_not_known_and_stops_no_other_question() -> None:
    reader = failing(AwsRejected, "RepositoryNotFoundException")
    asking = OneByOne(reader, gone=frozenset({"RepositoryNotFoundException"}))
    assert [asking.answer(ASKED, {}) for _ in range(2)] == [None, None]
    assert (len(reader.asked), asking.gaps) == (2, [])


def test_another_question_is_asked_all_the_same_and_gives_all_its_pages() -> None:
    asking, pages = OneByOne(failing(AwsDenied)), list[Any]()
    asking.answer(ASKED, {})
    assert asking.each(OTHER, {}, pages.append)
    assert pages == [{"page": 1}, {"page": 2}]


def test_an_error_that_means_that_there_is_nothing_is_an_empty_answer_and_no_gap() -> None:
    asking = OneByOne(failing(AwsRejected, "NotFound"))
    assert asking.answer(ASKED, {}, frozenset({"NotFound"})) == {}
    assert asking.gaps == []
