"""Names beside Slack member ids."""

from __future__ import annotations

import pytest

from finops_web.readings.names import named


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("slackUser U0123", "alice (U0123)"),
        ("slack.U0123", "alice (U0123)"),
        ("slack:T01/U0123", "alice (U0123)"),
        ("slackUser U0999", "slackUser U0999"),
        ("slack.U0999", "slack.U0999"),
        ("slackUserGroup S0123", "slackUserGroup S0123"),
        ("kubernetesUser U0123", "kubernetesUser U0123"),
        ("k8s.U0123", "k8s.U0123"),
        ("k8s.slack.U0123", "k8s.slack.U0123"),
        ("operator", "operator"),
    ],
)
def test_who_is_known_has_a_name_beside_the_id_and_everybody_else_stays_as_written(who: str, shown: str) -> None:
    assert named(who, {"U0123": "alice"}) == shown
