"""Which approvals a request lacks, in words."""

from __future__ import annotations

import pytest

from finops.domain.channels import still_needed


@pytest.mark.parametrize(
    ("missing", "step_up", "outside", "said"),
    [
        (0, True, False, ""),
        (-1, False, None, ""),
        (1, False, None, "1 more approval"),
        (2, False, False, "2 more approvals"),
        (1, True, True, "1 more approval"),
        (1, True, False, "1 more approval outside Slack"),
        (2, True, False, "2 more approvals, one of them outside Slack"),
        (1, True, None, "1 more approval; one must be given outside Slack"),
    ],
)
def test_what_is_lacking_names_the_channel_only_as_far_as_it_is_known(
    missing: int, step_up: bool, outside: bool | None, said: str
) -> None:
    assert still_needed(missing, step_up=step_up, outside=outside) == said
