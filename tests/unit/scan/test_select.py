"""Selectors: every included key, no excluded one, exact text."""

from __future__ import annotations

import pytest

from finops.crds.scan_policy import Selector
from finops.domain.resource import Resource
from finops_operator.scan.select import selects


def tagged(**tags: str) -> Resource:
    return Resource("ec2-instance", "i-1", "arn", "", "1", "r", "running", tags=tags)


@pytest.mark.parametrize(
    ("tags", "selected"),
    [
        ({}, False),
        ({"env": "prod", "team": "web"}, True),
        ({"env": "prod", "team": "data"}, True),
        ({"env": "prod"}, False),
        ({"env": "Prod", "team": "web"}, False),
        ({"env": "prod", "team": "web", "skip": "yes"}, False),
        ({"env": "prod", "team": "web", "skip": "no"}, True),
    ],
)
def test_all_included_keys_must_match_and_any_excluded_one_outweighs(tags: dict[str, str], selected: bool) -> None:
    selector = Selector(include_tags={"env": ("prod",), "team": ("web", "data")}, exclude_tags={"skip": ("yes",)})
    assert selects(selector, tagged(**tags)) is selected


def test_by_default_everything_counts_but_what_asks_to_be_ignored() -> None:
    ignoring = Resource("ec2-instance", "i-1", "arn", "", "1", "r", "running", tags={"finops.dev/ignore": "true"})
    assert selects(Selector(), tagged())
    assert not selects(Selector(), ignoring)
