"""ecr_repository_untagged_images: many old images without a tag, and those that are few, young or parts of others."""

from __future__ import annotations

import pytest
from tests.unit.services.ecr.repositories import REPOSITORIES, ago, repository

from finops.domain.canonical import Json
from finops_operator.services.ecr.checks.ecr_repository_untagged_images import CHECK


def test_many_old_images_without_a_tag_are_found_and_their_saving_is_unknown() -> None:
    one = REPOSITORIES.found(CHECK, repository())
    assert (one.action, one.new_monthly_cost) == ("", None)
    assert (one.evidence["untaggedImages"], one.evidence["oldestUntaggedDays"]) == (12, 200)


def test_one_image_or_one_day_less_than_the_limit_breaks_it() -> None:
    REPOSITORIES.found(CHECK, repository(untagged_images=10, oldest_untagged=ago(30)))
    assert REPOSITORIES.reason(CHECK, repository(untagged_images=9)) == "9 images have no tag, 10 are needed"
    young = repository(oldest_untagged=ago(29))
    assert REPOSITORIES.reason(CHECK, young) == "the oldest is 29 days old, 30 are needed"


def test_parts_of_images_for_several_platforms_are_no_waste() -> None:
    parts = repository(multi_platform_images=1)
    assert REPOSITORIES.reason(CHECK, parts) == "it holds images for several platforms, whose parts have no tag"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"images": None}, "its images could not be read"),
        ({"oldest_untagged": None}, "when the oldest of them was pushed is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_is_not_known_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert REPOSITORIES.reason(CHECK, repository(**changes)) == why
