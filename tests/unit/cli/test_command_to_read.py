"""What a scan names as the next command reads the store that the scan has written, and repeats no address."""

from __future__ import annotations

import pytest

from finops_operator.cli.store_access import command_to_read

SECRET = "redis://:password@store:6379/0"


@pytest.mark.parametrize(
    ("redis", "usual", "command"),
    [
        ("", "", "finops {}"),
        ("", SECRET, "FINOPS_REDIS_URL= finops {}"),
        (SECRET, SECRET, "finops {}"),
        (SECRET, "", "finops {} --redis URL"),
        (SECRET, "redis://other:6379/0", "finops {} --redis URL"),
    ],
)
def test_the_command_names_the_store_only_where_it_is_not_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, redis: str, usual: str, command: str
) -> None:
    monkeypatch.setenv("FINOPS_REDIS_URL", usual)
    assert command_to_read(redis) == command
