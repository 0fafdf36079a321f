"""What a release does not know is refused at `kubectl apply`, by the ids that its running operator keeps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.e2e.cluster import Object, wait_until
from tests.e2e.cluster_api import unique_name
from tests.e2e.documents import account, policy
from tests.e2e.loop.world import Loop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True, scope="module")
def known(loop: Loop) -> None:
    """Until the operator has written what it knows, nothing is refused for its id."""
    name, namespace = f"{loop.release.full_name}-known-ids", loop.release.namespace
    unknown = account(unique_name("unknown"), loop.team)
    unknown["spec"]["allow"][0]["actions"] = ["ec2_instance_explode"]

    def written() -> Object:
        return loop.cluster.get("configmaps", name, namespace)

    def is_refused() -> bool:
        tried = loop.cluster.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(unknown))
        return "there is no action" in tried.stderr

    wait_until("the operator has written the ids that it knows", lambda: written().get("data"), seconds=120)
    if not _eventually(is_refused):
        # Kubernetes stops reading ConfigMaps for admission policies for ever once the last policy with such a parameter
        # is gone (kubernetes/kubernetes#130887), as when releases before this one were removed. A restart ends that.
        loop.cluster.restart_api_server()
        wait_until("an unknown action is refused", is_refused, seconds=60)


def _eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"checks": [{"id": "ec2_instance_lonely"}]}, "spec.checks: there is no check ec2_instance_lonely"),
        (
            {"actions": {"allowed": ["ec2_instance_explode"]}},
            "spec.actions.allowed: there is no action ec2_instance_explode",
        ),
        ({"resources": ["mainframe"]}, "spec.resources: there is no kind of resource mainframe"),
        (
            {"customChecks": [{"id": "our_rule", "kind": "mainframe", "when": "true", "message": "It is old."}]},
            "spec.customChecks: there is no kind of resource mainframe",
        ),
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
