"""What a check says of a metric that it cannot judge by."""

from __future__ import annotations

import pytest

from finops_operator.plugins.sufficiency import metric_words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cpuPercent", "CPU"),
        ("cpuCreditBalance", "CPU credit balance"),
        ("networkInBytes", "network in bytes"),
        ("incomingBytes", "incoming bytes"),
        ("databaseConnections", "database connections"),
        ("objects", "objects"),
    ],
)
def test_a_metric_is_named_in_words(name: str, words: str) -> None:
    assert metric_words(name) == words
