"""An operator that is asked to stop gives the Lease away at once, whatever its loops wait for, and ends soon after."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from tests.support.operator_estate import Obj
from tests.support.operator_rig import Rig, eventually, running_rig

_HANGS: Final = 60.0
"""Seconds for which AWS does not answer; the client waits longer than that."""
_RELEASED_WITHIN: Final = 8.0
"""A second for the loops to heed the stop (measured in test_operator_ending.py), on a very busy machine."""
_ENDED_WITHIN: Final = 16.0
"""The same for what still runs after the release."""

FIRST_CALLS: Final = (
    "finops_operator.policies.run:PolicyScans.scan",
    "finops_operator.decisions.decider:Decider.see_all",
    "finops_operator.upkeep.gauges:Gauges.show",
    "finops_operator.requests.watching:Watching.go_through",
    "finops_operator.webhooks.sending:Webhooks.serve",
    "finops_operator.upkeep.what_ifs:AnsweredWhatIfs.turn",
    "finops.ledger.durable:DurableLedger.keep_anchor",
    "finops.k8s.lease:Lease.renew",
)
"""The first call of scans, requests, housekeeping, watches, webhooks, what-ifs, anchoring and lease, in this order."""
LATER_CALLS: Final = (
    "finops_operator.policies.run:PolicyScans.follow_up",
    "finops_operator.decisions.decider:Decider.advance",
    "finops_operator.upkeep.audit_notes:AuditNotes.note",
    "finops.k8s.witness:ClusterWitness.write",
)
"""Calls further on in the loops that have several."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    hook = '[{"name": "orders", "url": "https://hooks.test/in"}]'
    with running_rig(tmp_path_factory.mktemp("stops"), start=False, webhooks=hook) as rig:
        yield rig


@pytest.fixture
def rig(world: Rig) -> Iterator[Rig]:
    yield world
    if world.process is not None and world.process.poll() is None:
        world.kill()
    world.program = "finops_operator"
    world.aws.control.faults.clear()


def lease(rig: Rig) -> Obj:
    found: list[Obj] = rig.k8s.objects("leases.coordination.k8s.io")
    return found[0]["spec"] if found else {}


def is_ready(rig: Rig) -> bool:
    return "finops_lease_held 1.0" in rig.http("/metrics")[1]


def start_hanging(rig: Rig, places: Sequence[str], folder: Path) -> None:
    """Start the operator, let it hold the Lease, then let these calls hang and wait until each does."""
    now = folder / "now"
    rig.program = "tests.support.hanging_operator"
    rig.settings |= {"HANGS": " ".join(places), "HANGING": str(folder), "HANG_NOW": str(now)}
    rig.start()
    eventually(lambda: is_ready(rig))
    before, after = rig.case(), rig.case()
    before.apply()
    before.proposed(seconds=90)
    now.touch()
    after.apply()

    def hang() -> bool:
        return all((folder / place.partition(":")[2]).exists() for place in places)

    eventually(hang, what=f"of {places} some were not called")


def stop(rig: Rig) -> tuple[float, float]:
    """Send SIGTERM; return the seconds until the Lease was free and until the process had ended well."""
    assert rig.process is not None
    asked = time.monotonic()
    rig.process.terminate()
    eventually(lambda: not lease(rig).get("holderIdentity"), seconds=30)
    released = time.monotonic() - asked
    assert rig.process.wait(40) == 0, rig.tail()
    return released, time.monotonic() - asked


@pytest.mark.parametrize("calls", [FIRST_CALLS, LATER_CALLS], ids=["first calls", "later calls"])
def test_the_lease_is_released_and_the_process_ends_while_every_loop_waits_for_ever(
    calls: tuple[str, ...], rig: Rig, tmp_path: Path
) -> None:
    start_hanging(rig, calls, tmp_path)

    released, ended = stop(rig)

    assert released < _RELEASED_WITHIN
    assert ended < _ENDED_WITHIN


def test_the_lease_is_released_while_a_scan_still_waits_for_an_answer_of_aws(rig: Rig) -> None:
    name = rig.aws.control.inject(
        {"kind": "hang", "service": "ec2", "action": "DescribeInstances", "seconds": _HANGS, "count": 1}
    )
    rig.start()
    rig.case().apply()

    def is_hanging() -> bool:
        return any(one["id"] == name and one["hits"] for one in rig.aws.control.faults.listing())

    eventually(lambda: lease(rig).get("holderIdentity") and is_hanging(), seconds=180.0)

    released, ended = stop(rig)

    assert released < _RELEASED_WITHIN
    assert ended < _ENDED_WITHIN


def test_an_act_that_waits_for_aws_is_left_to_the_next_operator_which_observes_it(rig: Rig) -> None:
    rig.aws.control.inject({"kind": "hang", "service": "ec2", "action": "StopInstances", "seconds": _HANGS, "count": 1})
    rig.start()
    case = rig.case()
    case.apply()
    request = case.proposed(2, seconds=90)[0]
    for person in ("alice", "bob"):
        case.vote(request, person)
    eventually(lambda: case.story("intent"), what=rig.tail())

    released, ended = stop(rig)
    rig.start()

    eventually(lambda: rig.lines("act waits: stop: not there yet"), what=rig.tail())
    assert released < _RELEASED_WITHIN
    assert ended < _ENDED_WITHIN
    assert [one["detail"]["operation"] for one in case.story("intent")] == ["ec2:StopInstances"], (
        "observed, not repeated"
    )
