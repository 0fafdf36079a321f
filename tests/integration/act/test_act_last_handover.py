"""An operator that is scaled to zero in the middle of a resize leaves the instance running as it was.

Bullet "scale to zero in the middle of a resize (the last handover must leave it running)".
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kubernetes import client
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import instance, prepare
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_world import ACTIONS, World

from finops.errors import LedgerUnavailable, Refused
from finops.k8s.connection import Connection
from finops.k8s.deployment import OwnDeployment
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.last_handover import WHY, LastHandover, is_parted, strands
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.telemetry import Telemetry
from finops_sandbox.aws.double import AwsDouble

Act = Callable[[ActRequest, Callable[[], bool]], ActResult]


def handover(
    world: World,
    ledger: DurableLedger,
    act: Act,
    request: ActRequest,
    wanted: list[int | Exception | None],
    *,
    seconds: float = 20_000.0,
) -> LastHandover:
    """Return one that reads the wanted replicas in turn: at start, then at the end. The clock runs fast."""

    def replicas(_seconds: float) -> int | None:
        answer = wanted.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return LastHandover(
        replicas,
        lambda: (request,),
        act,
        lambda act: strands(ACTIONS.get(act.plan.action)),
        lambda act: is_parted(ACTIONS.get(act.plan.action), act, ledger),
        Background(Telemetry(), world.clock),
        world.clock,
        seconds,
    )


@pytest.mark.parametrize("after", [0, None])
@pytest.mark.parametrize("called", [1, 2])
def test_scaled_to_zero_or_deleted_the_instance_runs_as_before_and_nothing_forward_is_called(
    called: int, after: int | None, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, called)
    before = effects(aws.calls)
    last = handover(world, ledger, world.executor(ledger).run, request, [1, after])
    last.start()

    last.finish()

    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert effects(aws.calls)["StartInstances"] == 1
    assert effects(aws.calls)["StopInstances"] == before["StopInstances"]
    assert WHY.rstrip(".") in world.status.reports[-1].message
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("wanted", [[1, 1], [1, Refused("no right")], [None, None]])
def test_whoever_has_a_successor_or_does_not_know_hands_over_at_once(
    wanted: list[int | Exception | None], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)
    last = handover(world, ledger, world.executor(ledger).run, request, wanted)
    last.start()

    last.finish()

    assert effects(aws.calls) == {"StopInstances": 1}


def test_an_act_during_which_nothing_is_down_is_left_to_the_next_start(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    hand_over_after(world, request, ledger, 1)
    last = handover(world, ledger, world.executor(ledger).run, request, [1, 0])
    last.start()

    last.finish()

    assert effects(aws.calls) == {"CreateSnapshot": 1}


@pytest.mark.parametrize(("called", "back"), [(1, False), (2, True), (3, True)])
def test_a_volume_that_was_taken_from_its_instance_is_attached_again(
    called: int, back: bool, world: World, aws: AwsDouble
) -> None:
    """A stopped instance without its volume is stranded too; before it was detached nothing is."""
    request, ledger = prepare(world, "ebs_volume_detach_delete")
    hand_over_after(world, request, ledger, called)
    before = effects(aws.calls)
    last = handover(world, ledger, world.executor(ledger).run, request, [1, 0])
    last.start()

    last.finish()

    assert effects(aws.calls) == {**before, **({"AttachVolume": 1} if back else {})}
    check(aws.calls, world.ledger_path, session=request.name)


def test_it_ends_with_the_pods_time_however_long_the_rollback_takes(
    world: World, aws: AwsDouble, caplog: pytest.LogCaptureFixture
) -> None:
    request, ledger = prepare(world)
    waiting = ActResult(None, "wait_stopped: not there yet", 5.0)
    asked: list[str] = []

    def slow(act: ActRequest, _stopping: Callable[[], bool]) -> ActResult:
        asked.append(act.only_back)
        if len(asked) == 1:
            raise LedgerUnavailable("no answer")
        return waiting

    last = handover(world, ledger, slow, request, [1, 0], seconds=2030.0)
    last.start()
    begun = world.clock.monotonic()

    last.finish()

    assert 1995 <= world.clock.monotonic() - begun <= 2500
    assert len(asked) > 20
    assert set(asked) == {WHY}
    assert "start the operator again" in caplog.text


@pytest.mark.parametrize(("replicas", "wanted"), [(0, 0), (3, 3), (None, 1)])
def test_the_deployment_says_how_many_are_wanted(
    replicas: int | None, wanted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def read(_api: object, name: str, namespace: str, **_options: object) -> Any:
        asked.append((namespace, name))
        return SimpleNamespace(spec=SimpleNamespace(replicas=replicas))

    monkeypatch.setattr(client.AppsV1Api, "read_namespaced_deployment", read)
    own = OwnDeployment(cast("Connection", SimpleNamespace(api=client.ApiClient())), "finops-system", "release")

    assert own.replicas() == wanted
    assert asked == [("finops-system", "release")]


def test_without_a_deployment_nobody_says_how_many_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_what: object, **_options: object) -> Any:
        raise client.ApiException(status=404, reason="Not Found")

    monkeypatch.setattr(client.AppsV1Api, "read_namespaced_deployment", read)
    own = OwnDeployment(cast("Connection", SimpleNamespace(api=client.ApiClient())), "finops-system", "release")

    assert own.replicas() is None
