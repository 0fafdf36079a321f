"""What a release does not know is refused at `kubectl apply`, by the ids that its running operator keeps."""

from __future__ import annotations

from typing import Any

import pytest
from tests.e2e.documents import account, policy
from tests.e2e.kinds.cluster_api import unique_name
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"checks": [{"id": "ec2_instance_lonely"}]}, "spec.checks: there is no check ec2_instance_lonely"),
        (
            {"actions": {"allowed": ["ec2_instance_explode"]}},
            "spec.actions.allowed: there is no action ec2_instance_explode",
        ),
        ({"resources": ["mainframe"]}, "spec.resources: there is no kind of resource mainframe"),
    ],
)
def test_a_policy_that_names_an_unknown_id_is_refused_with_the_field(
    loop: Loop, spec: dict[str, Any], sentence: str
) -> None:
    said = loop.cluster.try_create(policy(unique_name("unknown"), loop.team, loop.team, **spec)).stderr
    assert sentence in said


def test_an_account_that_grants_an_unknown_action_is_refused(loop: Loop) -> None:
    granted = account(unique_name("unknown"), loop.team)
    granted["spec"]["allow"][0]["actions"] = ["ec2_instance_explode"]
    assert "spec.allow: there is no action ec2_instance_explode" in loop.cluster.try_create(granted).stderr
