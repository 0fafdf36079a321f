"""An installation that finds requests older than itself starts frozen and says how to lift it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from kubernetes import client
from tests.support.operator_parts import Parts

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State
from finops.k8s.deployment import OwnDeployment
from finops_operator.cluster.freeze import Freeze

NAME = "new-freeze"


@pytest.fixture
def freeze(parts: Parts) -> Iterator[Freeze]:
    core = client.CoreV1Api(parts.connection.api)
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=NAME)))
    yield Freeze(parts.maps, NAME)
    core.delete_namespaced_config_map(NAME, "default")


def _aged(request: ActionRequest, age: timedelta) -> ActionRequest:
    made = request.metadata.creation_timestamp
    assert made is not None
    return request.model_copy(
        update={"metadata": request.metadata.model_copy(update={"creation_timestamp": made - age})}
    )


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED, State.SCHEDULED])
def test_an_older_request_that_may_still_be_carried_out_freezes_a_new_installation(
    parts: Parts, freeze: Freeze, state: State
) -> None:
    """An installation that finds older requests starts frozen and says how to lift the freeze."""
    made = _aged(parts.propose(1, None if state is State.PENDING else state), timedelta(hours=1))

    freeze.begin([made], "")

    assert "kubectl patch configmap new-freeze" in freeze.reason()
    assert "1 request older" in freeze.reason()
    parts.maps.write(NAME, {"frozen": "false", "reason": ""})
    freeze.begin([made], "")
    assert freeze.reason() == ""


def test_younger_and_finished_requests_freeze_nothing(parts: Parts, freeze: Freeze) -> None:
    younger = _aged(parts.propose(1), timedelta(hours=-1))
    finished = _aged(parts.propose(2, State.DENIED), timedelta(hours=1))

    freeze.begin([younger, finished], "")

    assert freeze.reason() == ""


def test_a_switch_that_somebody_has_set_is_left_as_it_is(parts: Parts, freeze: Freeze) -> None:
    parts.maps.write(NAME, {"frozen": "true", "reason": "release day"})
    freeze.begin([_aged(parts.propose(1), timedelta(hours=1))], "")
    assert freeze.reason() == "release day"


def test_a_release_that_is_installed_again_with_open_requests_starts_frozen_though_the_switch_was_kept(
    parts: Parts, freeze: Freeze
) -> None:
    """The chart keeps the switch: its age says nothing, the installation that it names does."""
    parts.maps.write(NAME, {"frozen": "false", "reason": ""})
    freeze.begin([], "first")
    made = _aged(parts.propose(1), timedelta(hours=-1))
    freeze.begin([made], "first")
    assert freeze.reason() == "", "a restart and an upgrade keep the Deployment"

    freeze.begin([made], "second")

    assert "This installation is new and found 1 request older than it" in freeze.reason()
    parts.maps.write(NAME, {"frozen": "false", "reason": ""})
    freeze.begin([made], "second")
    assert freeze.reason() == "", "whoever has checked the requests is not asked again"


def test_a_new_installation_without_open_requests_begins_at_once(parts: Parts, freeze: Freeze) -> None:
    freeze.begin([], "first")
    freeze.begin([parts.propose(1, State.DENIED)], "second")
    assert freeze.reason() == ""


def test_an_upgrade_from_a_release_that_named_no_installation_freezes_nothing(parts: Parts, freeze: Freeze) -> None:
    younger = _aged(parts.propose(1), timedelta(hours=-1))
    freeze.begin([younger], "first")
    freeze.begin([younger], "first")
    assert freeze.reason() == ""


def test_a_freeze_that_outlived_the_release_keeps_its_reason(parts: Parts, freeze: Freeze) -> None:
    freeze.begin([], "first")
    parts.maps.write(NAME, {"frozen": "true", "reason": "release day"})
    freeze.begin([parts.propose(1)], "second")
    assert freeze.reason() == "release day"


def test_the_installation_is_the_operators_own_deployment(parts: Parts) -> None:
    own = OwnDeployment(parts.connection, "default", "no-such-release")
    assert own.uid() == ""
    assert own.replicas() is None
