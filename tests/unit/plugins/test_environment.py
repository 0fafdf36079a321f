"""What tags say of an environment: whole words of common keys, and no contradiction."""

from __future__ import annotations

import pytest

from finops_operator.plugins.environment import environment_of


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"Environment": "dev"}, "dev"),
        ({"env": " Test "}, "test"),
        ({"STAGE": "non-production"}, "non-production"),
        ({"env": "dev", "stage": "qa"}, "dev"),
    ],
)
def test_a_common_tag_with_a_whole_word_says_it(tags: dict[str, str], word: str) -> None:
    assert environment_of(tags) == word


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"Environment": "production"},
        {"Environment": "dev-shared-with-production"},
        {"Environment": "staging"},
        {"Environment": ""},
        {"env": "dev", "environment": "prod"},
        {"team": "test"},
    ],
)
def test_anything_else_may_be_production(tags: dict[str, str]) -> None:
    assert environment_of(tags) is None
